/** @file Copies of a dataset against its publication: as many rows as published, and no training row whose text is held out. */

import type { DataError } from "../../base/errors.ts";
import { groupOfText } from "../splits/splits.ts";
import { damaged } from "./damaged.ts";
import type { Numbered, SplitRecords } from "./definition.ts";

/** The rows, if they are as many as were published. @throws {DataError} a copy with more or fewer */
export function asPublished<T>(rows: readonly T[], published: number, place: string): readonly T[] {
  if (rows.length === published) return rows;
  throw damaged(place, `${published} rows, as published`, `${rows.length}`, "Fetch the whole file again.");
}

/**
 * Compares counts of a file with the published ones.
 * @param complaint  what is thrown where they differ: the copy lost or changed rows
 */
export function checkCounts(found: readonly number[], published: readonly number[], complaint: () => DataError): void {
  if (found.join() !== published.join()) throw complaint();
}

/**
 * The splits without the training rows whose text is also in dev or test, and without the dev rows whose text is also in test.
 * @param textOf  what is compared, normalised
 * @param notes   gets a sentence where rows were left out
 */
export function withoutHeldOut<R, S extends SplitRecords<R>>(
  name: string,
  splits: S & SplitRecords<R>,
  textOf: (record: R) => string,
  notes: string[],
): S {
  const { train = [], dev = [], test = [] } = splits;
  const held = new Set<string>();
  const hold = (rows: readonly Numbered<R>[]) => {
    for (const { record } of rows) held.add(groupOfText(textOf(record)));
  };
  const free = (rows: Numbered<R>[]) => rows.filter(({ record }) => !held.has(groupOfText(textOf(record))));
  hold(test);
  const freeDev = free(dev);
  hold(dev);
  const freeTrain = free(train);
  const lost = [dev.length - freeDev.length, train.length - freeTrain.length] as const;
  if (lost[0] + lost[1] > 0) {
    notes.push(
      `${name}: of ${train.length} training and ${dev.length} dev rows, ${lost[1]} and ${lost[0]} repeat a held-out text and are left out.`,
    );
  }
  return { ...splits, ...(splits.train && { train: freeTrain }), ...(splits.dev && { dev: freeDev }) };
}
