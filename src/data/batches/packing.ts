/**
 * @file Examples laid out for one forward pass: which tokens go through the net, who may see whom, and which logits predict which target.
 * Loss mask and label shift live here and nowhere else. What tokens cost is weighed in layout.ts; the proof is in verify-pack.ts.
 *
 * ```
 *   prefix 0  [ shared instruction . . ]        P
 *   prefix 1  [ another one ]- - - - - -
 *
 *   row 0     [ prompt 3 | answer 3 ][ prompt 7 | answer 7 ]   S    both continue prefix 0, neither sees the other
 *   row 1     [ prompt 5 | label a | label b | label c ]- - -       scoring: each label sees the prompt and itself (label-tree.ts)
 * ```
 * Legend: Q prefixes, P prefix length, B rows, S row length, N = Q*P + B*S tokens through the net, R loss rows.
 */

import { strict as assert } from "node:assert";
import { tokenKey } from "../../base/dropout-mask.ts";
import type { LabelPack, Pack, TokenizedExample } from "../types.ts";
import { type Branch, branchesOf, cutTree, numFedOf } from "./label-tree.ts";
import { type DraftPack, draftConcatenated, draftPacks, type Item } from "./layout.ts";

/** How training examples are laid out. */
export interface PackOptions {
  /** `isolated`: several in a row, each seeing only itself; `contaminated`: plain concatenation, as arXiv 2410.01109's code did; `none`: one a row. */
  packing: "isolated" | "contaminated" | "none";
  /** Encode a prompt prefix that examples share once; exact, used only where it lowers the tokens through the net. */
  sharePrefix: boolean;
  /** Tokens through the net in one pack, Q*P + B*S; a longer example gets a pack of its own. With `contaminated`: the length of a row. */
  maxTokens: number;
  /**
   * `answer`: the loss is on the answer and its end-of-turn token; `all_answers`: on the spans of earlier answers too; `all`: on every token but the
   * first (and nothing is shared then).
   */
  lossOn: "answer" | "all_answers" | "all";
}

/** How prompts and their labels are laid out for scoring. */
export interface LabelPackOptions {
  sharePrefix: boolean;
  maxTokens: number;
}

/**
 * Packs examples for training. Every token goes through the net once, a shared prefix once per pack, and the last token of an example,
 * which predicts nothing, never. The result is a pure function of the arguments; order of examples in packs follows from their lengths.
 *
 * @param dropoutKeys  of each example in training with dropout
 * @returns packs whose `example` indices point into `examples`, `label` is -1
 */
export function packExamples(
  examples: readonly TokenizedExample[],
  options: PackOptions,
  dropoutKeys?: readonly number[],
): Pack[] {
  const items = itemsOf(examples);
  const lossOnAll = options.lossOn === "all";
  const lay = options.packing === "contaminated" ? fillConcatenated : fill;
  return draftsOf(items, options).map((draft) => lay(draft, items, lossOnAll, dropoutKeys));
}

/** What of a pack decides its cost. */
export interface PackShape extends Pick<Pack, "numPrefixes" | "prefixLen" | "numRows" | "rowLen"> {
  numLossRows: number;
}

/** The shapes of what {@link packExamples} gives, in a fraction of its time: no token is laid. */
export function packShapes(examples: readonly TokenizedExample[], options: PackOptions): PackShape[] {
  return draftsOf(itemsOf(examples), options).map((draft) => {
    const laid = draft.rows.flatMap(({ items }) => items);
    const numLossRows = laid.reduce(
      (sum, i) => sum + numSupervised(examples[i] as TokenizedExample, options.lossOn),
      0,
    );
    return { ...shapeOf(draft), numLossRows };
  });
}

/** Tokens of an example that the loss is on. */
export function numSupervised({ prompt, answer, spans }: TokenizedExample, lossOn: PackOptions["lossOn"]): number {
  if (lossOn === "all") return prompt.length + answer.length - 1;
  if (prompt.length === 0) return answer.length - 1;
  return answer.length + (spans?.reduce((sum, place, i) => sum + (i % 2 === 0 ? -place : place), 0) ?? 0);
}

/** An example of a pack: its index, which of the pack's prefixes it continues, and how many tokens that prefix has. */
export interface PackEntry {
  item: number;
  group: number;
  shared: number;
}

/** The packs of {@link packExamples} before any token is laid, for engines that lay tokens themselves; entries of a group follow one another. */
export function packEntries(examples: readonly TokenizedExample[], options: PackOptions): PackEntry[][] {
  return draftsOf(itemsOf(examples), options).map(entriesOf);
}

/** The packs of {@link packLabels}, likewise, with all labels of a prompt together. */
export function labelPackEntries(
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
  options: LabelPackOptions,
): PackEntry[][] {
  const items = labelItems(prompts, labels, Number.POSITIVE_INFINITY);
  return draftPacks(items, { ...options, onePerRow: false }).map(entriesOf);
}

