/**
 * @file Examples laid out for one forward pass: which tokens go through the net, who may see whom, and which logits predict which target.
 * Loss mask and label shift live here and nowhere else. What tokens cost is weighed in layout.ts; the proof is in verify-pack.ts.
 *
 * ```
 *   prefix 0  [ shared instruction . . ]        P
 *   prefix 1  [ another one ]- - - - - -
 *
 *   row 0     [ prompt 3 | answer 3 ][ prompt 7 | answer 7 ]   S    both continue prefix 0, neither sees the other
 *   row 1     [ prompt 5 | label a | label b | label c ]- - -       scoring: each label sees the prompt and itself
 * ```
 * Legend: Q prefixes, P prefix length, B rows, S row length, N = Q*P + B*S tokens through the net, R loss rows.
 */

import { strict as assert } from "node:assert";
import type { Pack, TokenizedExample } from "../types.ts";
import { type DraftPack, draftConcatenated, draftPacks, type Item } from "./layout.ts";

/** How training examples are laid out. */
export interface PackOptions {
  /** `isolated`: several in a row, each seeing only itself; `contaminated`: plain concatenation, as arXiv 2410.01109's code did; `none`: one a row. */
  packing: "isolated" | "contaminated" | "none";
  /** Encode a prompt prefix that examples share once; exact, used only where it lowers the tokens through the net. */
  sharePrefix: boolean;
  /** Tokens through the net in one pack, Q*P + B*S; a longer example gets a pack of its own. With `contaminated`: the length of a row. */
  maxTokens: number;
  /** `answer`: the loss is on the answer and its end-of-turn token; `all`: on every token but the first (and nothing is shared then). */
  lossOn: "answer" | "all";
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
 * @returns packs whose `example` indices point into `examples`, `label` is -1
 */
export function packExamples(examples: readonly TokenizedExample[], options: PackOptions): Pack[] {
  const items = itemsOf(examples);
  const marks = { labelled: false, lossOnAll: options.lossOn === "all" };
  const lay = options.packing === "contaminated" ? fillConcatenated : fill;
  return draftsOf(items, options).map((draft) => lay(draft, items, marks));
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
export function numSupervised({ prompt, answer }: TokenizedExample, lossOn: PackOptions["lossOn"]): number {
  if (lossOn === "all") return prompt.length + answer.length - 1;
  return prompt.length === 0 ? answer.length - 1 : answer.length;
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

/** The packs of {@link packLabels}, likewise. */
export function labelPackEntries(
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
  options: LabelPackOptions,
): PackEntry[][] {
  return draftPacks(labelItems(prompts, labels), { ...options, onePerRow: false }).map(entriesOf);
}

function entriesOf({ rows, prefixLengths }: DraftPack): PackEntry[] {
  const entries = rows.flatMap(({ prefix, items }) =>
    items.map((item) => ({ item, group: prefix, shared: prefixLengths[prefix] as number })),
  );
  return entries.sort((a, b) => a.group - b.group);
}

function itemsOf(examples: readonly TokenizedExample[]): Item[] {
  return examples.map((example) => itemOf(example.prompt, [example.answer]));
}

function draftsOf(items: readonly Item[], { packing, sharePrefix, maxTokens, lossOn }: PackOptions): DraftPack[] {
  if (packing === "contaminated") return draftConcatenated(items, maxTokens);
  return draftPacks(items, {
    sharePrefix: sharePrefix && lossOn === "answer",
    onePerRow: packing === "none",
    maxTokens,
  });
}

/**
 * Packs prompts with all their labels, so that one forward pass scores every label of every prompt.
 *
 * @param prompts  only `prompt` is read
 * @param labels   of an example, by its index: each with its end-of-turn token, as {@link tokenizeLabels} gives them
 * @returns packs whose loss rows carry the index of the prompt and of the label
 */
export function packLabels(
  prompts: readonly TokenizedExample[],
  labels: (example: number) => readonly Int32Array[],
  options: LabelPackOptions,
): Pack[] {
  const items = labelItems(prompts, labels);
  return draftPacks(items, { ...options, onePerRow: false }).map((draft) =>
    fill(draft, items, { labelled: true, lossOnAll: false }),
  );
}

function labelItems(prompts: readonly TokenizedExample[], labels: (example: number) => readonly Int32Array[]): Item[] {
  return prompts.map(({ prompt, id }, i) => {
    assert(prompt.length > 0, `packing: prompt ${id} has no tokens`);
    return itemOf(prompt, labels(i));
  });
}

function itemOf(prompt: Int32Array, branches: readonly Int32Array[]): Item {
  let numFed = prompt.length;
  for (const branch of branches) {
    assert(branch.length > 0, "packing: an answer or label has no tokens");
    numFed += branch.length - 1;
  }
  assert(numFed > 0, "packing: an example of a single token predicts nothing");
  return { prompt, branches, numFed };
}

/** What becomes a loss row. */
interface Marks {
  labelled: boolean;
  lossOnAll: boolean;
}

/** Collects the loss rows of a pack. */
class LossRows {
  private readonly rows: number[] = [];
  private readonly targets: number[] = [];
  private readonly examples: number[] = [];
  private readonly labels: number[] = [];

  add(row: number, target: number, example: number, label: number): void {
    this.rows.push(row);
    this.targets.push(target);
    this.examples.push(example);
    this.labels.push(label);
  }

  arrays(): Pick<Pack, "lossRows" | "targets" | "example" | "label"> {
    return {
      lossRows: Int32Array.from(this.rows),
      targets: Int32Array.from(this.targets),
      example: Int32Array.from(this.examples),
      label: Int32Array.from(this.labels),
    };
  }
}

function shapeOf({ prefixLengths, prefixLen, rowLen, rows }: DraftPack): Omit<PackShape, "numLossRows"> {
  return { numPrefixes: prefixLengths.length, prefixLen, numRows: rows.length, rowLen };
}

function emptyPack(draft: DraftPack): Pack {
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
    ...new LossRows().arrays(),
  };
}

/** Isolated rows: each item sees its prefix, its own prompt and, in each branch, that branch. */
function fill(draft: DraftPack, items: readonly Item[], { labelled, lossOnAll }: Marks): Pack {
  const pack = emptyPack(draft);
  const { prefixLen: P, rowLen: S, ids, positions, visible } = pack;
  const base = draft.prefixLengths.length * P;
  const loss = new LossRows();

  for (const [b, row] of draft.rows.entries()) {
    const shared = draft.prefixLengths[row.prefix] as number;
    let s = 0;
    /** Lays one token; it sees the prefix, `from … to` of its row and itself. */
    const lay = (id: number, position: number, from: number, to: number, branchFrom: number): number => {
      const n = base + b * S + s;
      ids[n] = id;
      positions[n] = position;
      const line = (b * S + s) * (P + S);
      visible.fill(1, line, line + shared);
      visible.fill(1, line + P + from, line + P + to);
      visible.fill(1, line + P + branchFrom, line + P + s);
      s++;
      return n;
    };
    ids.set((items[row.items[0] as number] as Item).prompt.subarray(0, shared), row.prefix * P);
    for (let k = 0; k < shared; k++) positions[row.prefix * P + k] = k;
    for (const index of row.items) {
      const { prompt, branches } = items[index] as Item;
      const start = s;
      let last = -1;
      for (let k = shared; k < prompt.length; k++) {
        if (lossOnAll && last >= 0) loss.add(last, prompt[k] as number, index, -1);
        last = lay(prompt[k] as number, k, start, s, s);
      }
      const end = s;
      for (const [label, branch] of branches.entries()) {
        const branchFrom = s;
        let before = last;
        for (let j = 0; j < branch.length; j++) {
          if (before >= 0) loss.add(before, branch[j] as number, index, labelled ? label : -1);
          if (j < branch.length - 1) before = lay(branch[j] as number, prompt.length + j, start, end, branchFrom);
        }
      }
    }
  }
  return { ...pack, ...loss.arrays() };
}

/** Contaminated rows: whole examples one after the other, end-of-turn tokens between them, plainly causal, positions running on. */
function fillConcatenated(draft: DraftPack, items: readonly Item[], { lossOnAll }: Marks): Pack {
  const pack = emptyPack(draft);
  const { prefixLen: P, rowLen: S, ids, positions, visible } = pack;
  const loss = new LossRows();
  for (const [b, row] of draft.rows.entries()) {
    const base = draft.prefixLengths.length * P + b * S;
    let s = 0;
    for (const [place, index] of row.items.entries()) {
      const { prompt, branches } = items[index] as Item;
      const answer = branches[0] as Int32Array;
      const length = prompt.length + answer.length;
      const firstTarget = lossOnAll || prompt.length === 0 ? 1 : prompt.length;
      for (let i = 0; i < length; i++) {
        const id = (i < prompt.length ? prompt[i] : answer[i - prompt.length]) as number;
        if (i >= firstTarget) loss.add(base + s - 1, id, index, -1);
        if (i === length - 1 && place === row.items.length - 1) break;
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
