/**
 * @file What makes a model learn, and what shows that one has not: the rules behind the notes of plan, run and report, and behind the settings that
 * init proposes. Each names the change to try.
 *
 * Rates follow one line a method in (log size, log rate), through settings that learn on `mixtune/tiny` (4.6 M weights; docs/LOG.md, recipes/demo.yaml)
 * and published ones for 7 B: LoRA 4e-3 to 2e-4 (QLoRA, arXiv 2305.14314, table 9), full 5e-4 to 2e-5 (alignment-handbook, zephyr-7b sft). For
 * SmolLM2-135M the line of LoRA gives 1e-3, which took it from 0.195 to 0.423 weighted F1 (docs/LOG.md). LoRA's rates are about ten times full
 * fine-tuning's at any size (Schulman, "LoRA Without Regret", 2025).
 */

import { existsSync } from "node:fs";
import { attempt } from "../base/attempt.ts";
import { readMetrics, readSpec, runPaths } from "../runs/run-dir.ts";
import type { MetricsLine } from "../runs/types.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { RunSpec, TrainSpec } from "../specs/types.ts";
import { mean } from "../stats/moments.ts";
import type { StudyLock } from "./lock-file.ts";
import type { LearningHint } from "./report-data.ts";
import type { StudyResults } from "./results.ts";
import { runDir } from "./scored.ts";
import type { Row } from "./study-table.ts";
import { listed, rowLabel } from "./words.ts";

/** A hint as people read it. */
export function hintText({ text, change }: LearningHint): string {
  return `${text} Try ${change.join(" ")}.`;
}

/** Below so many optimiser steps a model hardly moves: 11 left SmolLM2-135M below the majority, 63 did not (docs/LOG.md). */
const FEW_STEPS = 50;
/** Steps that a change aims at. */
const ENOUGH_STEPS = 100;
/** Smallest batches that are proposed: gradients of fewer examples are mostly noise. */
const LEAST_BATCH = { train_batch_size: 4, batch_tokens: 256 } as const;
/** Largest: LoRA loses more by large batches than full fine-tuning ("LoRA Without Regret"). */
const LARGEST_BATCH = { full: 32, lora: 16 } as const;
/** Models up to this size are tuned in full: all their weights fit where adapters fit. */
const SMALL_MODEL = 30e6;
/** A rate so many times above or below what suits is far from it: ten and twenty times below cost `mixtune/tiny` most of its gain (docs/LOG.md). */
const FAR = 10;
/** Share of the first fifth's mean loss above which the last fifth's has not fallen. */
const FALLEN = 0.98;

/** Learning rate that suits a method and a model of so many weights. */
export function suitedRate(method: TrainSpec["method"], parameters: number): number {
  const [tiny, large] = { lora: [4e-3, 2e-4], full: [5e-4, 2e-5] }[method] as [number, number];
  const share = Math.log(parameters / 4.6e6) / Math.log(7e9 / 4.6e6);
  return Number((tiny * (large / tiny) ** share).toPrecision(1));
}

/**
 * Settings that suit a model and its data.
 * @param parameters  weights of the model
 * @param rows  training rows of an epoch
 */
export function suitedTrain(
  parameters: number,
  rows: number,
): Pick<TrainSpec, "method" | "learning_rate" | "num_train_epochs"> & { train_batch_size: number } {
  const method = parameters <= SMALL_MODEL ? "full" : "lora";
  const least = LEAST_BATCH.train_batch_size;
  const num_train_epochs = Math.min(20, Math.max(3, Math.ceil((ENOUGH_STEPS * least) / rows)));
  const size = 2 ** Math.floor(Math.log2(Math.max(least, (rows * num_train_epochs) / ENOUGH_STEPS)));
  return {
    method,
    learning_rate: suitedRate(method, parameters),
    num_train_epochs,
    train_batch_size: Math.min(LARGEST_BATCH[method], size),
  };
}

/** What of a run decides whether it can learn. */
export interface RunSettings {
  train: TrainSpec;
  /** Optimiser steps; NaN where a service decides. */
  steps: number;
  /** Weights of its model; undefined where it is somebody else's. */
  parameters?: number | undefined;
}

