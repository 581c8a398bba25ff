/**
 * @file What is tested on and also trained on: equal texts, and equal groups (a report page, a customer) where tasks name their groups alike.
 * Refused by name at every run, unless the study allows it by name. Near-copies are near-duplicates.ts' business.
 */

import { DataError } from "../../base/errors.ts";
import { composed } from "../../base/unicode.ts";
import { mayOverlap } from "../../specs/tasks.ts";
import type { Split } from "../../specs/types.ts";
import { normalizeText } from "../splits/splits.ts";
import type { Example, LoadedTask, OverlappingRow } from "../types.ts";

/** Shorter texts coincide by chance ("gold prices steady") and say nothing about leakage. */
export const MIN_WORDS = 5;

/** When two texts are equal, for people. */
export const EQUALITY_RULE = `Texts are equal if they have the same words and numbers, at least ${MIN_WORDS}; case, punctuation, blanks and links do not count.`;

/** Letters of scripts that are written without blanks, where about two make a word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/** Words of a normalised text. */
function numWords(normal: string): number {
  return normal.split(" ").length + Math.floor((normal.match(UNSPACED)?.length ?? 0) / 2);
}

/** A training example whose text, or whose group, is one of a test split. */
export interface Leak {
  train: { task: string; id: string };
  test: { task: string; id: string };
  /** `text`, or what the group is: "report page". */
  by: string;
  /** The text or the group. */
  what: string;
}

/** Two tasks of which either's train may hold what the other tests; their order says nothing. */
export type AllowedOverlap = readonly [string, string];

export interface LeakOptions {
  /** Names of the tasks that are scored: the test split of data that is only mixed in does not matter. Default: all. */
  scored?: readonly string[];
  allowed?: readonly AllowedOverlap[];
}

/** A leak that the study allows: the task that is trained on, and a sentence for people. */
export interface AllowedLeak {
  task: string;
  sentence: string;
}

/** All training examples of the tasks whose text or group occurs in a test split of those that are scored; each once. */
export function findLeaks(
  tasks: readonly LoadedTask[],
  scored: readonly string[] = tasks.map(({ name }) => name),
): Leak[] {
  const tested: HeldOut = new Map();
  for (const task of tasks) if (scored.includes(task.name)) holdOut(task, ["test"], tested);
  const leaks: Leak[] = [];
  for (const task of tasks) {
    for (const example of task.splits.train) {
      const trace = traces(example, task).find(({ key }) => tested.has(key));
      if (trace === undefined) continue;
      const { key, by, what } = trace;
      leaks.push({ train: { task: task.name, id: example.id }, test: tested.get(key)!, by, what });
    }
  }
  return leaks;
}

/** Rows that are not to be trained on, by what they are known again by. */
export type HeldOut = Map<string, { task: string; id: string }>;

/** Adds what splits of a task hold out, unless it is held out already. */
export function holdOut(task: LoadedTask, splits: readonly Split[], held: HeldOut = new Map()): HeldOut {
  for (const split of splits) {
    for (const example of task.splits[split]) {
      for (const { key } of traces(example, task)) {
        if (!held.has(key)) held.set(key, { task: task.name, id: example.id });
      }
    }
  }
  return held;
}

/**
 * A task's training rows that nothing holds out, and its dev rows that no test holds out where dev is carved from the training file.
 * @param held  with test before dev
 * @returns a sentence on rows that are left out; undefined: there are none
 * @throws {DataError} all of a split is held out
 */
