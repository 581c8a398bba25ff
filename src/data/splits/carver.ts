/**
 * @file Carves splits from a stream of rows, keeping only rows that may still be wanted: memory follows what is kept, not what is read.
 *
 * A group's place is the hash of its name, another order for each purpose. dev are the first groups in dev order, a capped train the first of the
 * rest in subset order. Rows that come in only move a group further back, so that a group once behind the last that fits stays out for good.
 */

import { sha256 } from "../../base/digest.ts";
import { DataError } from "../../base/errors.ts";
import type { Example } from "../types.ts";
import { isAtMost, KeySet } from "./key-set.ts";

/** Of the training groups. */
export const DEV_SHARE = 0.1;
export const MAX_DEV_EXAMPLES = 1000;
/** Of all groups, where a task comes without a test split. */
export const TEST_SHARE = 0.2;

/** An example before it has a split; `number` is its row in the source and becomes part of its id. */
export type Row = Omit<Example, "id"> & { number: number | string };

/** So many groups have more in their tenth than dev may hold: from there on their exact number says nothing. */
const MANY_GROUPS = Math.ceil(MAX_DEV_EXAMPLES / DEV_SHARE) + 10;
/** Rows held before the first look at what can go. */
const MIN_HELD = 4096;
/** Characters of rows in memory, of two bytes at worst: with what is around them within what Node gives a program by itself (4 GB). */
const MAX_CHARACTERS = 1_000_000_000;

export interface CarveOptions {
  /** Whether a test split is carved. Then every row's group is counted ({@link Carver.count}) before the first row is added. */
  test: boolean;
  dev: boolean;
  /** Whole groups, by hash. */
  maxTrain?: number | undefined;
  /** Default {@link MAX_CHARACTERS}. */
  maxCharacters?: number;
  /** Default {@link MIN_HELD}. */
  minHeld?: number;
}

/** A group of rows that may be wanted. */
interface Held {
  devKey: string;
  subsetKey: string;
  rows: Row[];
  /** Place of each row in the stream. */
  at: number[];
}

/** Takes a task's training rows one by one, each once, and gives its splits. */
export class Carver {
  readonly #name: string;
  readonly #options: CarveOptions;
  readonly #counted = new KeySet();
  readonly #test: Row[] = [];
  readonly #held = new Map<string, Held>();
  /** Dev keys of distinct groups, as far as their number matters. */
  readonly #devKeys = new Set<string>();
  #testEnd: string | undefined;
  #devEnd: string | undefined;
  #subsetEnd: string | undefined;
  #numRows = 0;
  #numHeld = 0;
  #testCharacters = 0;
  #heldCharacters = 0;
  #nextPrune: number;

  constructor(name: string, options: CarveOptions) {
    this.#name = name;
    this.#options = options;
    this.#nextPrune = options.minHeld ?? MIN_HELD;
  }

  /** Rows of train and dev in memory now. */
  get numHeld(): number {
    return this.#numHeld;
  }

  count(group: string): void {
    this.#counted.add(keyOf("test", group));
  }

