/** @file A study directory as it would lie there after all runs, with answers drawn from given chances: for what reads studies. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rng } from "../../src/base/rng.ts";
import { SCORERS } from "../../src/eval/score-answers.ts";
import { formatJsonl } from "../../src/formats/jsonl.ts";
import { confusionCells, countCells } from "../../src/metrics/confusion.ts";
import { LABEL_METRICS } from "../../src/metrics/label-metrics.ts";
import {
  openRunDir,
  runPaths,
  writePredictions,
  writeReceipt,
  writeScores,
  writeSpec,
  writeStatus,
} from "../../src/runs/run-dir.ts";
import type { MetricsLine, Scores } from "../../src/runs/types.ts";
import { runId } from "../../src/specs/run-id.ts";
import { parseStudy } from "../../src/specs/study-file.ts";
import type { LabelMetricName, MixtureSpec, RunSpec } from "../../src/specs/types.ts";
import { designedMixtures } from "../../src/study/designs.ts";
import { appendLedger } from "../../src/study/ledger.ts";
import { type LockedRun, type StudyLock, writeStudyLock } from "../../src/study/lock-file.ts";
import { baselineDir, runDir } from "../../src/study/scored.ts";

export interface RecordedStudy {
  /** Of the catalogue or not: nothing is loaded. */
  tasks: readonly string[];
  /** Tasks that are scored and not trained on. */
  evaluatedOnly?: readonly string[];
  models?: readonly string[];
  design: string;
  seeds: readonly number[];
  numItems: number;
  /** Of dev; default: as many. */
  numDevItems?: number;
  /** Steps of each run's log; default 3. */
  numSteps?: number;
  /** Chance of a right answer. No mixture: the untuned model. */
  chance(task: string, mixture: MixtureSpec | undefined): number;
  /** Metric of all tasks; default accuracy. */
  metric?: LabelMetricName;
  /** Labels by how often each is gold; default yes and no alike. */
  labels?: Readonly<Record<string, number>>;
  /** The one label that a mixture or the untuned model gives to every item; default: none. */
  constant?(task: string, mixture: MixtureSpec | undefined): string | undefined;
  /** Chance of a right answer of the n-gram baseline; default: there is none. */
  ngram?(task: string): number;
  /** Of all draws; default 0. */
  seed?: number;
  /** Standard deviation of that chance over seeds. */
  spread?: number;
}

const SPLITS = ["dev", "test"] as const;