/** Of a run of a study; none where another mixture's budget decides its steps: that mixture is a run too. */
export function settingsOf(
  { train, model, worker }: RunSpec,
  steps: number,
  { study, parameters }: StudyLock,
): RunSettings[] {
  const isMatched = study.budget.match.some((match) => match !== "none") && train.max_steps !== study.train.max_steps;
  const own = worker.kind === "hosted" ? { steps: Number.NaN } : { steps, parameters: parameters?.[model.name] };
  return isMatched ? [] : [{ train, ...own }];
}

/** Settings of runs that cannot learn, before or after they ran; several runs in a hint where they have the same trouble. */
export function settingHints(runs: readonly RunSettings[]): LearningHint[] {
  const short = runs.filter(({ steps }) => steps < FEW_STEPS);
  const fewest = short.toSorted((a, b) => a.steps - b.steps)[0];
  const rates = new Map(
    runs.flatMap((run) => {
      const hint = rateHint(run);
      return hint === undefined ? [] : [[hint.text, hint] as const];
    }),
  );
  const hints = [...rates.values()];
  if (fewest === undefined) return hints;
  const range = [...new Set([fewest.steps, Math.max(...short.map(({ steps }) => steps))])].join(" to ");
  const who = runs.length === 1 ? "The run takes" : `${short.length} of ${runs.length} runs take`;
  const text = `${who} ${range} optimiser steps: fewer than ${FEW_STEPS} are hardly enough to learn.`;
  return [{ text, change: moreSteps(fewest, ENOUGH_STEPS / fewest.steps) }, ...hints];
}

function rateHint({ train, parameters }: RunSettings): LearningHint | undefined {
  if (parameters === undefined || train.init === "random") return undefined;
  const { method, learning_rate: rate } = train;
  const suited = suitedRate(method, parameters);
  const times = Math.max(rate / suited, suited / rate);
  if (times < FAR * (1 - 1e-9)) return undefined;
  const size = parameters < 1e9 ? `${(parameters / 1e6).toPrecision(2)} M` : `${(parameters / 1e9).toPrecision(2)} B`;
  const what = `${rateText(rate)} is ${times.toFixed(0)} times ${rate < suited ? "below" : "above"}`;
  const text = `train.learning_rate ${what} what suits method ${method} and ${size} weights.`;
  return { text, change: [`train.learning_rate=${rateText(suited)}`] };
}

/** As people write rates: 2e-4. */
function rateText(rate: number): string {
  return rate.toExponential().replace("e+", "e");
}

/** About so many times the steps: by smaller batches, and by more epochs where these would be too small. */
function moreSteps({ train, steps }: RunSettings, times: number): string[] {
  if (train.max_steps !== null && train.max_steps === steps) return [`train.max_steps=${Math.ceil(steps * times)}`];
  const key = train.batch_tokens === null ? "train_batch_size" : "batch_tokens";
  const size = train[key]!;
  const smaller = Math.max(Math.min(size, LEAST_BATCH[key]), Math.floor(size / times));
  const left = times / (size / smaller);
  const epochs = Math.ceil(train.num_train_epochs * left - 0.05);
  return [
    ...(smaller < size ? [`train.${key}=${smaller}`] : []),
    ...(epochs > train.num_train_epochs ? [`train.num_train_epochs=${epochs}`] : []),
  ];
}

/** Rows that are named in a hint. */
const MAX_NAMED = 3;

