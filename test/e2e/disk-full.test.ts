import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const MIXTUNE = join(ROOT, "dist", "mixtune.js");
const folder = mkdtempSync(join(tmpdir(), "mixtune-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const runFile = join(folder, "run.yaml");
writeFileSync(
  runFile,
  `name: disk
model: mixtune/tiny
mixture: {gen-topic: {max_train: 16}}
train: {method: full, max_steps: 2, train_batch_size: 8, cutoff_len: 128, save_steps: 1}
seed: 1
eval: {max_dev: 8, max_test: 8}
`,
);

/** Trains under a shell's limits; a file that grows beyond its limit fails as one on a full disk does. */
function train(out: string, limits: string): { status: number | null; stderr: string } {
  const command = `${limits}; exec "${process.execPath}" "${MIXTUNE}" train "${runFile}" --out "${out}"`;
  const { status, stderr } = spawnSync("bash", ["-c", command], {
    encoding: "utf8",
    env: { ...process.env, MIXTUNE_CACHE: join(folder, "cache") },
  });
  return { status, stderr };
}

const leftovers = (out: string): string[] =>
  readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));

describe.skipIf(process.platform === "win32")("a disk that fills up in the middle of a checkpoint", () => {
  const out = join(folder, "full");

  test("ends the run with place, reason and remedy, no stack trace and nothing half-written", () => {
    const { status, stderr } = train(out, "ulimit -f 4000");
    expect(status).toBe(1);
    expect(stderr).toMatch(/model\.safetensors: expected room on the disk, got .*\n {2}Free some space/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(leftovers(out)).toEqual([]);
    const [id = ""] = readdirSync(join(out, "runs"));
    expect(JSON.parse(readFileSync(join(out, "runs", id, "status.json"), "utf8"))).toMatchObject({ state: "failed" });
  });

  test("and once there is room, the same command goes on to the end", () => {
    expect(train(out, "true").status).toBe(0);
    expect(leftovers(out)).toEqual([]);
  });
});

describe("a place that cannot be written to", () => {
  test("is refused before work begins when it is a file", () => {
    const out = join(folder, "file");
    writeFileSync(out, "");
    const { status, stderr } = train(out, "true");
    expect(status).toBe(2);
    expect(stderr).toMatch(/expected .*folder.*, got .*\n {2}\w+/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "is refused when this user may not write there (root may write anywhere)",
    () => {
      const parent = join(folder, "closed");
      mkdirSync(parent);
      chmodSync(parent, 0o500);
      const { status, stderr } = train(join(parent, "out"), "true");
      expect(status).toBe(2);
      expect(stderr).toMatch(/may write to, got no permission/);
    },
  );
});
