/**
 * @file Which rows train, which choose and which are the test. Splits are by a hash of the group, so that they do not depend on seed, mixture,
 * cap or the order of rows, and rows of one group never part.
 */

import { composed } from "../../base/unicode.ts";
import type { EvalSpec, Split } from "../../specs/types.ts";
import type { Example } from "../types.ts";
import { Carver, firstThatFit, keyOf, type Row } from "./carver.ts";

export { DEV_SHARE, type Row, TEST_SHARE } from "./carver.ts";

/** What a source gives: train rows at least; dev and test where it has them. */
export type SourceSplits = { train: Row[] } & Partial<Record<"dev" | "test", Row[]>>;

/** Lower case, without links, letters and digits only, single spaces: what counts as the same text. */
export function normalizeText(text: string): string {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/https?:\/\/\S+/gu, " ")
    .match(/[\p{L}\p{N}]+/gu);
  return words?.join(" ") ?? "";
}

/** The group of a row that has no other: its normalised text, or the text itself where nothing is left of it. */
export function groupOfText(text: string): string {
  return normalizeText(text) || composed(text);
}

/**
 * Carves what is missing (test from all rows, then dev from the rest), caps train and gives every row its id.
 *
 * @param maxTrain  whole groups, by hash
 * @throws {DataError} no rows, or too few groups to carve from
 */
export function carveSplits(name: string, source: SourceSplits, maxTrain?: number): Record<Split, Example[]> {
  const { train: rows, dev, test } = source;
  const carver = new Carver(name, { test: test === undefined, dev: dev === undefined, maxTrain });
  if (test === undefined) for (const { group } of rows) carver.count(group);
  for (const row of rows) carver.add(row);
  const carved = carver.finish();
  return asGiven({ train: carved.train, dev: dev ?? carved.dev ?? [], test: test ?? carved.test ?? [] });
}

/** Splits as their source has them, nothing carved; every row gets its id. */
export function asGiven({ train, dev, test }: Record<Split, Row[]>): Record<Split, Example[]> {
  return { train: withIds(train, "train"), dev: withIds(dev, "dev"), test: withIds(test, "test") };
}

/**
 * A fixed subset of at most `max` examples: whole groups in hash order, as many as fit from the start, so that a smaller subset lies inside a
 * larger one. The order of the examples stays.
 *
 * @param max  null: all
 */
export function subsetByHash<T extends { group: string }>(examples: readonly T[], max: number | null): T[] {
  if (max === null || examples.length <= max) return [...examples];
  const groups = new Map<string, { name: string; key: string; rows: T[] }>();
  for (const example of examples) {
    const { group: name } = example;
    const known = groups.get(name);
    if (known === undefined) groups.set(name, { name, key: keyOf("subset", name), rows: [example] });
    else known.rows.push(example);
  }
  const inOrder = [...groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const taken = new Set(firstThatFit(inOrder, max).map(({ name }) => name));
  return examples.filter(({ group }) => taken.has(group));
}

/** The examples of a split that every model is scored on. */
export function evaluatedSubset<T extends { group: string }>(
  examples: readonly T[],
  split: "dev" | "test",
  { max_dev, max_test }: Pick<EvalSpec, "max_dev" | "max_test">,
): T[] {
  return subsetByHash(examples, split === "dev" ? max_dev : max_test);
}

function withIds(rows: readonly Row[], split: Split): Example[] {
  return rows.map(({ number, ...rest }) => ({ id: `${split}#${number}`, ...rest }));
}
