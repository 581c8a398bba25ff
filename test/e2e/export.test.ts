/** @file Models taken home through the built command: every format, opened anew, and everything that is refused. */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExportCheck } from "../../src/app/export/check.ts";
import { openGguf } from "../../src/formats/gguf.ts";
import type { Prediction } from "../../src/runs/types.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";

const MIXTUNE = fileURLToPath(new URL("../../dist/mixtune.js", import.meta.url));
const TINY = fileURLToPath(new URL("../../assets/tiny", import.meta.url));

let folder: string;
let remove: () => void;
let runs: Record<"lora" | "full", string>;
const env = () => ({ MIXTUNE_CACHE: join(folder, "cache") });
const run = (...args: string[]) => mixtune(args, { cwd: folder, env: env() });

beforeAll(async () => {
  ({ folder, remove } = temporaryFolder());
  cpSync(TINY, join(folder, "base"), { recursive: true });
  const sums = Array.from({ length: 60 }, (_, i) => ({ a: i, b: i % 7, sum: `It is ${i + (i % 7)}.` }));
  writeFileSync(join(folder, "sums.jsonl"), sums.map((row) => `${JSON.stringify(row)}\n`).join(""));
  for (const method of ["lora", "full"]) {
    writeFileSync(
      join(folder, `${method}.yaml`),
      `name: ${method}
models: [./base]
tasks:
  gen-topic: {max_train: 32}
  sums: {data: {train: sums.jsonl}, prompt: "{a} + {b} =", answer: {kind: text, field: sum}}
design: [all]
seeds: [1]
train: {method: ${method}, lora_rank: 4, learning_rate: 1.0e-3, max_steps: 6, train_batch_size: 8, cutoff_len: 256, evaluate: last}
eval: {max_dev: 8, max_test: 8, baselines: []}
`,
    );
    const { status, stderr } = await run("run", `${method}.yaml`, "--out", method, "--quiet");
    expect(status, stderr).toBe(0);
  }
  const only = (method: string) => join(folder, method, "runs", readdirSync(join(folder, method, "runs"))[0]!);
  runs = { lora: only("lora"), full: only("full") };
}, 300_000);
afterAll(() => remove());

interface Result {
  dir: string;
  notes: string[];
  parity: ExportCheck;
}
async function exported(...args: string[]): Promise<Result> {
  const { status, stdout, stderr } = await run("export", ...args, "--json", "--quiet");
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Result;
}
const read = (dir: string, file: string) => JSON.parse(readFileSync(join(dir, file), "utf8"));

