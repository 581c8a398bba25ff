/** @file A loaded task for one tokenizer and template: token ids, lengths and digests of each split, made when first asked for and kept. */

import { sha256 } from "../base/digest.ts";
import { DataError, type MixtuneError } from "../base/errors.ts";
import type { Split, TrainSpec } from "../specs/types.ts";
import type { ExampleLengths } from "./batches.ts";
import { type PromptTemplate, tokenizeExample, tokenizeLabels } from "./chat-template.ts";
import { cutDocument } from "./documents.ts";
import type { Tokenizer } from "./tokenizers.ts";
import type { Example, LoadedTask, TokenizedExample } from "./types.ts";

/** One split as token ids; all lists run alike. */
export interface PreparedSplit {
  /** The example of each tokenised one; a document cut into windows stands here once per window. */
  examples: Example[];
  tokenized: TokenizedExample[];
  lengths: ExampleLengths;
  /** Tokens of all examples together. */
  numTokens: number;
  /** Digest of the rendered prompts and answers in order: part of the run id. */
  rowsDigest: string;
  /** Rows that were left out, with `on_bad_row: skip`. */
  notes: string[];
}

export interface PreparedTask {
  task: LoadedTask;
  /** The labels' ids with their end-of-turn token, in label order; absent where the answer is not a label. */
  labels?: Int32Array[];
  /** @throws {DataError} a row that cannot be used, unless skipped */
  split(name: Split): PreparedSplit;
}

export interface PrepareOptions {
  /** `train.cutoff_len`: the longest example, prompt, answer and end-of-turn token together. */
  cutoffLen: number;
  lossOn: TrainSpec["loss_on"];
  /** As the task's `on_bad_row`; what cannot be tokenised is such a row too. */
  onBadRow: "stop" | "skip";
}

/**
 * Prepares a task. Nothing is tokenised until a split is asked for, but the labels.
 * @throws {DataError} labels that the tokenizer cannot tell apart
 */
export function prepareTask(
  task: LoadedTask,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  options: PrepareOptions,
): PreparedTask {
  const made = new Map<Split, PreparedSplit>();
  const split = (name: Split): PreparedSplit => {
    const known = made.get(name) ?? prepareSplit(task, name, tokenizer, template, options);
    made.set(name, known);
    return known;
  };
  if (task.answer.kind !== "label") return { task, split };
  return { task, labels: tokenizeLabels(task.answer.labels, tokenizer, template), split };
}

function prepareSplit(
  task: LoadedTask,
  split: Split,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  { cutoffLen, lossOn, onBadRow }: PrepareOptions,
): PreparedSplit {
  const isDocument = task.answer.kind === "document";
  const examples: Example[] = [];
  const tokenized: TokenizedExample[] = [];
  const skipped: string[] = [];
  const rendered: string[] = [];
  for (const example of task.splits[split]) {
    try {
      const whole = tokenizeExample(example, task.answer, tokenizer, template);
      const pieces = isDocument ? cutDocument(whole, cutoffLen) : [whole];
      for (const piece of pieces) {
        if (piece.prompt.length + piece.answer.length > cutoffLen) throw tooLong(piece, cutoffLen);
        if (numSupervised(piece, lossOn) === 0) throw nothingToLearn(piece);
        examples.push(example);
        tokenized.push(piece);
      }
      rendered.push(isDocument ? "" : template.render(example.prompt), template.answerText(example.answer));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const named = atRow(error, `example ${task.name}/${example.id}`);
      if (onBadRow === "stop") throw named;
      skipped.push(`${example.id} (${named.got})`);
    }
  }
  const tokens = Int32Array.from(tokenized, ({ prompt, answer }) => prompt.length + answer.length);
  return {
    examples,
    tokenized,
    lengths: { tokens, supervised: Int32Array.from(tokenized, (piece) => numSupervised(piece, lossOn)) },
    numTokens: tokens.reduce((sum, length) => sum + length, 0),
    rowsDigest: sha256(JSON.stringify(rendered)),
    notes:
      skipped.length === 0 ? [] : [`${task.name}/${split}: ${skipped.length} rows skipped: ${skipped.join("; ")}.`],
  };
}

/** Tokens that the loss is on: as packing.ts has it. */
function numSupervised({ prompt, answer }: TokenizedExample, lossOn: TrainSpec["loss_on"]): number {
  if (lossOn === "all") return prompt.length + answer.length - 1;
  return prompt.length === 0 ? answer.length - 1 : answer.length;
}

function tooLong({ id, prompt, answer }: TokenizedExample, cutoffLen: number): DataError {
  return new DataError({
    place: id,
    expected: `at most ${cutoffLen} tokens (train.cutoff_len)`,
    got: `${prompt.length + answer.length} tokens`,
    remedy: "Raise train.cutoff_len, shorten the row, or set on_bad_row: skip.",
  });
}

function nothingToLearn({ id }: TokenizedExample): DataError {
  return new DataError({
    place: id,
    expected: "at least one token that the loss is on",
    got: "none",
    remedy: "Give the row an answer, remove it, or set on_bad_row: skip.",
  });
}

function atRow(error: MixtuneError, place: string): DataError {
  return new DataError({ place, expected: error.expected, got: error.got, remedy: error.remedy, cause: error.cause });
}
