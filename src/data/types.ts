/**
 * @file What the data side hands over: examples as text, examples as token ids, and packs of token ids laid out for one forward pass.
 * Nothing here knows tensors; train and eval turn packs into them.
 *
 * Legend: Q prefixes, P prefix length, B rows, S row length, N = Q*P + B*S tokens through the net, R loss rows.
 */

import type { Gold } from "../specs/gold.ts";
import type { Message } from "../specs/message.ts";
import type { AnswerSpec, MetricName, Split } from "../specs/types.ts";

/** One row after the task has shaped it. */
export interface Example {
  /** `<split>#<number>`, unique in its task. */
  id: string;
  /** The question as one text, before any template. Empty for kind `document`. */
  prompt: string;
  /** The turns of a conversation before the answer. Absent: one user's turn, the prompt. */
  turns?: readonly Message[];
  /** Indices of answers among `turns` that the row marks not to be trained on. Absent: none. */
  unlearned?: readonly number[];
  /** The gold answer's text; for kind `label` exactly one of the labels. */
  answer: string;
  /** Examples of one group stay in one split and are resampled together. */
  group: string;
  /** The row's own words, without the instruction around them: what is compared between splits. Absent: the prompt, or a document's answer. */
  text?: string;
  /** The part of the prompt that is shortened where the example is longer than cutoff_len (fit.ts). */
  fit?: FitRange;
  /** What scoring needs beyond the answer's text; dev and test only. */
  gold?: Gold;
}

/** An example as it is shown in front of a question. */
export type Shot = Pick<Example, "prompt" | "turns" | "answer">;

/** Characters [from, to) of a prompt, and which end of them stays. */
export interface FitRange {
  from: number;
  to: number;
  keep: "start" | "end";
}

/** A task with its data in memory. */
export interface LoadedTask {
  name: string;
  answer: AnswerSpec;
  metric: MetricName;
  licence: string;
  source: string;
  /** What one group is, where other tasks name theirs alike ("report page"): equal groups of one unit are compared between tasks (leakage.ts). */
  unit?: string;
  /** A benchmark: its train is empty, and training on it is refused. */
  isEvaluationOnly?: boolean;
  splits: Record<Split, Example[]>;
  /** Examples of train that stand in front of every question (few-shot.ts). */
  shots?: readonly Shot[];
  /** Digest of each split's prompts, answers and groups, in order. */
  digests: Record<Split, string>;
  /** What was counted, skipped or carved while loading: sentences for people. */
  notes: string[];
  /** Rows that a model cannot read are left out of its scores, and counted (`on_bad_row: skip`). Absent: they are an error. */
  skipsBadRows?: boolean;
  /** Rows that are in no split, as they could not be used (`on_bad_row: skip`). Absent: none. */
  numUnusable?: number;
  /** Training rows, and dev rows carved from them, that are left out, as a dev or test split has them (`on_overlap: drop`). Absent: none. */
  overlapping?: OverlappingRow[];
}

/** A training row, or a dev row carved from them, that another split has too. Names as in the JSON of `tasks check`. */
export interface OverlappingRow {
  /** `train#12`: the row's line in its file. */
  row: string;
  /** Where it is held out: `stance/test#7`. */
  held_out: string;
  /** `text`, or what the group is. */
  by: string;
}

/** An example as token ids. */
export interface TokenizedExample {
  id: string;
  /** Rendered prompt, generation prompt included. Empty for documents. */
  prompt: Int32Array;
  /** Answer with its end-of-turn token. */
  answer: Int32Array;
  /**
   * Earlier answers in the prompt that are trained on too (`loss_on: all_answers`): rising [from, to) token places, one after another, none at 0.
   * Absent: none.
   */
  spans?: Int32Array;
}

/**
 * Token ids laid out for one forward pass: Q shared prefixes of at most P tokens, then B rows of S tokens, each row continuing one prefix.
 * P >= 1 always: a pack without sharing has Q = 1, P = 1, prefixLengths = [0] (one padding token that nobody attends to).
 */
export interface Pack {
  numPrefixes: number; // Q
  prefixLen: number; // P
  numRows: number; // B
  rowLen: number; // S
  /** [N] prefixes first (row-major [Q, P]), then rows ([B, S]). Padding is id 0. */
  ids: Int32Array;
  /** [N] position of each token in its own sequence (a row token after a prefix of length l starts at l). */
  positions: Int32Array;
  /** [Q] real tokens of each prefix; prefixes are causal. */
  prefixLengths: Int32Array;
  /** [B] the prefix that a row continues. */
  rowPrefix: Int32Array;
  /** [B, S, P + S] 1 where a row token may attend to a key (its prefix's tokens first, then its row's). Every token, padding too, sees itself. */
  visible: Uint8Array;
  /** [R] index into the N tokens of the position whose logits predict targets[r]. */
  lossRows: Int32Array;
  /** [R] */
  targets: Int32Array;
  /** [R] index into the list of examples that was packed. */
  example: Int32Array;
  /** [R] the label that ends with the target when labels are scored; -1 inside labels, and in training. */
  label: Int32Array;
  /** [N] keys of tokens in training with dropout (base/dropout-mask.ts); padding has 0. */
  dropoutKeys?: Int32Array;
}

/** A pack of prompts with their labels. Labels that begin alike share the loss rows of their beginning: a label's rows are a path. */
export interface LabelPack extends Pack {
  /** [R] the loss row of the label's token before, always an earlier row; -1 for a label's first token. */
  before: Int32Array;
}