function entriesOf({ rows, prefixLengths }: DraftPack): PackEntry[] {
  const entries = rows.flatMap(({ prefix, items }) =>
    items.map((item) => ({ item, group: prefix, shared: prefixLengths[prefix] as number })),
  );
  return entries.sort((a, b) => a.group - b.group);
}

function itemsOf(examples: readonly TokenizedExample[]): Item[] {
  return examples.map(({ prompt, answer, spans }, i) =>
    itemOf(i, prompt, [{ ids: answer, label: -1, common: 0 }], spans),
  );
}

function draftsOf(items: readonly Item[], { packing, sharePrefix, maxTokens, lossOn }: PackOptions): DraftPack[] {
  if (packing === "contaminated") return draftConcatenated(items, maxTokens);
  return draftPacks(items, {
    sharePrefix: sharePrefix && lossOn !== "all",
    onePerRow: packing === "none",
    maxTokens,
  });
}

/**
 * Tokens of labels in one row. A row's tokens are all compared with one another, so many labels are cheaper in several rows, which share their prompt
 * as prompts share an instruction.
 */
const ROW_LABEL_TOKENS = 128;

/**
 * Packs prompts with all their labels, so that one forward pass scores every label of every prompt. What labels begin with alike goes through the net
 * once.
 *
 * @param prompts  only `prompt` is read
 * @param labels   of an example, by its index: each with its end-of-turn token, as {@link tokenizeLabels} gives them
 * @returns packs whose loss rows carry the index of the prompt; {@link forEachLabel} reads them
 */
export function packLabels(
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
  options: LabelPackOptions,
): LabelPack[] {
  const items = labelItems(prompts, labels, ROW_LABEL_TOKENS);
  return draftPacks(items, { ...options, onePerRow: false }).map((draft) => fill(draft, items, false));
}

/**
 * Hands out what each label of a pack comes to.
 * @param values  [R] of the loss rows
 * @param take    is given the sum of `values` over the label's tokens
 */
export function forEachLabel(
  { example, label, before }: LabelPack,
  values: ArrayLike<number>,
  take: (example: number, label: number, sum: number) => void,
): void {
  const sums = new Float64Array(values.length);
  for (let r = 0; r < sums.length; r++) {
    sums[r] = values[r]! + (before[r]! < 0 ? 0 : sums[before[r]!]!);
    if (label[r]! >= 0) take(example[r]!, label[r]!, sums[r]!);
  }
}

/** @param maxLabelTokens  of an item; a prompt with more tokens in the tree of its labels becomes several */
function labelItems(
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
  maxLabelTokens: number,
): Item[] {
  const known = new Map<readonly Int32Array[], Branch[][]>();
  return prompts.flatMap(({ prompt, id }, i) => {
    assert(prompt.length > 0, `packing: prompt ${id} has no tokens`);
    const given = labels(i);
    const parts = known.get(given) ?? cutTree(branchesOf(given), maxLabelTokens);
    known.set(given, parts);
    return parts.map((branches) => itemOf(i, prompt, branches));
  });
}

function itemOf(example: number, prompt: Int32Array, branches: readonly Branch[], spans?: Int32Array): Item {
  for (const { ids } of branches) assert(ids.length > 0, "packing: an answer or label has no tokens");
  const numFed = prompt.length + numFedOf(branches);
  assert(numFed > 0, "packing: an example of a single token predicts nothing");
  if (spans === undefined || spans.length === 0) return { example, prompt, branches, numFed };
  const learned = new Uint8Array(prompt.length);
  for (let i = 0; i < spans.length; i += 2) learned.fill(1, spans[i], spans[i + 1]);
  return { example, prompt, branches, numFed, learned, maxShared: spans[0]! - 1 };
}

/** Collects the loss rows of a pack. */
class LossRows {
  private readonly rows: number[] = [];
  private readonly targets: number[] = [];
  private readonly examples: number[] = [];
  private readonly labels: number[] = [];
  private readonly before: number[] = [];

  /** @returns the index of the loss row */
  add(row: number, target: number, example: number, label = -1, before = -1): number {
    this.rows.push(row);
    this.targets.push(target);
    this.examples.push(example);
    this.labels.push(label);
    return this.before.push(before) - 1;
  }

  arrays(): Pick<LabelPack, "lossRows" | "targets" | "example" | "label" | "before"> {
    return {
      lossRows: Int32Array.from(this.rows),
      targets: Int32Array.from(this.targets),
      example: Int32Array.from(this.examples),
      label: Int32Array.from(this.labels),
      before: Int32Array.from(this.before),
    };
  }
}

function shapeOf({ prefixLengths, prefixLen, rowLen, rows }: DraftPack): Omit<PackShape, "numLossRows"> {
  return { numPrefixes: prefixLengths.length, prefixLen, numRows: rows.length, rowLen };
}

