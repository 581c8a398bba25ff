/**
 * @file Of a predictions file the scores of every item and the labels that it was given, and nothing else: what an analysis of many runs reads. As a
 * file beside the predictions it is an index that is made again from them whenever it is not of just their bytes.
 *
 *     predictions/<task>.<split>.index.jsonl
 *       {"format":2,"predictions":sha256 of them,"rest":sha256 of the three lines below}
 *       {"ids":[n],"groups":[n]}                                                            the same text in all runs that answered the same items
 *       {"<score>":[n], …}                                                                  null: the item has none of that name
 *       {"names":[K],"gold":[n],"given":[n]}                                                labels, numbers into names; null where answers are none
 */

import { sha256 } from "../base/digest.ts";
import { isLabelScoring } from "../specs/metrics.ts";
import type { Prediction } from "./types.ts";

/** Items in the order of their ids. */
export interface ItemList {
  /** [n] */
  ids: readonly string[];
  /** [n] the group of each item. */
  groups: readonly string[];
}

/** The items of a task's split and their scores under one run, in the order of their ids. */
export interface ItemScores extends ItemList {
  /** By name [n]; NaN where an item has no such score. */
  scores: Readonly<Record<string, readonly number[]>>;
  /** Absent where answers are no labels. */
  labels?: GivenLabels;
}

/** Labels by number. */
export interface GivenLabels {
  /** [K] those that are gold or were given somewhere. */
  names: readonly string[];
  /** [n] indices into names. */
  gold: readonly number[];
  /** [n] as the first reading found them; K: none (unparsed). */
  given: readonly number[];
}

/** Lists of items by their text in an index: those of many runs are equal, and read once. */
export type KnownItems = Map<string, ItemList>;

/**
 * What an index holds of predictions. A score that is not finite is none, as predictions keep it.
 * @param read  finds the label in an answer; default: the one that was kept, of the first reading
 */
export function itemScoresOf(
  predictions: readonly Prediction[],
  read: (one: Prediction) => string | null = ({ parsed }) => parsed,
): ItemScores {
  const sorted = predictions.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const names = new Set<string>();
  for (const { scores } of sorted) for (const name in scores) if (Number.isFinite(scores[name])) names.add(name);
  const finite = (score = Number.NaN) => (Number.isFinite(score) ? score : Number.NaN);
  return {
    ids: sorted.map(({ id }) => id),
    groups: sorted.map(({ group }) => group),
    scores: Object.fromEntries(
      [...names].sort().map((name) => [name, sorted.map(({ scores }) => finite(scores[name]))]),
    ),
    ...([...names].some(isLabelScoring) && { labels: labelsOf(sorted, read) }),
  };
}

function labelsOf(predictions: readonly Prediction[], read: (one: Prediction) => string | null): GivenLabels {
  const found = predictions.map(read);
  const names = [
    ...new Set([...predictions.map(({ gold }) => gold), ...found.filter((label) => label !== null)]),
  ].sort();
  const numbers = new Map(names.map((name, k) => [name, k]));
  return {
    names,
    gold: predictions.map(({ gold }) => numbers.get(gold)!),
    given: found.map((label) => (label === null ? names.length : numbers.get(label)!)),
  };
}

/** The text of an index. @param predictions  SHA-256 of the predictions file */
export function formatItemIndex({ ids, groups, scores, labels }: ItemScores, predictions: string): string {
  const rest = `${JSON.stringify({ ids, groups })}\n${JSON.stringify(scores)}\n${JSON.stringify(labels ?? null)}\n`;
  return `${headOf(predictions, rest)}\n${rest}`;
}

/**
 * Reads an index; undefined where it is damaged, or of other predictions than those of this digest.
 * @param known  is added to
 */
export function parseItemIndex(index: Buffer, predictions: string, known: KnownItems): ItemScores | undefined {
  const end = index.indexOf("\n");
  const rest = index.subarray(end + 1);
  if (index.toString("utf8", 0, Math.max(0, end)) !== headOf(predictions, rest)) return undefined;
  const [itemsText = "", scoresText = "", labelsText = ""] = rest.toString("utf8").split("\n");
  try {
    const items = known.get(itemsText) ?? checkedItems(JSON.parse(itemsText));
    known.set(itemsText, items);
    const numItems = items.ids.length;
    const scores = checkedScores(JSON.parse(scoresText), numItems);
    const labels = checkedLabels(JSON.parse(labelsText), numItems);
    return { ...items, scores, ...(labels && { labels }) };
  } catch {
    return undefined; // whole, but none that this project wrote
  }
}

function headOf(predictions: string, rest: string | Uint8Array): string {
  return JSON.stringify({ format: 2, predictions, rest: sha256(rest) });
}

function checkedItems({ ids, groups }: ItemList): ItemList {
  const isText = (value: unknown) => typeof value === "string";
  if (ids.length !== groups.length || !ids.every(isText) || !groups.every(isText)) throw new TypeError("no items");
  return { ids, groups };
}

function checkedScores(scores: Record<string, (number | null)[]>, numItems: number): ItemScores["scores"] {
  return Object.fromEntries(
    Object.entries(scores).map(([name, values]) => {
      const isScores = values.length === numItems && values.every((one) => one === null || typeof one === "number");
      if (!isScores) throw new TypeError("no scores");
      return [name, values.includes(null) ? values.map((one) => one ?? Number.NaN) : (values as number[])];
    }),
  );
}

function checkedLabels(labels: GivenLabels | null, numItems: number): GivenLabels | undefined {
  if (labels === null) return undefined;
  const { names, gold, given } = labels;
  const areNumbers = (values: readonly unknown[], most: number) =>
    values.length === numItems &&
    values.every((one) => Number.isInteger(one) && Number(one) >= 0 && Number(one) <= most);
  const isText = (value: unknown) => typeof value === "string";
  if (!names.every(isText) || !areNumbers(gold, names.length - 1) || !areNumbers(given, names.length))
    throw new TypeError("no labels");
  return labels;
}