/** What finished runs show: settings that could not learn, losses that did not fall, models no better than what needs no training. */
export function learningHints(results: StudyResults): LearningHint[] {
  const { dir, lock, table } = results;
  const trained = table.rows.flatMap((row) => {
    const runs = row.kind === "mixture" ? row.runs.flatMap((id) => trainedRun(dir, id, lock)) : [];
    return runs.length === 0 ? [] : [{ row, runs }];
  });
  const hints = settingHints(trained.flatMap(({ runs }) => runs));
  const troubles = new Map<string, { names: string[]; change: string[] }>();
  const found = (trouble: string, name: string, change: string[]) => {
    const known = troubles.get(trouble) ?? { names: [], change };
    known.names.push(name);
    troubles.set(trouble, known);
  };
  for (const { row, runs } of trained) {
    const [first] = runs as [TrainedRun];
    const fall = mean(runs.map(({ fall }) => fall));
    const change = changeAfter(first, fall);
    if (fall > FALLEN) found("the training loss did not fall", rowLabel(row), change);
    for (const { name } of table.tasks) {
      const trouble = isTrainedOn(lock.study.tasks[name]) ? troubleOf(results, row, name) : undefined;
      if (trouble !== undefined) found(`on ${name} ${trouble}`, rowLabel(row), change);
    }
  }
  const outcomes = [...troubles].map(([trouble, { names, change }]): LearningHint => {
    const more = names.length > MAX_NAMED ? [`${names.length - MAX_NAMED} more`] : [];
    return { text: `${listed([...names.slice(0, MAX_NAMED), ...more])}: ${trouble}.`, change };
  });
  return [...hints, ...outcomes];
}

/** @property fall  mean loss of the last fifth of the steps, as a share of the first fifth's; NaN of fewer than five steps */
interface TrainedRun extends RunSettings {
  fall: number;
}

function trainedRun(studyDir: string, id: string, lock: StudyLock): TrainedRun[] {
  const dir = runDir(studyDir, id);
  if (!existsSync(runPaths.metrics(dir))) return [];
  const read = attempt(() => ({ lines: readMetrics(dir), spec: readSpec(dir) }));
  if (read === undefined || read.lines.length === 0) return [];
  const fall = fallOf(read.lines);
  return settingsOf(read.spec, read.lines.length, lock).map((settings) => ({ ...settings, fall }));
}

function fallOf(lines: readonly MetricsLine[]): number {
  const fifth = Math.floor(lines.length / 5);
  const meanOf = (part: readonly MetricsLine[]) => mean(part.map(({ loss }) => loss));
  return fifth === 0 ? Number.NaN : meanOf(lines.slice(-fifth)) / meanOf(lines.slice(0, fifth));
}

/** What to try after a run that did not learn. */
function changeAfter(run: TrainedRun, fall: number): string[] {
  const hints = settingHints([run]).flatMap(({ change }) => change);
  if (hints.length > 0) return hints;
  if (fall > 1 / FALLEN)
    return [`train.learning_rate=${rateText(Number((run.train.learning_rate / 3).toPrecision(1)))}`];
  if (Number.isNaN(run.steps)) return [`train.num_train_epochs=${Math.ceil(2 * run.train.num_train_epochs)}`];
  return moreSteps(run, 2);
}

/** Why a row is no better on a task than what needs no training, by dev where that is scored; undefined: it is. */
function troubleOf({ lock, table, read }: StudyResults, row: Row, task: string): string | undefined {
  const { ingredients } = lock.runs.find(({ id }) => id === row.runs[0])!.mixture;
  if (ingredients[task] === undefined) return undefined;
  const split = row.cells[task]!.dev.n > 0 ? "dev" : "test";
  const cell = row.cells[task]![split];
  const tops = row.runs.map((id) => read("run", id).scores?.tasks[task]?.[split]?.top_answer);
  const [top] = tops;
  if (top !== undefined && tops.every((one) => one?.label === top.label && one.given === cell.n)) {
    return `every answer is ${top.label}`;
  }
  const below = (kind: Row["kind"], margin: (value: number, n: number) => number) => {
    const other = table.rows.find((one) => one.kind === kind && (one.model ?? row.model) === row.model);
    const value = other?.cells[task]?.[split].mean ?? Number.NaN;
    return cell.mean < value + margin(value, cell.n);
  };
  if (below("base", (value, n) => -standardError(value, n))) return "the model is worse than before training";
  if (below("majority", standardError)) return "the model is no better than always giving the most frequent answer";
  return undefined;
}

/** Of a share of n examples; of other values 0. */
function standardError(value: number, n: number): number {
  return value > 0 && value < 1 ? Math.sqrt((value * (1 - value)) / n) : 0;
}
