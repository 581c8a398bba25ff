/**
 * @file Nothing leaves the machine: a day's commands, and programs that use the library, under strace in a network without a way out, at a home that is
 * empty and with nothing in the environment that switches anything off. No socket may reach past this machine, and the home holds mixtune's cache alone.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CALLS, type Call } from "./commands.ts";
import { type Sockets, socketsIn, TRACED } from "./sockets.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");
const python = process.env.MIXTUNE_PYTHON || undefined;

const folder = mkdtempSync(join(tmpdir(), "mixtune-offline-"));
const home = join(folder, "home");
const seen: { what: string; opened: Sockets["opened"] }[] = [];

interface Traced extends Sockets {
  status: number | null;
  output: string;
}

/** Runs Node with arguments, traced. @param whileRunning  sees its standard output as it grows; may end it */
async function traced(args: string[], { input = "", torch }: Partial<Call> = {}, whileRunning = watchNothing) {
  const trace = join(folder, "trace");
  const follow = ["-D", "-f", "--seccomp-bpf", "-qq", "-e", `trace=${TRACED}`, "-e", "signal=none", "-o", trace];
  const env = { PATH: process.env.PATH, HOME: home, ...(torch && { MIXTUNE_PYTHON: python }) };
  const child = spawn("strace", [...follow, process.execPath, ...args], { cwd: folder, env });
  let [output, stdout] = ["", ""];
  child.stdout.on("data", (text) => {
    output += text;
    stdout += text;
    whileRunning(stdout, child);
  });
  child.stderr.on("data", (text) => {
    output += text;
  });
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, output, ...socketsIn(readFileSync(trace, "utf8")) } satisfies Traced;
}

function watchNothing(_stdout: string, _child: ChildProcess): void {}

/** Files of the home, but what mixtune itself keeps. */
function foundAtHome(): string[] {
  const own = join(home, ".cache", "mixtune");
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(own));
}

function expectQuiet(what: string, { status, output, opened, forbidden }: Traced): void {
  seen.push({ what, opened });
  expect({ status, output }).toEqual({ status: 0, output: expect.any(String) });
  expect(forbidden).toEqual([]);
  expect(foundAtHome()).toEqual([]);
}

/** Asks what serves for one page, then ends it. */
function asking({ path, body }: NonNullable<Call["asked"]>): { watch: typeof watchNothing; answer: Promise<number> } {
  let settle: (status: number | Promise<number>) => void;
  const answer = new Promise<number>((resolve) => {
    settle = resolve;
  });
  let isAsked = false;
  return {
    answer,
    watch: (stdout, child) => {
      if (isAsked || !stdout.endsWith("}\n")) return;
      isAsked = true;
      const { url } = JSON.parse(stdout) as { url: string };
      const headers = { "Content-Type": "application/json" };
      const request = fetch(new URL(path, url), body && { method: "POST", headers, body: JSON.stringify(body) });
      settle(request.then(({ status }) => status).finally(() => child.kill("SIGINT")));
    },
  };
}

beforeAll(() => {
  mkdirSync(home);
  const study = `name: small
models: [mixtune/tiny]
tasks: {gen-topic: {max_train: 16}, gen-sentiment: {max_train: 16}}
design: [singles, all]
seeds: [1]
train: {max_steps: 2, train_batch_size: 4, lora_rank: 2, cutoff_len: 128}
eval: {max_dev: 4, max_test: 4}
`;
  const run = `model: mixtune/tiny
mixture: {gen-topic: {max_train: 8}}
train: {max_steps: 1, train_batch_size: 4}
eval: {max_dev: 4, max_test: 4}
`;
  const axolotl =
    "base_model: mixtune/tiny\ndatasets:\n  - {path: says.jsonl, type: alpaca}\nsequence_len: 128\nlearning_rate: 1e-4\nadapter: lora\nlora_r: 2\nlora_alpha: 4\nlora_target_linear: true\n";
  const words = ["card", "loan", "limit", "branch", "letter"];
  const rows = Array.from({ length: 80 }, (_, i) => ({
    text: `The ${words[i % 5]} of customer ${i * 37} has trouble ${words[(i * 3) % 5]}.`,
    team: i % 2 === 0 ? "cards" : "loans",
  }));
  const lines = (all: object[]) => all.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(join(folder, "study.yaml"), study);
  writeFileSync(join(folder, "one.yaml"), run);
  writeFileSync(join(folder, "axolotl.yml"), axolotl);
  writeFileSync(
    join(folder, "tickets.csv"),
    `text,team\n${rows.map(({ text, team }) => `${text},${team}\n`).join("")}`,
  );
  writeFileSync(join(folder, "prompts.jsonl"), lines(rows.slice(0, 2).map(({ text }) => ({ prompt: text }))));
  writeFileSync(
    join(folder, "says.jsonl"),
    lines(rows.map(({ text, team }) => ({ instruction: text, input: "", output: team }))),
  );
});

