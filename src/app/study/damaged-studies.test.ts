/** @file Study files damaged at random: whatever stands in them, `tasks check` and `plan` answer, or say what is wrong with the file. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutatedStudy } from "../../../test/support/mutated-study.ts";
import { MixtuneError } from "../../base/errors.ts";
import { Rng } from "../../base/rng.ts";
import { readSettings } from "../settings.ts";
import { checkTasks } from "../tasks/check-tasks.ts";
import { openWorkspace } from "../workspace.ts";
import { planStudy } from "./plan-study.ts";
import { readStudy } from "./read-study.ts";

/** Files; 5,000 were run once by MIXTUNE_FUZZ=5000. */
const NUM_FILES = Number(process.env.MIXTUNE_FUZZ ?? 120);
const RECIPES = join(import.meta.dirname, "../../../recipes");

/** Everything that a study file may say, of rows that are there. */
const WHOLE = `
name: whole
models: [mixtune/tiny]
tasks:
  a:
    data: {train: rows.jsonl, test: test.jsonl}
    prompt: "Which team?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
    group: customer
    fit: {field: text, keep: start}
    max_train: 20
    on_bad_row: skip
    on_overlap: drop
    metric: macro_f1
  b: {data: {train: rows.jsonl}, prompt: "{text} =", answer: {kind: number, field: n}}
  gen-topic: {max_train: 12}
mixers:
  docs: {data: {train: rows.jsonl}, answer: {kind: document, field: text}, dose: [0.5]}
  texts: {texts_of: [a], role: ingredient, share_of_caps: 0.5}
allow_overlap: [[a, b], [a, docs], [b, docs], [a, texts], [b, texts], [b, b], [a, a]]
design: [singles, all, {random: {runs: 1, seed: 3}}, {name: own, tasks: {a: {max_train: 10}, b: {epochs: 0.5}}}]
temperature: 2
budget: {match: [none, target_examples], reference: all}
seeds: [1]
factors: {train.learning_rate: [1.0e-3], train.cutoff_len: [64, 128], tasks.a.max_train: [8, null]}
controls: [base, few_shot:2, shuffled_labels, random_init]
train: {method: lora, lora_rank: 4, lora_alpha: 8, lora_target: [q_proj], num_train_epochs: 2, train_batch_size: 4, warmup_steps: 0.1, evaluate: best, keep: best, packing: isolated, loss_on: answer, loss_mean: token, eval_steps: 2, save_steps: 2}
eval: {splits: [dev, test], max_dev: 5, max_test: null, scoring: [constrained, strict], constrained_numbers: true, max_new_tokens: 9, baselines: [majority, ngram]}
`;

const SMALL = `
name: small
models: [mixtune/tiny]
tasks:
  a: {data: {train: rows.jsonl}, prompt: "{text}", answer: {kind: label, field: team, labels: [cards, loans]}}
design: [all]
train: {max_steps: 2, batch_tokens: 256}
`;

/** What ended as a fault, or did not end. */
const NASTY = [
  `${SMALL}eval: &a {baselines: [*a]}\n`,
  "&a {name: *a}\n",
  `a: ${"[".repeat(100_000)}`,
  SMALL.replace("mixtune/tiny", '"./a\\0b"'),
  SMALL.replace("mixtune/tiny", `./${"x".repeat(5000)}`),
  SMALL.replace("mixtune/tiny", "constructor"),
  SMALL.replace("  a:", "  constructor:"),
  SMALL.replace("max_steps: 2", "num_train_epochs: 1.0e+300"),
  SMALL.replace("max_steps: 2", "max_steps: 9007199254740991"),
  SMALL.replace("[all]", "[{random: {runs: 1000000000}}]"),
  SMALL.replace("[all]", "[{name: o, tasks: {a: {epochs: 1.0e+300}}}]"),
];

let folder: string;
let files: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-damaged-studies-"));
  const row = (i: number) => ({
    text: `customer ${i} asks about ${i % 7} things of ours`,
    team: i % 2 ? "cards" : "loans",
    n: i,
    customer: `c${i % 13}`,
  });
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => JSON.stringify(row(from + i))).join("\n");
  writeFileSync(join(folder, "rows.jsonl"), rows(0, 40));
  writeFileSync(join(folder, "test.jsonl"), rows(35, 12));
  const recipes = readdirSync(RECIPES).map((name) => readFileSync(join(RECIPES, name), "utf8"));
  files = [WHOLE, WHOLE, WHOLE, SMALL, SMALL, SMALL, SMALL, ...recipes];
});
afterAll(() => rmSync(folder, { recursive: true }));

// The regression: some of these ended as "internal error … a fault of mixtune", or did not end.
test("a damaged study file is answered for, never as a fault of ours", async () => {
  // nothing of the network, nothing outside the folder
  const settings = readSettings({ XDG_CACHE_HOME: folder, HF_HUB_OFFLINE: "1", NO_COLOR: "1" });
  const workspace = openWorkspace({ settings });
  const path = join(folder, "study.yaml");
  const faults: unknown[] = [];
  const answered = async (seed: number, work: () => Promise<unknown>) => {
    const from = performance.now();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MixtuneError))
        faults.push({ seed, text: readFileSync(path, "utf8"), stack: (error as Error).stack });
    }
    if (performance.now() - from > 20_000)
      faults.push({ seed, text: readFileSync(path, "utf8"), seconds: (performance.now() - from) / 1000 });
  };
  for (const whole of [WHOLE, SMALL]) {
    writeFileSync(path, whole);
    expect((await checkTasks(readStudy(path).study, workspace)).ok).toBe(true);
    expect((await planStudy(readStudy(path), workspace, { out: join(folder, "out") })).plan.length).toBeGreaterThan(0);
  }
  for (const text of NASTY) {
    writeFileSync(path, text);
    await answered(-1, async () => checkTasks(readStudy(path).study, workspace));
    await answered(-1, async () => planStudy(readStudy(path), workspace, { out: join(folder, "out") }));
  }
  const first = Number(process.env.MIXTUNE_FUZZ_FROM ?? 0);
  for (let seed = first; seed < first + NUM_FILES; seed++) {
    writeFileSync(path, mutatedStudy(files, new Rng(seed).fork("study")));
    await answered(seed, async () => checkTasks(readStudy(path).study, workspace));
    await answered(seed, async () => planStudy(readStudy(path), workspace, { out: join(folder, "out") }));
  }
  expect(faults).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(expect.arrayContaining(["rows.jsonl", "study.yaml", "test.jsonl"]));
}, 3_600_000);
