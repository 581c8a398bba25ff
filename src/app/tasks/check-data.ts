/** @file Everything that can be said of tasks' data before a run: contracts, lengths under each model, what stands in two places. */

import { MixtuneError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import {
  brokenBy,
  type Finding,
  findingsOf,
  mislabelledCopies,
  nothingLeft,
  publishedFindings,
  type SplitFacts,
  splitFacts,
  type TokenFacts,
  tokenFacts,
  tokenFindings,
} from "../../data/checks/contracts.ts";
import {
  type AllowedOverlap,
  findLeaks,
  type Leak,
  leakDetail,
  leaksByPair,
  textOf,
} from "../../data/checks/leakage.ts";
import { findOverlaps, type Overlap } from "../../data/checks/near-duplicates.ts";
import { type LoadSettings, loadTask } from "../../data/load-task.ts";
import { drawShots, lengthWithShots, SHOT_SEED, withShots } from "../../data/tokens/few-shot.ts";
import { templateNotes } from "../../data/tokens/prepare.ts";
import type { Example, LoadedTask, OverlappingRow } from "../../data/types.ts";
import { confusionCells, countCells } from "../../metrics/confusion.ts";
import { LABEL_METRICS } from "../../metrics/label-metrics.ts";
import { isLabelMetric } from "../../specs/metrics.ts";
import { mayOverlap } from "../../specs/tasks.ts";
import type { Split, TaskSpec } from "../../specs/types.ts";
import { textOfFolder } from "./ingredients.ts";

export type { Finding, Overlap, SplitFacts, TokenFacts };

/** What is to be checked. */
export interface CheckRequest {
  specs: Record<string, TaskSpec>;
  settings: LoadSettings;
  /** Tasks that are tested; the others are only mixed in, and their test splits do not matter. */
  scored: readonly string[];
  /** Whether the tasks are of one study; if not, what one trains on and another tests is only a warning. */
  isStudy: boolean;
  allowed: readonly AllowedOverlap[];
  /** By model name: folder with tokenizer and template. */
  modelDirs: Record<string, string>;
  /** Most tokens of an example: the study's, which the facts are of, and those of its factors. */
  cutoffLens: readonly [number, ...number[]];
  /** Splits that are scored. */
  evalSplits: readonly Split[];
  /** Numbers of examples that are shown before a question by few_shot. */
  shotCounts: readonly number[];
  /** Told what is being looked at. */
  progress(what: string): void;
}

/** Names as in the JSON that is printed. */
export interface CheckReport {
  ok: boolean;
  tasks: CheckedTask[];
  /** Texts in two places, over all splits. */
  overlaps: Overlap[];
  /** Every training row that a test split has too, of those that are not left out. */
  leaks: (OverlappingRow & { task: string })[];
  /** Of tasks with one another. */
  findings: Finding[];
}

export interface CheckedTask {
  name: string;
  answer?: string;
  metric?: string;
  licence?: string;
  source?: string;
  splits: SplitFacts[];
  /** By model. */
  tokens: Record<string, TokenFacts[]>;
  findings: Finding[];
  notes: string[];
  /** Every row that on_overlap: drop leaves out. */
  left_out: OverlappingRow[];
}

const SPLITS: readonly Split[] = ["train", "dev", "test"];

/** Checks tasks one by one and with one another. What cannot be loaded is a finding, so that all that is wrong is seen at once. */
export async function checkData(request: CheckRequest): Promise<CheckReport> {
  const loaded: LoadedTask[] = [];
  const tasks: CheckedTask[] = [];
  const settings = { ...request.settings, heldOut: new Map() };
  for (const [name, spec] of Object.entries(request.specs)) {
    request.progress(name);
    const task = await loadedOrFinding(spec, settings);
    if ("severity" in task) {
      tasks.push({ name, splits: [], tokens: {}, findings: [task], notes: [], left_out: [] });
      continue;
    }
    loaded.push(task);
    tasks.push(checkTask(task, spec, request));
  }
  request.progress("texts in two places");
  const overlaps = findOverlaps(textSets(loaded, request.scored));
  const leaks = findLeaks(loaded, request.scored);
  const findings = leakFindings(leaks, request);
  const all = [...findings, ...tasks.flatMap((task) => task.findings)];
  const ok = all.every(({ severity }) => severity !== "broken");
  const rows = leaks.map(({ train, test, by }) => ({
    ...{ task: train.task, row: train.id, held_out: `${test.task}/${test.id}`, by },
  }));
  return { ok, tasks, overlaps, leaks: rows, findings };
}

async function loadedOrFinding(spec: TaskSpec, settings: LoadSettings): Promise<LoadedTask | Finding> {
  try {
    return await loadTask(spec, settings);
  } catch (error) {
    if (error instanceof MixtuneError) return brokenBy(error);
    throw error;
  }
}

function checkTask(
  task: LoadedTask,
  spec: TaskSpec,
  { modelDirs, cutoffLens, shotCounts, scored, evalSplits }: CheckRequest,
): CheckedTask {
  const isScored = scored.includes(task.name);
  const present = SPLITS.filter((split) => task.splits[split].length > 0);
  const splits = present.map((split) => splitFacts(task, split, { scoreConstant: scorer(task) }));
  const findings = [...splits.flatMap((facts) => findingsOf(task, facts)), ...countFindings(task, spec)];
  const tokens: CheckedTask["tokens"] = {};
  const said: string[] = [];
  for (const [model, folder] of Object.entries(modelDirs)) {
    const text = textOfFolder(folder);
    const facts = (of: LoadedTask, splits: readonly Split[], cutoffLen: number): TokenFacts[] => {
      const positions = text.positions!(cutoffLen);
      const all = splits.map((split) => tokenFacts(of, split, text.tokenizer, text.template, cutoffLen, positions));
      for (const one of all) {
        findings.push(...tokenFindings(of, one, spec.on_bad_row === "skip", { name: model, positions }));
        said.push(...one.notes);
      }
      return all;
    };
    for (const split of present) said.push(...templateNotes(task, split, text.template));
    try {
      const [cutoffLen, ...others] = cutoffLens;
      tokens[model] = facts(task, present, cutoffLen);
      for (const other of others) facts(task, present, other);
      for (const split of spec.data === undefined ? [] : usedSplits(task, isScored ? evalSplits : [])) {
        const { too_long = [], refused = [] } = tokens[model].find((one) => one.split === split) ?? {};
        if (task.splits[split].length === too_long.length + refused.length && spec.on_bad_row === "skip")
          findings.push({ severity: "broken", ...nothingLeft(task.name, split) });
      }
      const asked = isScored ? present.filter((split) => split !== "train") : [];
      for (const shots of isScored ? shotCounts : [])
        facts(withShots(task, drawShots(task, shots, SHOT_SEED)), asked, lengthWithShots(cutoffLen, shots));
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      findings.push(brokenBy(error)); // labels that are the same tokens, too few examples to show
    }
  }
  const { name, metric, licence, source } = task;
  const notes = [...new Set([...task.notes, ...said])];
  const left_out = task.overlapping ?? [];
  return { name, answer: task.answer.kind, metric, licence, source, splits, tokens, findings, notes, left_out };
}

/** The splits that a study uses. @param scored  those that are scored */
function usedSplits({ isEvaluationOnly }: LoadedTask, scored: readonly Split[]): Split[] {
  return isEvaluationOnly ? [...scored] : ["train", ...scored];
}

/** Against published counts: a catalogue task's own, and for a person's labels those of all. */
function countFindings(task: LoadedTask, spec: TaskSpec): Finding[] {
  if (spec.data !== undefined || spec.texts_of !== undefined) return mislabelledCopies(task, KNOWN);
  const definition = CATALOGUE[spec.catalogue ?? spec.name];
  if (definition?.published === undefined) return [];
  const [first] = Object.keys(definition.variants ?? {});
  return spec.variant === undefined || spec.variant === first ? publishedFindings(task, definition.published) : [];
}

const KNOWN = Object.values(CATALOGUE).flatMap(({ name, published }) =>
  published === undefined ? [] : [{ name, published }],
);

/** The task's metric of one label for everything; NaN for answers that are no labels. */
function scorer({ answer, metric }: LoadedTask): (examples: readonly Example[], constant: string) => number {
  return (examples, constant) => {
    if (
      answer.kind !== "label" ||
      !isLabelMetric(metric) ||
      examples.some((example) => !answer.labels.includes(example.answer))
    )
      return Number.NaN;
    const verdicts = examples.map((example) => ({ gold: example.answer, pred: constant }));
    const cells = confusionCells(verdicts, answer.labels);
    return LABEL_METRICS[metric].aggregate(countCells(cells, cells.keys(), answer.labels.length));
  };
}

function textSets(tasks: readonly LoadedTask[], scored: readonly string[]) {
  return tasks.flatMap(({ name, splits }) =>
    SPLITS.filter((split) => split !== "test" || scored.includes(name)).map((split) => ({
      name: `${name}/${split}`,
      rows: splits[split].map((example) => ({ id: example.id, text: textOf(example) })),
    })),
  );
}

function leakFindings(all: readonly Leak[], { allowed, isStudy }: CheckRequest): Finding[] {
  return leaksByPair(all).map((leaks) => {
    const { train, test } = leaks[0]!;
    const passes = mayOverlap(allowed, train.task, test.task) || (!isStudy && train.task !== test.task);
    return { severity: passes ? "warning" : "broken", ...leakDetail(leaks) };
  });
}