export function apartFrom(
  task: LoadedTask,
  held: readonly HeldOut[],
  isDevCarved: boolean,
): { train: Example[]; dev: Example[]; overlapping: OverlappingRow[]; sentence: string | undefined } {
  const { name, splits } = task;
  const overlapping: OverlappingRow[] = [];
  const numIn = new Map<string, number>();
  const isFree = (example: Example, split: "train" | "dev") => {
    for (const { key, by } of traces(example, task)) {
      const found = held.find((rows) => rows.has(key))?.get(key);
      const [of] = found?.id.split("#") ?? [];
      if (found === undefined || (split === "dev" && of === "dev")) continue;
      const place = `${by} in ${found.task}/${of}`;
      numIn.set(place, (numIn.get(place) ?? 0) + 1);
      overlapping.push({ row: example.id, held_out: `${found.task}/${found.id}`, by });
      return false;
    }
    return true;
  };
  const train = splits.train.filter((example) => isFree(example, "train"));
  const dev = isDevCarved ? splits.dev.filter((example) => isFree(example, "dev")) : splits.dev;
  const numLeftOut = overlapping.length;
  if (numLeftOut === 0) return { train, dev, overlapping, sentence: undefined };
  const places = [...numIn].map(([place, num]) => `${num} by their ${place}`).join(", ");
  if (train.length === 0 || (dev.length === 0 && splits.dev.length > 0)) {
    throw new DataError({
      place: `task ${name}: ${train.length === 0 ? "train" : "dev"}`,
      expected: "rows that no dev or test split of the study holds out",
      got: `none: ${places}`,
      remedy: "Give other training rows, or leave out on_overlap: drop (and group, if rows are left out by it).",
    });
  }
  const whole = isDevCarved ? "training and carved dev rows" : "training rows";
  const numRows = splits.train.length + (isDevCarved ? splits.dev.length : 0);
  const sentence = `${name}: ${numLeftOut} of ${numRows} ${whole} left out, as on_overlap: drop has it: ${places}. ${EQUALITY_RULE}`;
  return { train, dev, overlapping, sentence };
}

/**
 * Refuses tasks whose test is trained on.
 *
 * @returns what was found and is allowed
 * @throws {DataError} naming the first leak that is not allowed and how many there are between its two tasks
 */
export function refuseLeaks(tasks: readonly LoadedTask[], { scored, allowed = [] }: LeakOptions = {}): AllowedLeak[] {
  const passed: AllowedLeak[] = [];
  for (const leaks of leaksByPair(findLeaks(tasks, scored))) {
    const { train, test } = leaks[0]!;
    if (!mayOverlap(allowed, train.task, test.task)) throw new DataError(leakDetail(leaks));
    const sentence = `${train.task}: ${leaks.length} of its training examples are in the test split of ${test.task}, as allow_overlap lets them.`;
    passed.push({ task: train.task, sentence });
  }
  return passed;
}

/** What a person is told of the leaks from one task's train into one task's test. */
export function leakDetail(leaks: readonly Leak[]) {
  const [{ train, test, by, what }] = leaks as [Leak, ...Leak[]];
  const rule = by === "text" ? EQUALITY_RULE : `Remove group from ${train.task} if it only counts rows.`;
  return {
    place: `${train.task}/${train.id}`,
    expected: "nothing of a test split in any train split",
    got: `the ${by} of ${test.task}/${test.id}: "${what.slice(0, 60)}" (${leaks.length} such rows in all)`,
    remedy:
      `Set on_overlap: drop for ${train.task} to leave such rows out. allow_overlap: [[${train.task}, ${test.task}]] in the study file ` +
      `lets them pass, said with every run. ${rule} mixtune tasks check --json lists every row.`,
  };
}

/** The leaks by the task that is trained on and the task that is tested. */
export function leaksByPair(leaks: readonly Leak[]): Leak[][] {
  const pairs = new Map<string, Leak[]>();
  for (const leak of leaks) {
    const key = `${leak.train.task} ${leak.test.task}`;
    const pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, [leak]);
    else pair.push(leak);
  }
  return [...pairs.values()];
}

/** By what an example is known again: its text, and its group where the task names it rather than takes the text for it. */
function traces(example: Example, { name, unit }: LoadedTask): { key: string; by: string; what: string }[] {
  const text = textOf(example);
  const normal = normalizeText(text);
  const found = numWords(normal) < MIN_WORDS ? [] : [{ key: `text\n${normal}`, by: "text", what: text }];
  const group = composed(example.group);
  if (group === normal || group === composed(text)) return found;
  // A number says nothing outside its own task.
  const space = unit === undefined || /^\d+$/.test(group) ? `task ${name}` : `unit ${unit}`;
  return [...found, { key: `${space}\n${group}`, by: unit ?? "group", what: group }];
}

/** What of an example is compared with others: its own words, or the whole prompt, or a document. */
export function textOf({ text, prompt, answer }: Example): string {
  return text ?? (prompt === "" ? answer : prompt);
}
