/** @file Real examples of a task as a model sees them, token by token, with what is trained on marked. */

import { DataError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import { visible } from "../../base/visible.ts";
import { openTemplate } from "../../data/tokens/chat-template.ts";
import { cutDocument } from "../../data/tokens/documents.ts";
import { tokenizeToFit } from "../../data/tokens/prepare.ts";
import { openTokenizer, type Tokenizer } from "../../data/tokens/tokenizers.ts";
import type { LoadedTask, TokenizedExample } from "../../data/types.ts";
import type { Split, TrainSpec } from "../../specs/types.ts";

/** Stand around what is trained on. */
const TRAINED = { open: "⟦", close: "⟧" };

export interface ShowOptions {
  /** Absent: the first of train, dev and test that has examples. */
  split: Split | undefined;
  limit: number;
  cutoffLen: number;
  lossOn: TrainSpec["loss_on"];
}

interface ShownToken {
  id: number;
  text: string;
  trained: boolean;
}

/** An example as it is trained on or scored. Names as in the JSON that is printed. */
interface ShownExample {
  id: string;
  group: string;
  answer: string;
  num_tokens: number;
  /** Left out of the prompt by the task's fit. */
  tokens_left_out: number;
  too_long: boolean;
  tokens: ShownToken[];
}

/**
 * The first examples of a split under a model's tokenizer and template.
 * @throws {DataError} a split without examples
 */
export function showTask(task: LoadedTask, folder: string, options: ShowOptions): { record: object; text: string } {
  const tokenizer = openTokenizer(folder);
  const template = openTemplate(folder, tokenizer);
  const split =
    options.split ?? (["train", "dev", "test"] as const).find((name) => task.splits[name].length > 0) ?? "train";
  if (task.splits[split].length === 0) {
    const present = Object.entries(task.splits).filter(([, examples]) => examples.length > 0);
    throw new DataError({
      place: `task ${task.name}: ${split}`,
      expected: "at least one example",
      got: "none",
      remedy: `It has ${present.map(([name]) => name).join(" and ") || "no examples at all"}.`,
    });
  }
  const examples = task.splits[split].slice(0, options.limit).map((row): ShownExample => {
    const { whole, tokensLost } = tokenizeToFit(row, task, tokenizer, template, options.cutoffLen);
    const pieces = task.answer.kind === "document" ? cutDocument(whole, options.cutoffLen) : [whole];
    const tokens = markedTokens(pieces[0]!, options.lossOn, tokenizer);
    return {
      id: row.id,
      group: row.group,
      answer: row.answer,
      num_tokens: tokens.length,
      tokens_left_out: tokensLost,
      too_long: tokens.length > options.cutoffLen,
      tokens,
    };
  });
  const { name, metric, licence, source, notes, answer } = task;
  const sizes = Object.fromEntries(Object.entries(task.splits).map(([key, rows]) => [key, rows.length]));
  const record = {
    name,
    answer,
    metric,
    licence,
    source,
    notes,
    rows: sizes,
    template: template.name,
    split,
    examples,
  };
  const head = [
    `${name}: ${answer.kind}, ranked by ${metric}`,
    `licence: ${licence}`,
    `source: ${source}`,
    ...(answer.kind === "label" ? [`labels: ${answer.labels.join(", ")}`] : []),
    `rows: ${Object.entries(sizes)
      .map(([key, n]) => `${count(n)} ${key}`)
      .join(", ")}`,
    ...notes,
  ];
  const legend = `${TRAINED.open}…${TRAINED.close}: what is trained on (template: ${template.name}, loss_on: ${options.lossOn}).`;
  const body = examples.map((example) => `--- ${headOf(example)}\n${bodyOf(example, tokenizer)}`);
  return { record, text: visible([...head, "", ...body, "", legend].join("\n")) };
}

function headOf({ id, num_tokens, tokens_left_out, too_long }: ShownExample): string {
  const fitted = tokens_left_out > 0 ? `, ${count(tokens_left_out)} left out to fit` : "";
  return `${id} (${count(num_tokens)} tokens${fitted}${too_long ? ", longer than train.cutoff_len" : ""})`;
}

/** Tokens that the loss is on are marked, as packing.ts has it: a token is trained on where one before it predicts it. */
function markedTokens(
  { prompt, answer }: TokenizedExample,
  lossOn: TrainSpec["loss_on"],
  tokenizer: Tokenizer,
): ShownToken[] {
  const first = Math.max(1, lossOn === "all" ? 1 : prompt.length);
  return [...prompt, ...answer].map((id, i) => ({ id, text: tokenizer.decode([id]), trained: i >= first }));
}

/** The text of the tokens in runs, as pieces of one character may be several tokens. */
function bodyOf({ tokens }: ShownExample, tokenizer: Tokenizer): string {
  const first = tokens.findIndex(({ trained }) => trained);
  const text = (list: readonly ShownToken[]) => tokenizer.decode(list.map(({ id }) => id));
  if (first < 0) return text(tokens);
  return `${text(tokens.slice(0, first))}${TRAINED.open}${text(tokens.slice(first))}${TRAINED.close}`;
}
