/**
 * @file Which examples share which prefix, row and pack, so that few tokens go through the net. Only lengths and equal beginnings matter here;
 * the layout follows from them alone, never from timing, so that the same spec gives the same bits.
 */

import { type Branch, commonLength, compareIds } from "./label-tree.ts";

/** A prompt and what may follow it: one answer in training, all labels or a part of them in scoring. */
export interface Item {
  /** Index of the example that it is of. */
  example: number;
  prompt: Int32Array;
  branches: readonly Branch[];
  /** Tokens that are fed: the prompt and the tree of its branches. */
  numFed: number;
  /** [prompt] 1 where the loss is on a token of the prompt. Absent: nowhere. */
  learned?: Uint8Array;
  /** Tokens of the prompt that may be in a shared prefix. Absent: all but the last, which predicts. */
  maxShared?: number;
}

/** A pack before its tokens are laid. */
export interface DraftPack {
  /** Real tokens of each prefix, [Q]. */
  prefixLengths: number[];
  /** P: the longest prefix, at least 1. */
  prefixLen: number;
  /** S */
  rowLen: number;
  rows: { prefix: number; items: number[] }[];
}

export interface DraftOptions {
  sharePrefix: boolean;
  onePerRow: boolean;
  maxTokens: number;
}

/** Row lengths are rounded up to this, so that few shapes reach the engine. */
const ROW_MULTIPLE = 4;

/**
 * Tokens that setting a group of prompts apart must save over leaving it with its neighbours, tried from few groups to many.
 * Padding decides between them, which a rule on prefixes alone cannot see.
 */
const MIN_GAINS = [Number.POSITIVE_INFINITY, 256, 64, 16, 0];

/**
 * Drafts packs of at most `maxTokens` tokens, padding included: the cheapest of no sharing and several ways to share, each by length and by group.
 */
export function draftPacks(items: readonly Item[], options: DraftOptions): DraftPack[] {
  if (items.length === 0) return [];
  const whole: Partition = { groupOf: new Int32Array(items.length), prefixLengths: [0] };
  let best = stack(items, whole, byLength(items, whole), options);
  if (!options.sharePrefix || items.length === 1) return best.packs;
  const sorted = sortedByPrompt(items);
  let lastCount = 0;
  for (const minGain of MIN_GAINS) {
    const partition = sharePrefixes(items, sorted, minGain);
    if (partition.prefixLengths.length === lastCount) continue;
    lastCount = partition.prefixLengths.length;
    for (const order of [byLength, byGroup]) {
      const draft = stack(items, partition, order(items, partition), options);
      if (draft.numTokens < best.numTokens) best = draft;
    }
  }
  return best.packs;
}

/** Rows of whole examples in the order given, each row its own pack, filled up to `maxTokens`; nothing is shared. */
export function draftConcatenated(items: readonly Item[], maxTokens: number): DraftPack[] {
  const packs: DraftPack[] = [];
  let row: number[] = [];
  let used = 0; // whole examples, the last token of each included
  const close = () => {
    if (row.length === 0) return;
    const rowLen = roundUp(used - 1);
    packs.push({ prefixLengths: [0], prefixLen: 1, rowLen, rows: [{ prefix: 0, items: row }] });
    row = [];
    used = 0;
  };
  for (const [index, { numFed }] of items.entries()) {
    if (used + numFed > maxTokens) close();
    row.push(index);
    used += numFed + 1;
  }
  close();
  return packs;
}

/** Which prefix group each item belongs to and how long the groups' prefixes are. */
export interface Partition {
  groupOf: Int32Array;
  prefixLengths: number[];
}

/** Prompts in an order in which those with equal beginnings are neighbours. */
export interface Sorted {
  /** Items by prompt, lexicographically. */
  order: number[];
  /** [n] common prefix of neighbours k - 1 and k, without the first token that predicts one that the loss is on, which must stay in the row. */
  common: Int32Array;
}

/** Sorts prompts, and says what each shares with the one before it. */
export function sortedByPrompt(items: readonly Pick<Item, "prompt" | "maxShared">[]): Sorted {
  const prompt = (i: number) => items[i]!.prompt;
  const most = (i: number) => items[i]!.maxShared ?? prompt(i).length - 1;
  const order = Array.from(items.keys()).sort((a, b) => compareIds(prompt(a), prompt(b)) || a - b);
  const common = new Int32Array(order.length);
  for (let k = 1; k < order.length; k++) {
    const [a, b] = [order[k - 1]!, order[k]!];
    common[k] = commonLength(prompt(a), prompt(b), Math.max(0, Math.min(most(a), most(b))));
  }
  return { order, common };
}

/**
 * Splits the sorted prompts into groups with one prefix each, so that prefixes and the rest of the prompts together are fewest tokens.
 * A range shares its smallest neighbouring prefix; a part of it with a longer one is set apart where that saves more than `minGain`.
 */
