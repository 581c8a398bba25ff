/** @file What a person gets for a wrong request: place, expected, got, remedy, exit status 2, no stack trace, nothing half-written. */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

const TINY = fileURLToPath(new URL("../../assets/tiny", import.meta.url));

let folder: string;
let remove: () => void;

beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  writeRows("train.csv", 40);
  writeRows("test.csv", 8, 1000);
  writeFileSync(join(folder, "study.yaml"), STUDY);
});
afterEach(() => remove());

const STUDY = `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.csv, test: test.csv}
    prompt: "Which team?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
design: [singles]
train: {max_steps: 1, train_batch_size: 4}
`;

function writeRows(name: string, count: number, from = 0, extra: string[] = []): void {
  const rows = Array.from(
    { length: count },
    (_, i) => `customer ${from + i} asks about ${i % 2 ? "a card" : "a loan"},${i % 2 ? "cards" : "loans"}`,
  );
  writeFileSync(join(folder, name), ["text,team", ...rows, ...extra, ""].join("\n"));
}

function edit(from: string | RegExp, to: string): void {
  const path = join(folder, "study.yaml");
  const before = readFileSync(path, "utf8");
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

/** Copies the shipped model, so that it can be damaged. */
function ownModel(): string {
  const model = join(folder, "model");
  mkdirSync(model);
  for (const file of readdirSync(TINY)) copyFileSync(join(TINY, file), join(model, file));
  edit("mixtune/tiny", "./model");
  return model;
}

/** Runs the study, which must be refused with a message of the four parts, and must leave the folder as it was. */
async function refused(args: string[] = ["run", "study.yaml"]): Promise<string> {
  const before = readdirSync(folder, { recursive: true }).sort();
  const { status, stdout, stderr } = await mixtune(args, { cwd: folder });
  expect(stderr).toMatch(/^.+: expected .+, got .+\.\n {2}\S.+\n$/m);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(stdout).toBe("");
  expect(status).toBe(2);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  return stderr;
}

test("an unknown key, with the nearest known one", async () => {
  edit("max_steps", "max_step");
  expect(await refused()).toMatch(
    /study\.yaml:9:\d+: train\.max_step: expected a known key, got max_step\.\n {2}Did you mean max_steps\?/,
  );
});

test("a value of the wrong type on the command line", async () => {
  expect(await refused(["run", "study.yaml", "train.max_steps=many"])).toContain('got "many"');
});

test("a study file that is not there", async () => {
  expect(await refused(["run", "studdy.yaml"])).toContain("studdy.yaml: expected a file, got no such file");
});

test("a data file that is not there", async () => {
  edit("train: train.csv", "train: trane.csv");
  expect(await refused()).toContain("trane.csv");
});

test("a column that is not there, with those that are", async () => {
  edit("{text}", "{txt}");
  expect(await refused()).toMatch(/expected a column "txt", got "text", "team"/);
});

test("a label outside the set, with the row", async () => {
  writeRows("train.csv", 40, 0, ["what now,lones"]);
  expect(await refused()).toMatch(/train\.csv:42: expected team to be one of the labels cards, loans, got "lones"/);
});

test("a row whose answer is empty", async () => {
  writeRows("train.csv", 40, 0, ["what now,"]);
  expect(await refused()).toMatch(/train\.csv:42: .*team is empty/);
});

test("a task without rows", async () => {
  writeFileSync(join(folder, "train.csv"), "text,team\n");
  expect(await refused()).toMatch(/train\.csv: expected at least one row, got none/);
});

test("a training example longer than cutoff_len, by name", async () => {
  writeRows("train.csv", 40, 0, [`${"very ".repeat(300)}long,cards`]);
  expect(await refused(["run", "study.yaml", "train.cutoff_len=64"])).toMatch(
    /teams\/train#42: expected at most 64 tokens/,
  );
});

test("a test example longer than cutoff_len, before any training", async () => {
  writeRows("test.csv", 8, 1000, [`${"very ".repeat(300)}long,cards`]);
  expect(await refused(["run", "study.yaml", "train.cutoff_len=64"])).toMatch(
    /teams\/test#10: expected at most 64 tokens/,
  );
});

test("a test text that is also trained on", async () => {
  const leak = "this very sentence stands in both of the files,cards";
  writeRows("train.csv", 40, 0, [leak]);
  writeRows("test.csv", 8, 1000, [leak]);
  expect(await refused()).toMatch(/teams\/train#42: .*got the text of teams\/test#10: "this very sentence/);
});

test("weights that were cut short", async () => {
  truncateSync(join(ownModel(), "model.safetensors"), 100_000);
  expect(await refused()).toMatch(/model\.safetensors: expected \d{7,} bytes, .*got 100000\./);
});

test("a config that disagrees with the weights", async () => {
  const path = join(ownModel(), "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as { intermediate_size: number };
  writeFileSync(path, JSON.stringify({ ...config, intermediate_size: config.intermediate_size + 8 }));
  expect(await refused()).toMatch(/gate_proj|up_proj|down_proj/);
});

test("a model folder that is not there, and a name that would need the hub", async () => {
  edit("mixtune/tiny", "./nowhere");
  expect(await refused()).toContain("nowhere");
  edit("./nowhere", "org/model");
  expect(await refused()).toContain("org/model");
  edit("org/model", "mixtune/tinny");
  expect(await refused()).toContain("Did you mean mixtune/tiny?");
});

test("a place for results that cannot be written to", async () => {
  expect(await refused(["run", "study.yaml", "--out", "train.csv/results"])).toContain("train.csv/results");
});

test("a catalogue task without a folder of data", async () => {
  edit(/tasks:[\s\S]*design/, "tasks: {fpb: {}}\ndesign");
  expect(await refused()).toContain("MIXTUNE_DATA");
});

test("a task that cannot be scored as a target", async () => {
  edit("kind: label, field: team, labels: [cards, loans]", "kind: document, field: team");
  edit(/\n\s*prompt:.*/, "");
  expect(await refused()).toContain("tasks.teams");
});

test("init where there is a study already", async () => {
  expect(await refused(["init"])).toContain("study.yaml: expected no study.yaml yet");
});

test("a folder that is no study", async () => {
  expect(await refused(["report", "nowhere"])).toContain("study.lock.json");
  expect(await refused(["status", "."])).toContain("study.lock.json");
  expect(await refused(["recommend", "."])).toContain("study.lock.json");
  expect(await refused(["compare", "nowhere", "."])).toContain("STUDY_DIR:MIXTURE");
  expect(await refused(["compare", ".", "nowhere:all"])).toContain("a folder with scores.json");
});

test("words of the command line that mean nothing", async () => {
  const unknown = await mixtune(["trian", "x"], { cwd: folder });
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining("Did you mean train?")]);
  expect(await refused(["run", "study.yaml", "other.yaml"])).toContain("other.yaml");
  const split = await mixtune(["eval", "mixtune/tiny", "--tasks", "study.yaml", "--split", "tests"], { cwd: folder });
  expect([split.status, split.stderr]).toEqual([
    2,
    expect.stringMatching(/--split <list>.*expected dev, test or dev,test/),
  ]);
  const old = await mixtune(["eval", "--rescore", "out"], { cwd: folder });
  expect([old.status, old.stderr]).toEqual([2, expect.stringContaining("Run mixtune rescore DIR.")]);
});

test("numbers that our own engine does not compute in", async () => {
  for (const key of ["bf16", "load_in_4bit"]) {
    expect(await refused(["run", "study.yaml", `train.${key}=true`])).toContain(
      `train.${key}: expected false, on the local worker, got true`,
    );
  }
  expect(await refused(["run", "study.yaml", "train.load_in_4bit=true", "train.method=full"])).toContain(
    "train.load_in_4bit: expected method lora, got method full",
  );
});

test("with --json the same as a record, and the message still on standard error", async () => {
  edit("max_steps", "max_step");
  const { status, stdout, stderr } = await mixtune(["run", "study.yaml", "--json"], { cwd: folder });
  expect(status).toBe(2);
  expect(JSON.parse(stdout).error).toMatchObject({
    kind: "SpecError",
    got: "max_step",
    remedy: "Did you mean max_steps?",
  });
  expect(stderr).toContain("max_step");
});

test("with --debug the stack too", async () => {
  edit("max_steps", "max_step");
  const { stderr } = await mixtune(["run", "study.yaml", "--debug"], { cwd: folder });
  expect(stderr).toMatch(/^ {4}at /m);
});
