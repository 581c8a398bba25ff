/** @file The controls of a study that are trained: shuffled labels and random weights, through the built command. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

let folder: string;
let remove: () => void;
let lock: { runs: { id: string; mixture: { name: string }; control?: string }[] };

beforeAll(async () => {
  ({ folder, remove } = temporaryFolder());
  const words: Record<string, string> = { cards: "a lost card", loans: "the rate of a loan" };
  const row = (i: number) => {
    const team = i % 2 ? "cards" : "loans";
    return `Customer ${i} writes about ${words[team]},${team}`;
  };
  const rows = (from: number, n: number) => Array.from({ length: n }, (_, i) => row(from + i));
  writeFileSync(join(folder, "train.csv"), ["text,team", ...rows(0, 80), ""].join("\n"));
  writeFileSync(join(folder, "test.csv"), ["text,team", ...rows(1000, 20), ""].join("\n"));
  const task = (name: string) => `  ${name}:
    data: {train: train.csv, test: test.csv}
    prompt: "${name}?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
`;
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s
models: [mixtune/tiny]
tasks:
${task("teams")}${task("desks")}allow_overlap: [[teams, desks]]
design: [singles, {name: mine, tasks: {teams: {}, desks: {}}}, {name: mine, tasks: {teams: {}, desks: {}}, shuffled_labels: true}]
controls: [shuffled_labels, random_init]
train: {max_steps: 24, train_batch_size: 8, learning_rate: 3.0e-3, keep: none}
eval: {scoring: [constrained], max_dev: 8}
`,
  );
});
afterAll(() => remove());

const lossesOf = (name: string): number[] => {
  const { id } = lock.runs.find(({ mixture }) => mixture.name === name)!;
  const lines = readFileSync(join(folder, "out/runs", id, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line).loss);
};
const tail = (name: string) =>
  lossesOf(name)
    .slice(-10)
    .reduce((a, b) => a + b, 0) / 10;

test("are runs of their own, and rows after the mixtures that are never chosen on dev", async () => {
  const { stdout, stderr, status } = await mixtune(["run", "study.yaml", "--out", "out", "--json"], { cwd: folder });
  expect(stderr).not.toMatch(/expected .* got/);
  expect(status).toBe(0);
  lock = JSON.parse(readFileSync(join(folder, "out/study.lock.json"), "utf8"));
  const { table } = JSON.parse(stdout);
  const shown = table.rows.map(({ kind, name }: { kind: string; name: string }) => `${kind}: ${name}`);
  expect(shown).toEqual([
    ...["majority: majority", "ngram: ngram", "mixture: teams", "mixture: desks", "mixture: mine"],
    ...["mine", "teams", "desks"].map((name) => `control: ${name} (shuffled labels)`),
    ...["teams", "desks", "mine"].map((name) => `control: ${name} (random init)`),
  ]);
  const chosen: number[] = Object.values(table.chosen["mixtune/tiny"]);
  for (const index of chosen) expect(table.rows[index].kind).toBe("mixture");
  expect([table.numRuns, table.numDone]).toEqual([9, 9]);
});

test("shuffled labels cannot be learned where the true ones can, but their form can", () => {
  expect(tail("teams")).toBeLessThan(0.1);
  // Two answers as frequent as each other: at best log 2 nats over the answer's two tokens, of which the second is certain.
  expect(tail("teams (shuffled labels)")).toBeGreaterThan(0.2);
  expect(tail("teams (shuffled labels)")).toBeLessThan(lossesOf("teams")[0]! / 2);
  expect(tail("mine (shuffled labels)")).toBeGreaterThan(2 * tail("mine"));
});

test("random weights begin where nothing is known: about log of the vocabulary", () => {
  const config = readFileSync(join(import.meta.dirname, "../../assets/tiny/config.json"), "utf8");
  const nothingKnown = Math.log(JSON.parse(config).vocab_size);
  expect(Math.abs(lossesOf("teams (random init)")[0]! - nothingKnown)).toBeLessThan(0.5);
  expect(lossesOf("teams")[0]).toBeLessThan(nothingKnown - 1);
});

test("are made again with the same bits, and not at all when they are there", async () => {
  const again = await mixtune(["run", "study.yaml", "--out", "out", "--json"], { cwd: folder });
  expect(JSON.parse(again.stdout)).toMatchObject({ done: 0, done_before: 9 });
  const { id } = lock.runs.find(({ mixture }) => mixture.name === "teams (shuffled labels)")!;
  const words = ["design=[{name: teams, tasks: {teams: {}}, shuffled_labels: true}]", "controls=[]"];
  const other = await mixtune(["run", "study.yaml", "--out", "other", "--json", ...words], { cwd: folder });
  expect(other.status).toBe(0);
  expect(JSON.parse(other.stdout).table.rows.at(-1)).toMatchObject({ kind: "control", runs: [id] });
  const scores = (out: string) => readFileSync(join(folder, out, "runs", id, "predictions/teams.test.jsonl"), "utf8");
  expect(scores("other")).toBe(scores("out"));
});

test("a run file may ask for shuffled labels too", async () => {
  writeFileSync(
    join(folder, "one.yaml"),
    `model: mixtune/tiny
mixture: {gen-topic: {max_train: 32}}
shuffled_labels: true
train: {max_steps: 1, train_batch_size: 4}
eval: {scoring: [constrained], max_dev: 4, max_test: 4}
`,
  );
  const plain = await mixtune(["train", "one.yaml", "--json", "shuffled_labels=false"], { cwd: folder });
  const shuffled = await mixtune(["train", "one.yaml", "--json"], { cwd: folder });
  expect([plain.status, shuffled.status]).toEqual([0, 0]);
  const [a, b] = [plain, shuffled].map(({ stdout }) => JSON.parse(stdout).table.rows.at(-1));
  expect([a.kind, b.kind, b.name]).toEqual(["mixture", "control", "one (shuffled labels)"]);
  expect(a.runs).not.toEqual(b.runs);
});