  add(row: Row): void {
    const at = this.#numRows++;
    if (this.#options.test && isAtMost(keyOf("test", row.group), this.#endOfTest())) {
      this.#test.push(row);
      this.#testCharacters += lengthOf(row);
      this.#refuseTooMuch();
      return;
    }
    const held = this.#held.get(row.group) ?? this.#newGroup(row.group);
    if (held === undefined) return;
    held.rows.push(row);
    held.at.push(at);
    this.#numHeld++;
    this.#heldCharacters += lengthOf(row);
    this.#refuseTooMuch();
    if (this.#options.maxTrain !== undefined && this.#numHeld > this.#nextPrune) this.#prune();
  }

  /** Before memory runs out, which no message would survive. */
  #refuseTooMuch(): void {
    const { maxCharacters = MAX_CHARACTERS, maxTrain } = this.#options;
    const isTestTheMost = this.#testCharacters > this.#heldCharacters;
    if (this.#testCharacters + this.#heldCharacters <= maxCharacters) return;
    if (maxTrain !== undefined && !isTestTheMost) {
      this.#prune();
      if (this.#testCharacters + this.#heldCharacters <= maxCharacters) return;
    }
    throw new DataError({
      place: `task ${this.#name}`,
      expected: `at most ${maxCharacters} characters of examples in memory`,
      got: `more by row ${this.#numRows}, ${isTestTheMost ? "most of them in the carved test split" : "most of them to train on"}`,
      remedy: isTestTheMost
        ? "Give a test file: without one a fifth of all groups is the test."
        : "Set max_train, or a smaller one: the rest is then read and let go.",
    });
  }

  /** @throws {DataError} no rows, or too few groups to carve from */
  finish(): { train: Row[]; dev?: Row[]; test?: Row[] } {
    const { test, dev } = this.#options;
    if (this.#numRows === 0) {
      throw new DataError({
        place: `task ${this.#name}: train`,
        expected: "at least one usable row",
        got: "none",
        remedy: "Check the file, the names of the columns and what was skipped.",
      });
    }
    if (dev) this.#refuseFew(this.#devKeys.size, "dev");
    const chosen = this.#choose(numOf(DEV_SHARE, this.#devKeys.size));
    return {
      train: inOrder(chosen.train),
      ...(dev ? { dev: inOrder(chosen.dev) } : {}),
      ...(test ? { test: this.#test } : {}),
    };
  }

  #endOfTest(): string {
    if (this.#testEnd === undefined) {
      this.#refuseFew(this.#counted.size, "test");
      this.#testEnd = this.#counted.smallest(numOf(TEST_SHARE, this.#counted.size));
    }
    return this.#testEnd;
  }

  #newGroup(name: string): Held | undefined {
    const { dev } = this.#options;
    const held: Held = { devKey: dev ? keyOf("dev", name) : "", subsetKey: keyOf("subset", name), rows: [], at: [] };
    if (dev && this.#devKeys.size < MANY_GROUPS) this.#devKeys.add(held.devKey);
    const mayBeDev = dev && isBefore(held.devKey, this.#devEnd);
    if (!mayBeDev && !isBefore(held.subsetKey, this.#subsetEnd)) return undefined;
    this.#held.set(name, held);
    return held;
  }

  /** Lets go of groups that come too late for dev, were it as large as it may be, and too late for train. */
  #prune(): void {
    const { dev, train, devEnd, subsetEnd } = this.#choose(Number.POSITIVE_INFINITY);
    this.#devEnd = devEnd ?? this.#devEnd;
    this.#subsetEnd = subsetEnd ?? this.#subsetEnd;
    const kept = new Set([...dev, ...train]);
    for (const [name, held] of this.#held) if (!kept.has(held)) this.#held.delete(name);
    const rows = [...kept].flatMap((held) => held.rows);
    this.#numHeld = rows.length;
    this.#heldCharacters = rows.reduce((sum, row) => sum + lengthOf(row), 0);
    this.#nextPrune = Math.max(this.#options.minHeld ?? MIN_HELD, 2 * this.#numHeld);
  }

  /** What is wanted of the groups held; `…End` is the key of the first that comes too late. @param numDev  at most so many groups as dev */
  #choose(numDev: number): { dev: Held[]; train: Held[]; devEnd: string | undefined; subsetEnd: string | undefined } {
    const { dev: isDevCarved, maxTrain } = this.#options;
    const all = [...this.#held.values()];
    const mayBeDev = isDevCarved ? all.filter(({ devKey }) => isBefore(devKey, this.#devEnd)) : [];
    const inDevOrder = mayBeDev.sort((a, b) => (a.devKey < b.devKey ? -1 : 1));
    const dev = firstThatFit(inDevOrder.slice(0, numDev), MAX_DEV_EXAMPLES);
    const taken = new Set(dev);
    const rest = all.filter((held) => !taken.has(held) && isBefore(held.subsetKey, this.#subsetEnd));
    if (maxTrain === undefined) return { dev, train: rest, devEnd: undefined, subsetEnd: undefined };
    const inSubsetOrder = rest.sort((a, b) => (a.subsetKey < b.subsetKey ? -1 : 1));
    const train = firstThatFit(inSubsetOrder, maxTrain);
    return {
      dev,
      train,
      devEnd: inDevOrder[dev.length]?.devKey,
      subsetEnd: inSubsetOrder[train.length]?.subsetKey,
    };
  }

  #refuseFew(numGroups: number, purpose: string): void {
    if (numGroups >= 2) return;
    throw new DataError({
      place: `task ${this.#name}: ${purpose}`,
      expected: `at least 2 groups to carve a ${purpose} split from`,
      got: `${numGroups}`,
      remedy: `Give a ${purpose} file, or a group field with more values.`,
    });
  }
}

/** Where a group stands in the order of a purpose. */
export function keyOf(purpose: "test" | "dev" | "subset", group: string): string {
  return sha256(`${purpose}\n${group}`);
}

/** The first groups that together hold at most `max` rows; the first one always, as an empty subset would be no subset. */
export function firstThatFit<T extends { rows: readonly unknown[] }>(groups: readonly T[], max: number): T[] {
  let total = 0;
  const end = groups.findIndex(({ rows }, i) => {
    total += rows.length;
    return total > max && i > 0;
  });
  return end < 0 ? [...groups] : groups.slice(0, end);
}

function lengthOf({ prompt, answer, group, text = "" }: Row): number {
  return prompt.length + answer.length + group.length + text.length;
}

function numOf(share: number, numGroups: number): number {
  return Math.max(1, Math.round(share * numGroups));
}

function isBefore(key: string, end: string | undefined): boolean {
  return end === undefined || key < end;
}

function inOrder(groups: readonly Held[]): Row[] {
  return groups
    .flatMap(({ rows, at }) => rows.map((row, i) => ({ row, at: at[i] as number })))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row);
}
