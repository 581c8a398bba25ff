/**
 * @file Proof that packs hold what they should, worked out from the mask and the ids alone, not from how the packs were made:
 * every supervised token has one loss row whose context is exactly that example's own tokens; nothing else is in the pack; padding is invisible.
 */

import { strict as assert } from "node:assert";
import type { LabelPack, Pack, TokenizedExample } from "../types.ts";
import type { PackOptions } from "./packing.ts";

/**
 * Checks packs of training examples.
 * @throws {AssertionError} the first violation found, with its place
 */
export function verifyPack(
  packs: readonly Pack[],
  examples: readonly TokenizedExample[],
  options: Pick<PackOptions, "packing" | "lossOn">,
): void {
  const concatenated = options.packing === "contaminated";
  const sequences = examples.map(({ prompt, answer, spans = new Int32Array(0) }) => {
    const first = options.lossOn === "all" || prompt.length === 0 ? 1 : prompt.length;
    const ids = joined(prompt, answer);
    const numBefore = (i: number) => spans.filter((place) => place <= i).length;
    const targets = Array.from(ids.keys()).filter((i) => i >= first || numBefore(i) % 2 === 1);
    return [{ ids, targets, label: -1 }];
  });
  verify(packs, sequences, concatenated, (pack) => Array.from(pack.label, (label) => [label]));
}

/**
 * Checks packs of prompts with labels.
 * @throws {AssertionError} the first violation found, with its place
 */
export function verifyLabelPack(
  packs: readonly LabelPack[],
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
): void {
  const sequences = prompts.map(({ prompt }, i) =>
    labels(i).map((ids, label) => ({
      ids: joined(prompt, ids),
      targets: Array.from(ids, (_, i) => prompt.length + i),
      label,
    })),
  );
  verify(packs, sequences, false, labelsThrough);
}

/** The labels whose paths hold each loss row. */
function labelsThrough({ label, before }: LabelPack, place: string): number[][] {
  const through = Array.from(label, (): number[] => []);
  for (const [last, name] of label.entries()) {
    for (let r = name < 0 ? -1 : last; r >= 0; r = before[r]!) {
      assert(before[r]! < r, `${place}: loss row ${r} stands behind the row before it in its labels`);
      through[r]!.push(name);
    }
  }
  for (const [r, names] of through.entries()) assert(names.length > 0, `${place}: loss row ${r} serves no label`);
  return through;
}

/** A prompt followed by one answer or label; `targets`: the places of what is predicted, rising. */
interface Sequence {
  ids: Int32Array;
  targets: readonly number[];
  label: number;
}

/** @param labelsOf  [R] the labels that each loss row of a pack serves */
function verify<P extends Pack>(
  packs: readonly P[],
  sequences: readonly (readonly Sequence[])[],
  concatenated: boolean,
  labelsOf: (pack: P, place: string) => number[][],
): void {
  /** `example/label/target index` of all loss rows; each once. */
  const found = new Set<string>();
  for (const [p, pack] of packs.entries()) {
    verifyShape(pack, `pack ${p}`);
    verifyOne(pack, `pack ${p}`, sequences, concatenated, labelsOf(pack, `pack ${p}`), found);
  }
  for (const [e, branches] of sequences.entries()) {
    for (const { targets, label } of branches) {
      for (const i of targets) {
        assert(found.delete(`${e}/${label}/${i}`), `example ${e} label ${label}: token ${i} has no loss row (lost)`);
      }
    }
  }
  assert(found.size === 0, `loss rows that no example asks for: ${[...found].slice(0, 3).join(", ")}`);
}