afterAll(() => {
  const families = [...new Set(seen.flatMap(({ opened }) => Object.keys(opened)))];
  const table = seen.map(
    ({ what, opened }) => `${families.map((one) => String(opened[one] ?? 0).padStart(one.length)).join("  ")}  ${what}`,
  );
  console.log([`${families.join("  ")}  sockets opened by`, ...table].join("\n"));
  rmSync(folder, { recursive: true, force: true });
});

test("this network has no way out", () => {
  expect(Object.values(networkInterfaces()).flatMap((all) => all!.filter(({ internal }) => !internal))).toEqual([]);
});

const day = Object.values(CALLS).flatMap((all) =>
  all.map((call): [string, Call] => [`mixtune ${call.words.join(" ")}`, call]),
);

describe("stays on this machine:", () => {
  test.each(day.filter(([, { torch }]) => !torch))("%s", callQuietly);
  if (python === undefined) console.log("skipped: the commands with PyTorch, as MIXTUNE_PYTHON names no interpreter");
  test.skipIf(python === undefined).each(day.filter(([, { torch }]) => torch))("%s", callQuietly);

  async function callQuietly(what: string, call: Call): Promise<void> {
    const asked = call.asked && asking(call.asked);
    expectQuiet(what, await traced([join(DIST, "mixtune.js"), ...call.words], call, asked?.watch));
    expect(await (asked?.answer ?? 200)).toBe(200);
  }
});

/** Runs the text of a module. */
function program(text: string): Promise<Traced> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, text);
  return traced([file]);
}

const from = (name: string) => JSON.stringify(join(DIST, `${name}.js`));
const inThread = `new (await import("node:worker_threads")).Worker(${JSON.stringify(`import(${from("train")})`)}, { eval: true })`;

describe("the library stays on this machine:", () => {
  test.each([
    [
      "a study that is planned, run and read",
      `import { openWorkspace, planStudy, readStudy, runStudy, studyResults } from ${from("index")};
       const [workspace, study] = [openWorkspace(), readStudy("study.yaml", ["design=[all]"])];
       const { failed } = await runStudy(await planStudy(study, workspace, { out: "library" }), workspace);
       process.exitCode = failed.length + (studyResults("library").table.rows.length === 0 ? 1 : 0);`,
    ],
    ["the parts of training, in a thread", `await import(${from("train")}); ${inThread};`],
    ["statistics", `await import(${from("stats")});`],
  ])("%s", async (what, text) => expectQuiet(`the library: ${what}`, await program(text)));

  // A thread has a copy of the environment, which the native library does not see.
  test("a thread of a program that has not switched telemetry off gets an error and no library", async () => {
    const { status, output, forbidden } = await program(`${inThread};`);
    expect(status).toBe(1);
    expect(output).toMatch(/worker thread: expected ORT_DISABLE_TELEMETRY=1[\s\S]*SHARE_ENV/);
    expect([...forbidden, ...foundAtHome()]).toEqual([]);
  });
});

describe("is not blind:", () => {
  test("a name that is looked up", async () => {
    const { forbidden } = await traced(["-e", 'require("node:dns").lookup("example.com", () => {})']);
    expect(forbidden.join()).toContain("htons(53)");
  });

  test("a connection to another host", async () => {
    const { forbidden } = await traced(["-e", 'require("node:net").connect(80, "192.0.2.1").on("error", () => {})']);
    expect(forbidden.join()).toContain("192.0.2.1");
  });

  // The library looks its collector's name up after some seconds; its device id is written at once.
  test("ONNX Runtime with its telemetry on", async () => {
    const library = JSON.stringify(join(DIST, "..", "node_modules", "onnxruntime-node"));
    await traced(["-e", `require(${library}).InferenceSession.create(new Uint8Array()).catch(() => {})`]);
    expect(foundAtHome().join()).toContain(join("Microsoft", "DeveloperTools", ".onnxruntime", "deviceid"));
  });
});
