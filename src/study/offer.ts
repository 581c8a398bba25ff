/**
 * @file What may be offered for a task: the mixture that dev chooses, held against what anyone has for nothing. All on dev; test only reports.
 * In words: offer-words.ts.
 */

import { isTrainedOn } from "../specs/tasks.ts";
import { SIGNIFICANT } from "../stats/corrections.ts";
import { meanOfSeeds, pairedDifference } from "../stats/difference.ts";
import { type ModelItems, variedIngredients } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { type PairDifference, rowDifference } from "./pair-difference.ts";
import { detectableAfter, detectableWith } from "./power.ts";
import type { OfferVerdict } from "./report-data.ts";
import type { Row, StudyTable } from "./study-table.ts";

/** A row beside a baseline. */
export interface Standing extends Pick<PairDifference, "difference" | "low" | "high" | "pValue"> {
  /** `above` allows for the mixture's having been picked as the best of several (Bonferroni). */
  verdict: "above" | "below" | "level";
}

/** What dev says of the chosen mixture. */
export interface Offer {
  verdict: OfferVerdict;
  /** Index into the table's rows; the mixture that dev chooses. */
  row: number;
  /** Whether it is trained on the task, where that can be. */
  holdsTask: boolean;
  /** The one answer that it gives to every row. */
  oneAnswer?: string;
  /** False: its answers do not depend on the question, as far as dev shows. Absent where answers are no labels. */
  beatsGuessing?: boolean;
  majority?: Standing;
  ngram?: Standing;
  untuned?: Standing;
  /** A mixture that is not trained on the task and scores higher on dev. */
  outside?: number;
  numDev: number;
  /** The smallest difference of two mixtures that this dev split finds in four of five cases. */
  tellsApart: number;
}

/**
 * Mixtures of a model that may be chosen for a task: those that are trained on it; where none of these is scored, or the task is never trained on, all.
 * @param isScored  of an index into the rows
 */
export function candidateRows(
  rows: readonly Row[],
  model: string,
  task: string,
  lock: StudyLock,
  isScored: (row: number) => boolean,
): number[] {
  const all = [...rows.keys()].filter((i) => rows[i]!.kind === "mixture" && rows[i]!.model === model && isScored(i));
  const within = all.filter((i) => isHeld(rows[i]!, task, lock));
  return isTrainedOn(lock.study.tasks[task]) && within.length > 0 ? within : all;
}

/** Those of them whose items can be compared. */
export function comparable({ model, task, scores }: ModelItems, rows: readonly Row[], lock: StudyLock): number[] {
  return candidateRows(rows, model, task, lock, (row) => scores.has(row));
}

function isHeld(row: Row, task: string, lock: StudyLock): boolean {
  return variedIngredients(row, lock).includes(task);
}

/** Rows of a task's dev items that have learned something of it: not one answer to all, above the majority, and not by guessing. */
export function learnedRows(items: ModelItems, { rows }: StudyTable, lock: StudyLock): Set<number> {
  const candidates = comparable(items, rows, lock);
  const baselines = [...items.scores.keys()].filter((row) => rows[row]!.kind === "ngram" || rows[row]!.kind === "base");
  const isOk = (row: number, numPicked: number) => {
    const { oneAnswer, beatsGuessing, majority } = learned(items, row, rows, numPicked);
    return (
      oneAnswer === undefined && beatsGuessing !== false && (majority === undefined || majority.verdict === "above")
    );
  };
  return new Set([
    ...candidates.filter((row) => isOk(row, candidates.length)),
    ...baselines.filter((row) => isOk(row, 1)),
  ]);
}

function learned(
  items: ModelItems,
  row: number,
  rows: readonly Row[],
  numPicked: number,
): Pick<Offer, "oneAnswer" | "beatsGuessing" | "majority"> {
  const oneAnswer = items.oneAnswer.get(row);
  const parts = items.beyondGuessing.get(row);
  const found =
    parts &&
    pairedDifference(
      meanOfSeeds(parts),
      items.groups.map(() => 0),
      items.groups,
    );
  const beatsGuessing = found && found.difference > 0 && found.pValue * numPicked < SIGNIFICANT;
  const majority = standing(items, row, "majority", rows, numPicked);
  return {
    ...(oneAnswer !== undefined && { oneAnswer }),
    ...(beatsGuessing !== undefined && { beatsGuessing }),
    ...(majority && { majority }),
  };
}

function standing(
  items: ModelItems,
  row: number,
  kind: Row["kind"],
  rows: readonly Row[],
  numPicked: number,
): Standing | undefined {
  const other = [...items.scores.keys()].find((one) => rows[one]!.kind === kind);
  const found = other === undefined ? undefined : rowDifference(items, row, other, rows);
  if (found === undefined) return undefined;
  const { difference, low, high, pValue } = found;
  const isAbove = difference > 0 && pValue * numPicked < SIGNIFICANT;
  const verdict = isAbove ? "above" : difference < 0 && pValue < SIGNIFICANT ? "below" : "level";
  return { difference, low, high, pValue, verdict };
}

/**
 * @param items   of dev
 * @param chosen  the row that dev chooses
 */
export function offerOf(items: ModelItems, chosen: number, table: StudyTable, lock: StudyLock): Offer {
  const { rows } = table;
  const { task, model, groups } = items;
  const isScored = (row: number) => !Number.isNaN(rows[row]!.cells[task]!.dev.mean);
  const numPicked = candidateRows(rows, model, task, lock, isScored).length;
  const against = learned(items, chosen, rows, numPicked);
  const ngram = standing(items, chosen, "ngram", rows, numPicked);
  const untuned = standing(items, chosen, "base", rows, numPicked);
  const holdsTask = !isTrainedOn(lock.study.tasks[task]) || isHeld(rows[chosen]!, task, lock);
  const devOf = (row: number) => rows[row]!.cells[task]!.dev.mean;
  const higher = [...rows.keys()].filter(
    (i) => rows[i]!.kind === "mixture" && rows[i]!.model === model && devOf(i) > devOf(chosen),
  );
  const outside = higher.toSorted((a, b) => devOf(b) - devOf(a))[0];
  const measured = detectableAfter(items, comparable(items, rows, lock), lock.study.seeds.length);
  const numDev = groups.length > 0 ? items.ids.length : rows[chosen]!.cells[task]!.dev.n;
  const offer = {
    row: chosen,
    holdsTask,
    ...against,
    ...(ngram && { ngram }),
    ...(untuned && { untuned }),
    ...(outside !== undefined && { outside }),
    numDev,
    tellsApart: measured > 0 ? measured : detectableWith(numDev),
  };
  return { ...offer, verdict: verdictOf(offer, learnedRows(items, table, lock), rows) };
}

function verdictOf(
  { row, majority, ngram, untuned }: Omit<Offer, "verdict">,
  good: ReadonlySet<number>,
  rows: readonly Row[],
): OfferVerdict {
  const isGood = (kind: Row["kind"]) => [...good].some((one) => rows[one]!.kind === kind);
  if (!good.has(row))
    return isGood("ngram")
      ? "ngram"
      : majority === undefined && ngram === undefined && untuned === undefined
        ? "unchecked"
        : "nothing";
  if (ngram?.verdict === "below") return "ngram";
  if (untuned !== undefined && untuned.verdict !== "above" && isGood("base")) return "untuned";
  if (ngram?.verdict === "level" && isGood("ngram")) return "either";
  return majority === undefined && ngram === undefined && untuned === undefined ? "unchecked" : "mixture";
}
