/**
 * @file Which rows train, which choose and which are the test. Splits are by a hash of the group, so that they do not depend on seed, mixture,
 * cap or the order of rows, and rows of one group never part.
 */

import { sha256 } from "../base/digest.ts";
import { DataError } from "../base/errors.ts";
import type { Split } from "../specs/types.ts";
import type { Example } from "./types.ts";

/** Of the training groups. */
export const DEV_SHARE = 0.1;
export const MAX_DEV_EXAMPLES = 1000;
/** Of all groups, where a task comes without a test split. */
export const TEST_SHARE = 0.2;

/** An example before it has a split; `number` is its row in the source and becomes part of its id. */
export type Row = Omit<Example, "id"> & { number: number | string };

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
  return normalizeText(text) || text;
}

/**
 * Carves what is missing (test from all rows, then dev from the rest), caps train and gives every row its id.
 *
 * @param maxTrain  whole groups, by hash
 * @throws {DataError} no rows, or too few groups to carve from
 */
export function carveSplits(name: string, source: SourceSplits, maxTrain?: number): Record<Split, Example[]> {
  let { train } = source;
  if (train.length === 0) {
    throw new DataError({
      place: `task ${name}: train`,
      expected: "at least one usable row",
      got: "none",
      remedy: "Check the file, the names of the columns and what was skipped.",
    });
  }
  const carve = (share: number, max: number, purpose: string): Row[] => {
    const groups = groupsInHashOrder(train, purpose);
    if (groups.length < 2) {
      throw new DataError({
        place: `task ${name}: ${purpose}`,
        expected: `at least 2 groups to carve a ${purpose} split from`,
        got: `${groups.length}`,
        remedy: `Give a ${purpose} file, or a group field with more values.`,
      });
    }
    const wanted = Math.max(1, Math.round(share * groups.length));
    const taken = namesThatFit(groups.slice(0, wanted), max);
    const carved = train.filter(({ group }) => taken.has(group));
    train = train.filter(({ group }) => !taken.has(group));
    return carved;
  };
  const test = source.test ?? carve(TEST_SHARE, Number.POSITIVE_INFINITY, "test");
  const dev = source.dev ?? carve(DEV_SHARE, MAX_DEV_EXAMPLES, "dev");
  if (maxTrain !== undefined) train = subsetByHash(train, maxTrain);
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
  const taken = namesThatFit(groupsInHashOrder(examples, "subset"), max);
  return examples.filter(({ group }) => taken.has(group));
}

interface Group {
  name: string;
  size: number;
}

function groupsInHashOrder(rows: readonly { group: string }[], purpose: string): Group[] {
  const sizes = new Map<string, number>();
  for (const { group } of rows) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes]
    .map(([name, size]) => ({ name, size, hash: sha256(`${purpose}\n${name}`) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
}

/** The first groups that together hold at most `max` rows; the first one always, as an empty subset would be no subset. */
function namesThatFit(groups: readonly Group[], max: number): Set<string> {
  const taken = new Set<string>();
  let total = 0;
  for (const { name, size } of groups) {
    total += size;
    if (total > max && taken.size > 0) break;
    taken.add(name);
  }
  return taken;
}

function withIds(rows: readonly Row[], split: Split): Example[] {
  return rows.map(({ number, ...rest }) => ({ id: `${split}#${number}`, ...rest }));
}