function verifyOne(
  pack: Pack,
  place: string,
  sequences: readonly (readonly Sequence[])[],
  concatenated: boolean,
  labelsOf: readonly (readonly number[])[],
  found: Set<string>,
): void {
  const { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S, ids, positions, rowPrefix } = pack;
  const base = Q * P;
  const N = base + B * S;

  const contexts = new Map<number, RowContext>();
  const contextOf = (b: number) => {
    const known = contexts.get(b) ?? readRow(pack, b, `${place} row ${b}`);
    contexts.set(b, known);
    return known;
  };
  for (let r = 0; r < pack.lossRows.length; r++) {
    const n = pack.lossRows[r] as number;
    assert(n >= base && n < N, `${place}: loss row ${r} points into the rows`);
    const e = pack.example[r] as number;
    const b = Math.floor((n - base) / S);
    const row = contextOf(b);

    const chain: number[] = []; // row tokens from the predicting one back
    for (let s = n - base - b * S; s >= 0; s = row.parent[s] as number) chain.push(s);
    for (const s of chain) row.used[s] = 1;
    const root = chain.at(-1) as number;
    const context = [
      ...ids.subarray((rowPrefix[b] as number) * P, (rowPrefix[b] as number) * P + row.shared),
      ...chain.reverse().map((s) => ids[base + b * S + s] as number),
    ];
    for (const label of labelsOf[r]!) {
      const sequence = sequences[e]?.find((candidate) => candidate.label === label);
      assert(sequence !== undefined, `${place}: loss row ${r} names example ${e}, label ${label}`);
      const i = concatenated ? targetIndex(row, e, sequence.targets[0]!, chain.length) : context.length;
      assert(i < sequence.ids.length, `${place}: loss row ${r} lies inside example ${e}`);
      const own = context.slice(context.length - i);
      assert(
        own.length === i && own.every((id, k) => id === sequence.ids[k]),
        `${place}: loss row ${r} sees the tokens of example ${e} before token ${i} and no others (leak or loss)`,
      );
      assert(pack.targets[r] === sequence.ids[i], `${place}: target of loss row ${r} is token ${i} of example ${e}`);
      const key = `${e}/${label}/${i}`;
      assert(!found.has(key), `${place}: example ${e} label ${label}: token ${i} has two loss rows (doubled)`);
      found.add(key);
      row.sequences.set(root, (row.sequences.get(root) ?? new Set()).add(sequence));
    }
    if (!concatenated) for (const s of chain) claim(row, s, e, `${place} row ${b} token ${s}`);
  }
  for (let b = 0; b < B; b++) {
    const row = contextOf(b);
    for (let s = 0; s < S; s++) {
      const n = base + b * S + s;
      if (row.used[s] === 1) continue;
      const isPadding = ids[n] === 0 && positions[n] === 0 && row.alone[s] === 1;
      assert(
        isPadding,
        `${place} row ${b}: token ${s} serves no loss row and is not invisible padding (doubled or visible)`,
      );
    }
    if (!concatenated) verifyNotDoubled(row, `${place} row ${b}`);
  }
}

/** A concatenated example begins where the tokens before its first target, as many as it has, begin. */
function targetIndex({ firsts }: RowContext, example: number, first: number, length: number): number {
  const start = firsts.get(example) ?? length - first;
  firsts.set(example, start);
  return length - start;
}

/** Sizes of all lists, positions of prefixes, and their padding. */
function verifyShape(pack: Pack, place: string): void {
  const { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S, ids, positions, prefixLengths, rowPrefix } = pack;
  const N = Q * P + B * S;
  assert(Q >= 1 && P >= 1, `${place}: at least one prefix of one token`);
  assert(ids.length === N && positions.length === N, `${place}: ids and positions are [N]`);
  assert(prefixLengths.length === Q && rowPrefix.length === B, `${place}: prefixLengths [Q], rowPrefix [B]`);
  assert(pack.visible.length === B * S * (P + S), `${place}: visible is [B, S, P + S]`);
  const R = pack.lossRows.length;
  for (const list of [pack.targets, pack.example, pack.label])
    assert(list.length === R, `${place}: loss arrays are [R]`);
  for (let q = 0; q < Q; q++) {
    const length = prefixLengths[q] as number;
    assert(length >= 0 && length <= P, `${place}: prefix ${q} fits P`);
    for (let k = 0; k < P; k++) {
      const at = q * P + k;
      assert(positions[at] === (k < length ? k : 0), `${place}: position of prefix token ${q}/${k}`);
      if (k >= length) assert(ids[at] === 0, `${place}: padding of prefix ${q} is id 0`);
    }
  }
}

/** What the mask says of one row. */
interface RowContext {
  /** Prefix tokens that the row's tokens see. */
  shared: number;
  /** [S] the row token just before, in its own sequence; -1 for the first. */
  parent: Int32Array;
  /** [S] 1 where the token is in the context of some loss row. */
  used: Uint8Array;
  /** [S] 1 where a token sees only itself and is seen by nobody else. */
  alone: Uint8Array;
  /** [S] the example whose loss rows see the token; -1 none. */
  owner: Int32Array;
  /** By the first token that an example has in the row: what is read behind it. */
  sequences: Map<number, Set<Sequence>>;
  /** Concatenated rows: where each example begins. */
  firsts: Map<number, number>;
}