export function sharePrefixes(
  items: readonly Pick<Item, "numFed">[],
  { order, common }: Sorted,
  minGain: number,
): Partition {
  const partition: Partition = { groupOf: new Int32Array(items.length), prefixLengths: [] };
  const fed = (k: number) => items[order[k]!]!.numFed;

  /** Cost of order[lo, hi) at its best, and its groups. */
  const solve = (lo: number, hi: number): { cost: number; groups: { members: number[]; length: number }[] } => {
    let length = Number.POSITIVE_INFINITY;
    for (let k = lo + 1; k < hi; k++) length = Math.min(length, common[k] as number);
    const stay: number[] = [];
    const groups: { members: number[]; length: number }[] = [];
    let cost = 0;
    for (let from = lo, to = lo + 1; from < hi; from = to, to = from + 1) {
      let staying = fed(from) - length;
      while (to < hi && (common[to] as number) > length) staying += fed(to++) - length;
      const apart = to - from > 1 && minGain < Number.POSITIVE_INFINITY ? solve(from, to) : null;
      if (apart !== null && apart.cost + minGain < staying) {
        groups.push(...apart.groups);
        cost += apart.cost;
      } else {
        for (let k = from; k < to; k++) stay.push(order[k] as number);
        cost += staying;
      }
    }
    if (stay.length > 0) {
      groups.push({ members: stay, length });
      cost += length;
    }
    return { cost, groups };
  };
  for (const { members, length } of solve(0, order.length).groups) {
    for (const index of members) partition.groupOf[index] = partition.prefixLengths.length;
    partition.prefixLengths.push(length);
  }
  return partition;
}

/** Tokens that an item puts into its row. */
function needOf(items: readonly Item[], { groupOf, prefixLengths }: Partition, index: number): number {
  return (items[index] as Item).numFed - (prefixLengths[groupOf[index] as number] as number);
}

/** Longest first: neighbours in a pack are alike in length, at the price of every prefix in many packs. */
function byLength(items: readonly Item[], partition: Partition): number[] {
  return Array.from(items.keys()).sort((a, b) => needOf(items, partition, b) - needOf(items, partition, a) || a - b);
}

/** Group after group, those with the longest rows first: few prefixes in a pack, at the price of padding. */
function byGroup(items: readonly Item[], partition: Partition): number[] {
  const longest = partition.prefixLengths.map(() => 0);
  for (const index of items.keys()) {
    const group = partition.groupOf[index] as number;
    longest[group] = Math.max(longest[group] as number, needOf(items, partition, index));
  }
  const rank = (index: number) => partition.groupOf[index] as number;
  return byLength(items, partition).sort(
    (a, b) => (longest[rank(b)] as number) - (longest[rank(a)] as number) || rank(a) - rank(b),
  );
}

/** Puts items into rows (first row of their group with room) and rows into packs, in the order given. */
function stack(
  items: readonly Item[],
  partition: Partition,
  order: readonly number[],
  { onePerRow, maxTokens }: DraftOptions,
): { packs: DraftPack[]; numTokens: number } {
  const packs: DraftPack[] = [];
  let numTokens = 0;
  let open = new OpenPack(partition);
  for (const index of order) {
    const group = partition.groupOf[index] as number;
    const need = needOf(items, partition, index);
    if (!open.take(index, group, need, onePerRow, maxTokens)) {
      numTokens += open.numTokens();
      packs.push(open.close());
      open = new OpenPack(partition);
      open.take(index, group, need, onePerRow, Number.POSITIVE_INFINITY);
    }
  }
  numTokens += open.numTokens();
  packs.push(open.close());
  return { packs, numTokens };
}

/** A pack that still takes items. */
class OpenPack {
  private readonly partition: Partition;
  private readonly groups = new Map<number, { prefix: number; rows: { used: number; items: number[] }[] }>();
  private prefixLen = 1;
  private rowLen = 0;
  private numRows = 0;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  numTokens(): number {
    return this.groups.size * this.prefixLen + this.numRows * this.rowLen;
  }

  /** Takes the item unless the pack would grow beyond `maxTokens`; an empty pack always takes it. */
  take(index: number, group: number, need: number, onePerRow: boolean, maxTokens: number): boolean {
    const known = this.groups.get(group);
    const rowLen = Math.max(this.rowLen, roundUp(need));
    const row = onePerRow ? undefined : known?.rows.find(({ used }) => used + need <= rowLen);
    const prefixLen = Math.max(this.prefixLen, this.partition.prefixLengths[group] as number);
    const numGroups = this.groups.size + (known === undefined ? 1 : 0);
    const numRows = this.numRows + (row === undefined ? 1 : 0);
    if (this.numRows > 0 && numGroups * prefixLen + numRows * rowLen > maxTokens) return false;

    const entry = known ?? { prefix: this.groups.size, rows: [] };
    if (known === undefined) this.groups.set(group, entry);
    if (row === undefined) entry.rows.push({ used: need, items: [index] });
    else {
      row.used += need;
      row.items.push(index);
    }
    this.prefixLen = prefixLen;
    this.rowLen = rowLen;
    this.numRows = numRows;
    return true;
  }

  close(): DraftPack {
    const rows = [...this.groups.values()].flatMap(({ prefix, rows }) => rows.map(({ items }) => ({ prefix, items })));
    const prefixLengths = [...this.groups.keys()].map((group) => this.partition.prefixLengths[group] as number);
    return { prefixLengths, prefixLen: this.prefixLen, rowLen: this.rowLen, rows };
  }
}

function roundUp(length: number): number {
  return Math.ceil(length / ROW_MULTIPLE) * ROW_MULTIPLE;
}