/** Writes it; items of a task are the same for all, and harder ones are hard for all. */
export function recordStudy(dir: string, study: RecordedStudy): StudyLock {
  const { tasks, evaluatedOnly = [], models = ["m/m"], seeds, metric = "accuracy", labels = { yes: 1, no: 1 } } = study;
  const words = Object.keys(labels);
  const names = [...tasks, ...evaluatedOnly];
  const text = `name: recorded\nmodels: [${models.join(", ")}]\ntasks: {${names.map((name) => `${name}: {data: {train: x.jsonl}, answer: {kind: label, field: a, labels: [${words.join(", ")}]}, metric: ${metric}, prompt: "{t}"}`).join(", ")}}\ndesign: ${study.design}\nseeds: [${seeds.join(", ")}]\neval: {scoring: [constrained]}\n`;
  const spec = parseStudy(text, join(dir, "study.yaml"), { assignments: [], cwd: dir });
  for (const name of evaluatedOnly) spec.tasks[name]!.evaluation_only = true;
  const identity = (name: string) => ({ name, weights_digest: name, tokenizer_digest: "t", template_digest: "t" });
  const mixtures = designedMixtures(spec.design, tasks);
  const runs = models.flatMap((model) =>
    mixtures.flatMap(({ name, ingredients }) =>
      seeds.map((seed): { locked: LockedRun; spec: RunSpec } => {
        const mixture = { name, ingredients };
        const data = Object.fromEntries(
          Object.keys(ingredients).map((one) => [one, { rows_digest: one, num_train: 9 }]),
        );
        const worker = { kind: "local", threads: 1 } as const;
        const run: RunSpec = { format: 1, model: identity(model), mixture, data, train: spec.train, seed, worker };
        return { locked: { id: runId(run), model, mixture, seed, factors: {} }, spec: run };
      }),
    ),
  );
  const digests = { train: "", dev: "", test: "" };
  const sizes = { dev: study.numDevItems ?? study.numItems, test: study.numItems };
  const num_examples = { train: 9, ...sizes };
  const lock: StudyLock = {
    format: 1,
    mixtune: "0.1.0",
    study: spec,
    tasks: Object.fromEntries(
      names.map((name) => [name, { metric, licence: "none", source: "drawn", num_examples, digests }]),
    ),
    models: Object.fromEntries(models.map((model) => [model, identity(model)])),
    worker: { kind: "local", threads: 1 },
    runs: runs.map(({ locked }) => locked),
    baselines: [
      { id: "majority", kind: "majority" },
      ...(study.ngram ? [{ id: "ngram", kind: "ngram" as const }] : []),
      ...models.map((model, i) => ({ id: `base-${i}`, kind: "base" as const, model })),
    ],
  };
  mkdirSync(dir, { recursive: true });
  writeStudyLock(dir, lock);
  const rngOf = (...key: [string, ...string[]]) =>
    study.seed === undefined ? new Rng(...key) : new Rng(study.seed, ...key);
  /** One answer in turn, each as often as its share: yes, no, yes, no. */
  const inTurn = Object.entries(labels).flatMap(([label, times]) => Array<string>(times).fill(label));
  const goldOf = (i: number) => inTurn[i % inTurn.length]!;
  const [mostFrequent] = words.toSorted((x, y) => labels[y]! - labels[x]!);
  interface Answerer {
    chance(task: string): number;
    constant(task: string): string | undefined;
    spread: number;
  }
  const draw = (folder: string, key: readonly [string, ...string[]], { chance, constant, spread }: Answerer) => {
    openRunDir(folder);
    const scores: Scores = { tasks: {} };
    for (const task of names) {
      for (const split of SPLITS) {
        const rng = rngOf(...key, task, split);
        const right = chance(task) + spread * normal(rng.fork("seed"));
        const only = constant(task);
        const items = rngOf(task, split);
        const answers = Array.from({ length: sizes[split] }, (_, i) => {
          const gold = goldOf(i);
          const hardness = 0.7 * items.float() + 0.3 * rng.float();
          const others = words.filter((label) => label !== gold);
          const other = others.length === 1 ? others[0]! : rng.fork(`other ${i}`).pick(others);
          const given = only ?? (uniformRank(hardness) < right ? gold : other);
          const isRight = Number(given === gold);
          const scores = { accuracy: isRight, constrained: isRight };
          return { id: `${split}#${i}`, prompt_digest: "p", gold, output: given, parsed: given, scores, group: `${i}` };
        });
        writePredictions(folder, task, split, answers);
        const verdicts = answers.map(({ gold, parsed }) => ({ gold, pred: parsed }));
        const cells = confusionCells(verdicts, words);
        const confusion = countCells(cells, cells.keys(), words.length);
        const valueUnder = (name: LabelMetricName) => ({ value: LABEL_METRICS[name].aggregate(confusion) });
        const metrics = Object.fromEntries(
          [...new Set([metric, "accuracy" as const])]
            .map((name) => [name, valueUnder(name)] as const)
            .filter(([, { value }]) => !Number.isNaN(value)),
        );
        const judged = {
          n: sizes[split],
          n_groups: sizes[split],
          metrics,
          scoring: { constrained: metrics },
          scorers: SCORERS,
        };
        scores.tasks[task] = { ...scores.tasks[task], [split]: judged };
      }
    }
    writeScores(folder, scores);
    writeStatus(folder, { state: "done" });
  };
  const model = (mixture: MixtureSpec | undefined): Answerer => ({
    chance: (task) => study.chance(task, mixture),
    constant: (task) => study.constant?.(task, mixture),
    spread: mixture === undefined ? 0 : (study.spread ?? 0),
  });
  const never = { constant: () => undefined, spread: 0 };
  draw(baselineDir(dir, "majority"), ["majority"], { ...model(undefined), constant: () => mostFrequent });
  if (study.ngram) draw(baselineDir(dir, "ngram"), ["ngram"], { ...never, chance: study.ngram });
  models.forEach((name, i) => {
    draw(baselineDir(dir, `base-${i}`), name.split("/") as [string, ...string[]], model(undefined));
  });
  for (const { locked, spec: run } of runs) {
    const folder = runDir(dir, locked.id);
    draw(folder, [locked.id], model(locked.mixture));
    writeSpec(folder, { ...run, train: { ...run.train, keep: "none" } }); // no weights are here
    const cost = { tokens: 1000, flops: 1e9, seconds: 1, peak_memory_bytes: 1e9 };
    const host = { platform: "linux", cpu: "x", cores: 2, memory_bytes: 1e9 };
    writeReceipt(folder, { versions: { mixtune: "0.1.0" }, host, seed: run.seed, threads: 1, cost });
    const metrics = Array.from({ length: study.numSteps ?? 3 }, (_, k): MetricsLine => {
      const step = k + 1;
      const loss_per_task = Object.fromEntries(Object.keys(run.mixture.ingredients).map((name) => [name, 1 / step]));
      return { step, loss: 1 / step, loss_per_task, grad_norm: 1, learning_rate: 1, tokens: 9, seconds: 1 };
    });
    writeFileSync(runPaths.metrics(folder), formatJsonl(metrics));
    appendLedger(dir, () => 0, { event: "finished", run: locked.id });
  }
  return lock;
}

function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.float())) * Math.cos(2 * Math.PI * rng.float());
}

/** The share of sums 0.7 U + 0.3 V that are below x: makes ranks uniform again. */
function uniformRank(x: number): number {
  const [a, b] = [0.3, 0.7];
  if (x < a) return x ** 2 / (2 * a * b);
  if (x < b) return (x - a / 2) / b;
  return 1 - (1 - x) ** 2 / (2 * a * b);
}