/** Differences that the formats are allowed, in logits of up to about 15. */
test.for<[to: string, options: string[], bound: number, files: string[]]>([
  ["peft", [], 1e-9, ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"]],
  ["hf", ["--dtype", "f32", "--shard-size", "4MB"], 1e-3, ["model.safetensors.index.json", "generation_config.json"]],
  ["hf", [], 0.05, ["model.safetensors", "config.json"]],
  ["gguf", ["--quantize", "f32"], 1e-3, ["model.gguf"]],
  ["ollama", ["--quantize", "q8_0"], 1, ["model.gguf", "Modelfile"]],
  ["onnx", [], 1e-3, ["model.onnx"]],
])("an adapter as %s %j is still the model, and says what it is of", async ([to, options, bound, files]) => {
  const out = join(folder, `lora-${to}-${options.at(-1) ?? "plain"}`);
  const { dir, parity } = await exported(runs.lora, "--to", to, ...options, "--out", out, "--max-examples", "20");
  expect(dir).toBe(out);
  for (const file of [...files, "README.md"]) expect(existsSync(join(out, file)), file).toBe(true);
  const card = readFileSync(join(out, "README.md"), "utf8");
  expect(card).toContain("```\n{a} + {b} =\n```");
  expect(card).toMatch(/\| gen-topic \| accuracy \| 8 \| \d\.\d{3} \(/);
  expect(card).toContain("licence apache-2.0");
  const record = read(out, "export.json");
  expect(record).toMatchObject({ format: to, model: { kind: "run", name: join(folder, "base"), template: "plain" } });
  expect(Object.keys(record.files)).toEqual(expect.arrayContaining(files));
  expect(read(out, "parity.json")).toEqual(parity);
  expect(parity.prompts).toMatchObject({ other_ids: 0 });
  expect(parity.logits.largest_difference).toBeLessThan(bound);
  const isRounded = bound > 0.01; // to 16 or 8 bits, which may turn a close call
  const slack = isRounded ? 3 : 0;
  expect(parity.prompts.n - parity.logits.same_likeliest).toBeLessThanOrEqual(slack);
  if (to === "ollama") expect(parity.logits.largest_difference).toBeGreaterThan(1e-4);
  expect(Object.keys(parity.tasks)).toEqual(to === "onnx" ? ["gen-topic"] : ["gen-topic", "sums"]);
  expect(Object.keys(parity.not_scored)).toEqual(to === "onnx" ? ["sums"] : []);
  const { n, other_answers, before, after } = parity.tasks["gen-topic"]!;
  expect(n).toBe(20);
  expect(other_answers).toBeLessThanOrEqual(slack);
  if (!isRounded) expect(after).toBe(before);
});

test("an exported folder is a model like any other: its answers are the run's", async () => {
  const out = join(folder, "again");
  await exported(runs.full, "--to", "hf", "--dtype", "f32", "--tasks", "none", "--out", out);
  const args = ["--tasks", "gen-topic", "--split", "dev", "--out", "evals-again", "--quiet"];
  const { status, stderr } = await run("eval", out, ...args);
  expect(status, stderr).toBe(0);
  const own = answers(runs.full);
  const again = new Map(answers(join(folder, "evals-again")).map((answer) => [answer.id, answer]));
  expect(own.length).toBe(8);
  for (const { id, output, label_logprobs } of own) {
    expect(again.get(id)?.output).toBe(output);
    for (const [label, logprob] of Object.entries(label_logprobs!))
      expect(again.get(id)!.label_logprobs![label]).toBeCloseTo(logprob, 4);
  }
});

function answers(dir: string): Prediction[] {
  const lines = readFileSync(join(dir, "predictions", "gen-topic.dev.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

test("a checkpoint's folder and a model that ships are taken too; without a task built-in sentences are asked", async () => {
  const checkpoint = join(runs.lora, "checkpoints", read(join(runs.lora, "checkpoints"), "last.json").folder);
  const result = await exported(checkpoint, "--to", "peft", "--tasks", "none", "--out", join(folder, "checkpoint"));
  expect(result.parity.prompts.from).toBe("built-in sentences");
  const gguf = await exported("mixtune/tiny", "--to", "gguf", "--out", join(folder, "tiny"));
  expect(gguf.parity.logits.largest_difference).toBe(0);
  const { values } = openGguf(join(gguf.dir, "model.gguf"));
  expect(values.get("general.architecture")).toEqual({ type: "string", value: "llama" });
  expect(values.get("tokenizer.chat_template")).toMatchObject({ value: expect.stringContaining("Answer:") });
});

describe("a place that is taken", () => {
  const args = () => ["export", runs.lora, "--to", "peft", "--tasks", "none", "--out"];

  test("by an earlier export of the same is made anew, to the same bytes", async () => {
    const out = join(folder, "same");
    expect((await run(...args(), out)).status).toBe(0);
    const before = readFileSync(join(out, "export.json"), "utf8");
    expect((await run(...args(), out)).status).toBe(0);
    expect(readFileSync(join(out, "export.json"), "utf8")).toBe(before);
    writeFileSync(join(out, "notes.txt"), "mine");
    const { status, stderr } = await run(...args(), out);
    expect(status).toBe(2);
    expect(stderr).toMatch(/got a folder with other files \(notes\.txt\)/);
    rmSync(join(out, "notes.txt"));
    writeFileSync(join(out, "adapter_config.json"), "mine now");
    const changed = await run(...args(), out);
    expect(changed.status).toBe(2);
    expect(changed.stderr).toMatch(/got a folder with other files \(adapter_config\.json\)/);
    expect(readFileSync(join(out, "adapter_config.json"), "utf8")).toBe("mine now");
  });

  test.for<[string, (out: string) => void, RegExp]>([
    [
      "another export",
      () => {},
      /holds another export.*expected format "hf", .*model\.kind "folder".*got format "peft"/,
    ],
    [
      "other files",
      (out) => {
        mkdirSync(out);
        writeFileSync(join(out, "notes.txt"), "mine");
      },
      /got a folder with other files \(notes\.txt\)/,
    ],
    ["a file", (out) => writeFileSync(out, "mine"), /got a file/],
  ])("by %s is refused and left as it is", async ([name, make, message], { expect: check }) => {
    const out = join(folder, `taken-${name.replaceAll(" ", "-")}`);
    make(out);
    if (name === "another export") await run("export", "mixtune/tiny", "--to", "hf", "--tasks", "none", "--out", out);
    const before = existsSync(join(out, "export.json")) ? readFileSync(join(out, "export.json"), "utf8") : undefined;
    const { status, stderr } = await run(...args(), out);
    check(status).toBe(2);
    check(stderr).toMatch(message);
    if (before !== undefined) check(readFileSync(join(out, "export.json"), "utf8")).toBe(before);
  });
});

describe("is refused with what to do", () => {
  test.for<[string, () => string[], RegExp]>([
    [
      "an unknown format",
      () => ["mixtune/tiny", "--to", "ggfu"],
      /--to <format>.*ggfu.*Allowed choices are peft, hf, gguf/,
    ],
    [
      "a whole model as an adapter",
      () => ["mixtune/tiny", "--to", "peft"],
      /a run that trained an adapter.*whole model\.\n.*--to hf/,
    ],
    [
      "a run that trained every weight as an adapter",
      () => [runs.full, "--to", "peft"],
      /train\.method: full\)\.\n.*--to hf/,
    ],
    [
      "an option of another format",
      () => ["mixtune/tiny", "--to", "gguf", "--dtype", "f32"],
      /--dtype: expected --to hf with it, got gguf/,
    ],
    [
      "an unknown type",
      () => ["mixtune/tiny", "--to", "gguf", "--quantize", "q4_k"],
      /--quantize <type>.*q4_k.*Allowed choices are f32, f16, q8_0/,
    ],
    [
      "a size that is none",
      () => ["mixtune/tiny", "--to", "hf", "--shard-size", "big"],
      /--shard-size <size>.*expected a size as 5GB/,
    ],
    [
      "more context than the model has",
      () => ["mixtune/tiny", "--to", "onnx", "--context", "5000"],
      /1280 to 4096 tokens.*got 5000/,
    ],
    [
      "less context than the check takes",
      () => ["mixtune/tiny", "--to", "onnx", "--context", "16"],
      /1280 to 4096 tokens.*got 16/,
    ],
    ["an unknown task", () => ["mixtune/tiny", "--to", "hf", "--tasks", "gen-topik"], /gen-topik/],
    [
      "no model",
      () => ["./nowhere", "--to", "hf"],
      /expected a model folder, or a GGUF file \(\.gguf\), got nothing there/,
    ],
  ])("%s", async ([, args, message]) => {
    const { status, stderr } = await run("export", ...args());
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("an adapter whose base model is gone, or is another now", async () => {
    const [there, gone] = [join(folder, "base"), join(folder, "base-away")];
    cpSync(there, gone, { recursive: true });
    rmSync(there, { recursive: true });
    const missing = await run("export", runs.lora, "--to", "hf", "--out", "gone");
    cpSync(gone, there, { recursive: true });
    const config = read(there, "config.json");
    writeFileSync(join(there, "config.json"), JSON.stringify({ ...config, rms_norm_eps: 1e-3 }));
    const other = await run("export", runs.lora, "--to", "hf", "--out", "gone");
    cpSync(gone, there, { recursive: true });
    expect(missing.status).toBe(2);
    expect(missing.stderr).toMatch(/model\.name: expected a model folder, or a GGUF file.*got nothing there/);
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/which the run was trained on/);
    expect(existsSync(join(folder, "gone"))).toBe(false);
  });
});

test.skipIf(process.platform === "win32")("a disk that fills up leaves nothing behind", () => {
  const out = join(folder, "full-disk", "out");
  const command = `ulimit -f 4000; exec "${process.execPath}" "${MIXTUNE}" export "${runs.lora}" --to hf --tasks none --out "${out}"`;
  const { status, stderr } = spawnSync("bash", ["-c", command], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ...env() },
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/expected room on the disk, got .*\n {2}Free some space/);
  expect(readdirSync(join(folder, "full-disk"))).toEqual([]);
});