/** Reads a row's mask: each token must see its whole prefix and a chain of row tokens, one for each position before its own. */
function readRow(pack: Pack, b: number, place: string): RowContext {
  const { prefixLen: P, rowLen: S, visible, positions, numPrefixes, numRows } = pack;
  assert(b >= 0 && b < numRows, `${place}: exists`);
  const prefix = pack.rowPrefix[b] as number;
  assert(prefix >= 0 && prefix < numPrefixes, `${place}: continues a prefix that exists`);
  const shared = pack.prefixLengths[prefix] as number;
  const base = numPrefixes * P + b * S;
  const sees = (s: number, k: number) => visible[(b * S + s) * (P + S) + k] === 1;
  const parent = new Int32Array(S).fill(-1);
  const alone = new Uint8Array(S);
  for (let s = 0; s < S; s++) {
    assert(sees(s, P + s), `${place}: token ${s} sees itself`);
    let numPrefixSeen = 0;
    for (let k = 0; k < P; k++) if (sees(s, k)) numPrefixSeen++;
    let numSeen = 0;
    let seenByOthers = 0;
    for (let t = 0; t < S; t++) {
      if (sees(s, P + t)) numSeen++;
      if (t !== s && sees(t, P + s)) seenByOthers++;
    }
    if (
      numPrefixSeen === 0 &&
      numSeen === 1 &&
      seenByOthers === 0 &&
      positions[base + s] === 0 &&
      pack.ids[base + s] === 0
    ) {
      alone[s] = 1;
      continue;
    }
    for (let k = 0; k < P; k++) {
      assert(sees(s, k) === k < shared, `${place}: token ${s} sees exactly the ${shared} tokens of its prefix`);
    }
    const position = positions[base + s] as number;
    assert(
      numSeen === position - shared + 1,
      `${place}: token ${s} at position ${position} sees one token per position before it`,
    );
    for (let t = s - 1; t >= 0; t--) {
      if (sees(s, P + t) && positions[base + t] === position - 1) {
        assert(parent[s] === -1, `${place}: token ${s} sees one token at position ${position - 1}`);
        parent[s] = t;
      }
    }
    assert(position === shared || (parent[s] as number) >= 0, `${place}: token ${s} sees the token before its own`);
    for (let t = 0; t < S; t++) {
      const inherited = t === s || ((parent[s] as number) >= 0 && sees(parent[s] as number, P + t));
      assert(sees(s, P + t) === inherited, `${place}: token ${s} sees what the token before it sees, and itself`);
    }
  }
  return {
    shared,
    parent,
    alone,
    used: new Uint8Array(S),
    owner: new Int32Array(S).fill(-1),
    sequences: new Map(),
    firsts: new Map(),
  };
}

function claim(row: RowContext, s: number, example: number, place: string): void {
  assert(
    row.owner[s] === -1 || row.owner[s] === example,
    `${place}: is seen by examples ${row.owner[s]} and ${example} (leak)`,
  );
  row.owner[s] = example;
}

/** The tokens behind one first token are as many as its example needs beyond the prefix: what its labels begin with alike is fed once. */
function verifyNotDoubled({ parent, owner, sequences, shared }: RowContext, place: string): void {
  const count = new Map<number, number>();
  const root = Int32Array.from(parent.keys());
  for (const [s, before] of parent.entries()) {
    if (before >= 0) root[s] = root[before] as number;
    if (owner[s] !== -1) count.set(root[s] as number, (count.get(root[s] as number) ?? 0) + 1);
  }
  for (const [first, numTokens] of count) {
    const needed = new Set<string>();
    for (const { ids } of sequences.get(first)!) {
      for (let end = shared + 1; end < ids.length; end++) needed.add(ids.subarray(0, end).join());
    }
    assert(numTokens === needed.size, `${place}: ${numTokens} tokens behind token ${first}, needs ${needed.size}`);
  }
}

function joined(head: Int32Array, tail: Int32Array): Int32Array {
  const out = new Int32Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}
