/** @file What the finished runs of a study say to do: the mixture to take for each task, and which runs to add. Choices are made on dev only. */

import { attempt } from "../base/attempt.ts";
import { readReceipt } from "../runs/run-dir.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { Amount, DesignPart, MetricName } from "../specs/types.ts";
import { mean } from "../stats/moments.ts";
import { bestOfTask } from "./comparisons.ts";
import { type ModelItems, studyItems } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { learnedRows, type Offer, offerOf } from "./offer.ts";
import { offerText } from "./offer-words.ts";
import type { StudyResults } from "./results.ts";
import { type Rival, rivalOf } from "./rival.ts";
import { runDir } from "./scored.ts";
import type { StudyTable } from "./study-table.ts";
import { keyOf, type UntriedMixtures, untriedOf } from "./untried.ts";
import { rowLabel } from "./words.ts";

/** The mixture that dev chooses. */
export interface BestMixture {
  name: string;
  /** The task's own metric on dev, mean over seeds. */
  dev: number;
  numSeeds: number;
  /** Of being the best of the mixtures that may be chosen, on dev; absent where it cannot be told. */
  chance?: number;
  /** Of training and scoring one run, mean over seeds. */
  cost?: { seconds: number; tokens: number };
}

/** What to do for a task under a model. */
export interface TaskAdvice extends UntriedMixtures {
  task: string;
  model: string;
  metric: MetricName;
  /** What to take, and what that is held against. */
  offer: Offer;
  /** The same in words. */
  text: string;
  best: BestMixture;
  rival?: Rival;
}

/** A mixture to add, for which tasks. */
export interface AddedMixture {
  name: string;
  ingredients: string[];
  tasks: string[];
}

export interface Advice {
  name: string;
  numRuns: number;
  numDone: number;
  tasks: TaskAdvice[];
  /** Tasks without a dev score. */
  unscored: string[];
  add: {
    mixtures: AddedMixture[];
    /** All that the study should then have; absent: those it has. */
    seeds?: number[];
    numRuns: number;
    /** Keys for the study file in place of those there; empty where there is nothing to add. */
    yaml: string;
  };
}

/**
 * Reads what is done of a study and says what follows.
 *
 * Best is what dev chooses. To add: untried mixtures that promise a gain (untried.ts), and seeds where they would tell the best mixture from its
 * likeliest rival (rival.ts).
 */
export function recommend({ dir, lock, table, models, read }: StudyResults): Advice {
  const items = studyItems(table, models, lock, read, "dev");
  const isTarget = ({ task }: ModelItems) => isTrainedOn(lock.study.tasks[task]);
  const targets = items.filter(isTarget);
  const chosenFor = ({ model, task }: ModelItems) => table.chosen[model]?.[task];
  const tasks = targets.flatMap((one) => {
    const chosen = chosenFor(one);
    return chosen === undefined ? [] : [adviceOf(one, chosen, { dir, lock, table })];
  });
  const unscored = targets.filter((one) => chosenFor(one) === undefined).map(({ task }) => task);
  return {
    name: table.name,
    numRuns: table.numRuns,
    numDone: table.numDone,
    tasks,
    unscored: [...new Set(unscored)],
    add: addedBy(tasks, lock, table),
  };
}

interface Read {
  dir: string;
  lock: StudyLock;
  table: StudyTable;
}

function adviceOf(items: ModelItems, chosen: number, { dir, lock, table }: Read): TaskAdvice {
  const { task, model, metric } = items;
  const row = table.rows[chosen]!;
  const { chances } = bestOfTask(table, items, undefined, lock);
  const chance = chances.find((one) => one.row === chosen)?.chance;
  const cost = costOf(dir, row.runs);
  const best = {
    name: rowLabel(row),
    dev: row.cells[task]!.dev.mean,
    numSeeds: row.cells[task]!.dev.values.length,
    ...(chance === undefined ? {} : { chance }),
    ...(cost && { cost }),
  };
  const offer = offerOf(items, chosen, table, lock);
  const common = { task, model, metric, offer, text: offerText(offer, task, table), best };
  // of mixtures that nobody should take there is nothing to tell apart or foretell
  if (offer.verdict === "nothing" || offer.verdict === "ngram") return { ...common, numUntried: 0, untried: [] };
  const rival = rivalOf(items, chosen, chances, table, learnedRows(items, table, lock));
  return { ...common, ...(rival && { rival }), ...untriedOf(items, chosen, table, lock) };
}

function costOf(dir: string, runs: readonly string[]): BestMixture["cost"] {
  const costs = runs.flatMap((id) => attempt(() => readReceipt(runDir(dir, id)))?.cost ?? []);
  if (costs.length === 0) return undefined;
  return { seconds: mean(costs.map(({ seconds }) => seconds)), tokens: mean(costs.map(({ tokens }) => tokens)) };
}

function addedBy(tasks: readonly TaskAdvice[], lock: StudyLock, table: StudyTable): Advice["add"] {
  const mixtures = new Map<string, AddedMixture>();
  for (const { task, untried } of tasks) {
    for (const { name, ingredients } of untried.filter(({ isPromising }) => isPromising)) {
      const known = mixtures.get(keyOf(ingredients));
      if (known === undefined) mixtures.set(keyOf(ingredients), { name, ingredients, tasks: [task] });
      else if (!known.tasks.includes(task)) known.tasks.push(task);
    }
  }
  const { seeds, design } = lock.study;
  const needed = Math.max(0, ...tasks.map(({ rival }) => rival?.seedsNeeded ?? 0));
  const more = needed > seeds.length ? withMore(seeds, needed) : undefined;
  const numRows = table.rows.filter(({ kind }) => kind === "mixture" || kind === "control").length;
  const numArms = new Set(lock.runs.map(({ model, factors }) => JSON.stringify([model, factors]))).size;
  const numSeeds = more?.length ?? seeds.length;
  const added = [...mixtures.values()];
  const lines = [
    ...(added.length > 0 ? ["design:", ...design.map(partLine), ...added.map(mixtureLine)] : []),
    ...(more ? [`seeds: [${more.join(", ")}]`] : []),
  ];
  return {
    mixtures: added,
    ...(more && { seeds: more }),
    numRuns: numRows * (numSeeds - seeds.length) + added.length * numArms * numSeeds,
    yaml: lines.map((line) => `${line}\n`).join(""),
  };
}

/** The next whole numbers that are not among them. */
function withMore(seeds: readonly number[], needed: number): number[] {
  const all = [...seeds];
  for (let next = Math.max(...seeds) + 1; all.length < needed; next++) all.push(next);
  return all;
}

function partLine(part: DesignPart): string {
  return `  - ${typeof part === "string" ? part : JSON.stringify(part)}`;
}

function mixtureLine({ name, ingredients }: AddedMixture): string {
  const amounts: Record<string, Amount> = Object.fromEntries(ingredients.map((one) => [one, {}]));
  return `  - ${JSON.stringify({ name, tasks: amounts })}`;
}