function emptyPack(draft: DraftPack, hasDropout: boolean): LabelPack {
  const { prefixLengths, rows } = draft;
  const { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S } = shapeOf(draft);
  const visible = new Uint8Array(B * S * (P + S));
  for (let b = 0; b < B; b++) for (let s = 0; s < S; s++) visible[(b * S + s) * (P + S) + P + s] = 1;
  return {
    ...{ numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S },
    ids: new Int32Array(Q * P + B * S),
    positions: new Int32Array(Q * P + B * S),
    prefixLengths: Int32Array.from(prefixLengths),
    rowPrefix: Int32Array.from(rows, (row) => row.prefix),
    visible, // [B, S, P + S]
    ...(hasDropout && { dropoutKeys: new Int32Array(Q * P + B * S) }),
    ...new LossRows().arrays(),
  };
}

/** Isolated rows: each item sees its prefix, its own prompt and, in each branch, that branch. */
function fill(
  draft: DraftPack,
  items: readonly Item[],
  lossOnAll: boolean,
  dropoutKeys?: readonly number[],
): LabelPack {
  const pack = emptyPack(draft, dropoutKeys !== undefined);
  const { prefixLen: P, rowLen: S, ids, positions, visible } = pack;
  const loss = new LossRows();

  for (const [b, row] of draft.rows.entries()) {
    const shared = draft.prefixLengths[row.prefix]!;
    const base = draft.prefixLengths.length * P + b * S;
    const lineOf = (s: number) => (b * S + s) * (P + S);
    let s = 0;
    let key = 0;
    /** Lays one token of the row behind another, `-1`: behind the prefix. It sees what that one sees, and itself. */
    const lay = (id: number, position: number, parent: number): number => {
      if (pack.dropoutKeys !== undefined) pack.dropoutKeys[base + s] = tokenKey(key, position);
      ids[base + s] = id;
      positions[base + s] = position;
      if (parent < 0) visible.fill(1, lineOf(s), lineOf(s) + shared);
      else visible.copyWithin(lineOf(s), lineOf(parent), lineOf(parent + 1));
      visible[lineOf(s) + P + s] = 1;
      return s++;
    };
    ids.set(items[row.items[0]!]!.prompt.subarray(0, shared), row.prefix * P);
    for (let k = 0; k < shared; k++) positions[row.prefix * P + k] = k;
    for (const index of row.items) {
      const { example, prompt, branches, learned } = items[index]!;
      key = dropoutKeys?.[example] ?? 0;
      let last = -1;
      for (let k = shared; k < prompt.length; k++) {
        if ((lossOnAll || learned?.[k] === 1) && last >= 0) loss.add(base + last, prompt[k]!, example);
        last = lay(prompt[k]!, k, last);
      }
      const path = [last]; // the token of the row that predicts each token of the branch
      const rows: number[] = []; // the loss row of each token of the branch
      for (const { ids: branch, label, common } of branches) {
        path.length = Math.min(path.length, common + 1);
        for (let j = common; j < branch.length; j++) {
          if (path.length === j) path.push(lay(branch[j - 1]!, prompt.length + j - 1, path[j - 1]!));
          if (path[j]! < 0) continue; // a document's first token
          rows[j] = loss.add(base + path[j]!, branch[j]!, example, j === branch.length - 1 ? label : -1, rows[j - 1]);
        }
      }
    }
  }
  return { ...pack, ...loss.arrays() };
}

/** Contaminated rows: whole examples one after the other, end-of-turn tokens between them, plainly causal, positions running on. */
function fillConcatenated(
  draft: DraftPack,
  items: readonly Item[],
  lossOnAll: boolean,
  dropoutKeys?: readonly number[],
): Pack {
  const pack = emptyPack(draft, dropoutKeys !== undefined);
  const { prefixLen: P, rowLen: S, ids, positions, visible } = pack;
  const loss = new LossRows();
  for (const [b, row] of draft.rows.entries()) {
    const base = draft.prefixLengths.length * P + b * S;
    let s = 0;
    for (const [place, index] of row.items.entries()) {
      const { example, prompt, branches, learned } = items[index]!;
      const answer = branches[0]!.ids;
      const length = prompt.length + answer.length;
      const firstTarget = lossOnAll || prompt.length === 0 ? 1 : prompt.length;
      for (let i = 0; i < length; i++) {
        const id = (i < prompt.length ? prompt[i] : answer[i - prompt.length]) as number;
        if (i >= firstTarget || learned?.[i] === 1) loss.add(base + s - 1, id, example);
        if (i === length - 1 && place === row.items.length - 1) break;
        if (pack.dropoutKeys !== undefined) pack.dropoutKeys[base + s] = tokenKey(dropoutKeys![example]!, i);
        ids[base + s] = id;
        positions[base + s] = s;
        const line = (b * S + s) * (P + S) + P;
        visible.fill(1, line, line + s);
        s++;
      }
    }
  }
  return { ...pack, ...loss.arrays() };
}
