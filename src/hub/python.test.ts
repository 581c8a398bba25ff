/** The cache is one with the Python tools' own: what they write we read, what we write they read. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubServer, startHub } from "../../test/support/hub-server.ts";
import { openHub } from "./hub.ts";

const PYTHON = process.env.MIXTUNE_PYTHON ?? "python3";
const run = promisify(execFile);
const version = await run(PYTHON, ["-c", "import huggingface_hub as h; print(h.__version__)"]).then(
  ({ stdout }) => stdout.trim(),
  () => undefined,
);

// Skipped where MIXTUNE_PYTHON (default python3) has no huggingface_hub, the oracle of the layout.
describe.skipIf(version === undefined)(`the cache of huggingface_hub ${version}`, () => {
  const LARGE = Buffer.alloc(300_000, "large");
  const FILES = { "config.json": '{"a":1}', "sub/notes.txt": "hello", "model.safetensors": LARGE };
  let server: HubServer;
  let cacheDir: string;

  beforeEach(async () => {
    cacheDir = mkdtempSync(join(tmpdir(), "mixtune-hub-"));
    server = await startHub();
    server.put("model", "org/toy", FILES);
    server.put("dataset", "org/rows", { "data/train.csv": "a\n1\n" });
  });
  afterEach(async () => {
    await server.close();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  const hub = (isOffline: boolean) =>
    openHub({ settings: { endpoint: server.endpoint, token: undefined, cacheDir, isOffline }, sleep: async () => {} });
  const python = async (code: string) => {
    const env = { ...process.env, HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cacheDir, HF_HUB_DISABLE_TELEMETRY: "1" };
    const { stdout } = await run(PYTHON, ["-c", `from huggingface_hub import *\n${code}`], { env });
    return JSON.parse(stdout.trim().split("\n").at(-1)!);
  };

  test("is read by it when we wrote it, file by file and whole", async () => {
    const ours = hub(false);
    const snapshot = await ours.resolve({ kind: "model", id: "org/toy" });
    const paths = await ours.fetch(snapshot, Object.keys(FILES));
    const rows = await ours.resolve({ kind: "dataset", id: "org/rows" });
    const [csv] = await ours.fetch(rows, ["data/train.csv"]);
    server.seen.length = 0;
    const theirs = await python(`
import json
paths = [hf_hub_download("org/toy", name, local_files_only=True) for name in ${JSON.stringify(Object.keys(FILES))}]
csv = hf_hub_download("org/rows", "data/train.csv", repo_type="dataset", local_files_only=True)
folder = snapshot_download("org/toy", local_files_only=True)
info = scan_cache_dir()
print(json.dumps({"paths": paths, "csv": csv, "folder": folder, "warnings": [str(w) for w in info.warnings], "repos": sorted(r.repo_id for r in info.repos), "blobs": [len(v.files) for r in info.repos for v in r.revisions if r.repo_id == "org/toy"]}))`);
    expect(theirs).toEqual({
      paths,
      csv,
      folder: snapshot.folder,
      warnings: [],
      repos: ["org/rows", "org/toy"],
      blobs: [3],
    });
    expect(server.seen.filter(({ path }) => path.includes("/org/"))).toEqual([]);
  });

  test("is not fetched again by it where we wrote it", async () => {
    const ours = hub(false);
    await ours.fetch(await ours.resolve({ kind: "model", id: "org/toy" }), Object.keys(FILES));
    server.seen.length = 0;
    await python(`import json\nsnapshot_download("org/toy")\nprint("0")`);
    expect(server.seen.filter(({ server }) => server === "cdn")).toEqual([]);
  });

  test.each([
    ["whole", 'snapshot_download("org/toy")'],
    ["file by file", `for name in ${JSON.stringify(Object.keys(FILES))}: hf_hub_download("org/toy", name)`],
  ])("is read by us offline when it was written by it %s", async (_, code) => {
    await python(`${code}\nprint("0")`);
    const ours = hub(true);
    const snapshot = await ours.resolve({ kind: "model", id: "org/toy" });
    const paths = await ours.fetch(snapshot, Object.keys(FILES));
    expect(paths.map((path) => readFileSync(path))).toEqual(Object.values(FILES).map((bytes) => Buffer.from(bytes)));
    server.seen.length = 0;
    const online = hub(false);
    await online.fetch(await online.resolve({ kind: "model", id: "org/toy" }), Object.keys(FILES));
    expect(server.seen.filter(({ path }) => path.includes("/resolve/"))).toEqual([]);
  });
});
