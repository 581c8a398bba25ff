/** @file Real examples of a task as a model sees them, token by token, with what is trained on marked. */

import { DataError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import { openTemplate } from "../../data/tokens/chat-template.ts";
import { cutDocument } from "../../data/tokens/documents.ts";
import { learnEarlier, templateNotes, tokenizeToFit } from "../../data/tokens/prepare.ts";
import { openTokenizer, type Tokenizer } from "../../data/tokens/tokenizers.ts";
import type { LoadedTask, TokenizedExample } from "../../data/types.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { Split, StudySpec, TrainSpec } from "../../specs/types.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { tokenizerDir } from "../models/named-model.ts";
import type { Workspace } from "../workspace.ts";
import { CHECK_MODEL } from "./check-tasks.ts";
import { fetchHubData } from "./hub-data.ts";
import { type TaskOptions, taskNamed } from "./named-task.ts";

export const SHOWN_EXAMPLES = 3;

export interface ShowOptions {
  /** Describes the task; default: the catalogue does. */
  study?: StudySpec | undefined;
  /** Whose tokenizer and template are used; default the study's first, else mixtune/tiny. */
  model?: string | undefined;
  /** Default: the first of train, dev and test that has examples. */
  split?: Split | undefined;
  /** Examples; default 3. */
  limit?: number | undefined;
  /** Most tokens of an example, without a study; default as of a study. */
  cutoffLen?: number | undefined;
  /** Of a task of the catalogue. */
  task?: TaskOptions | undefined;
}

interface ShownToken {
  id: number;
  text: string;
  trained: boolean;
}

/** An example as it is trained on or scored. Names as in the JSON that is printed. */
export interface ShownExample {
  id: string;
  group: string;
  answer: string;
  num_tokens: number;
  /** Left out of the prompt by the task's fit. */
  tokens_left_out: number;
  too_long: boolean;
  tokens: ShownToken[];
}

/** Names as in the JSON that is printed. */
export interface ShownTask extends Pick<LoadedTask, "name" | "answer" | "metric" | "licence" | "source" | "notes"> {
  /** Examples of each split. */
  rows: Record<Split, number>;
  /** Name of the chat template. */
  template: string;
  split: Split;
  examples: ShownExample[];
}

/** What stands around {@link ShownTask} for people. */
export interface Shown {
  task: ShownTask;
  lossOn: TrainSpec["loss_on"];
  /** Of each example its text, cut where what is trained on begins and ends. */
  texts: { text: string; trained: boolean }[][];
}

/**
 * The first examples of a split under a model's tokenizer and template.
 * @throws {SpecError} an unknown task or model
 * @throws {DataError} a split without examples
 */
export async function showTask(name: string, workspace: Workspace, options: ShowOptions = {}): Promise<Shown> {
  const { study, model = study?.models[0] ?? CHECK_MODEL } = options;
  const spec = { ...taskNamed(name, study && ingredientTasks(study)), ...options.task };
  const dataRoot = study?.data_root ?? workspace.settings.dataRoot;
  const data = await fetchHubData({ [spec.name]: spec }, dataRoot, workspace);
  const task = await loadTask(spec, { ...data, isOnlyEvaluated: true });
  const folder = await tokenizerDir(model, "options.model", workspace);
  const tokenizer = openTokenizer(folder);
  const template = openTemplate(folder, tokenizer);
  const split =
    options.split ?? (["train", "dev", "test"] as const).find((one) => task.splits[one].length > 0) ?? "train";
  if (task.splits[split].length === 0) throw withoutExamples(task, split);
  const cutoffLen = study?.train.cutoff_len ?? options.cutoffLen ?? TRAIN_DEFAULTS.cutoff_len;
  const lossOn = study?.train.loss_on ?? "answer";
  const examples = task.splits[split].slice(0, options.limit ?? SHOWN_EXAMPLES).map((row): ShownExample => {
    const { example, whole, tokensLost } = tokenizeToFit(row, task, tokenizer, template, cutoffLen);
    if (lossOn === "all_answers") learnEarlier(example, whole, task, tokenizer, template);
    const pieces = task.answer.kind === "document" ? cutDocument(whole, cutoffLen) : [whole];
    const tokens = markedTokens(pieces[0]!, lossOn, tokenizer);
    return {
      id: row.id,
      group: row.group,
      answer: row.answer,
      num_tokens: tokens.length,
      tokens_left_out: tokensLost,
      too_long: tokens.length > cutoffLen,
      tokens,
    };
  });
  const { answer, metric, licence, source, splits } = task;
  const notes = [...task.notes, ...templateNotes(task, split, template)];
  const rows = { train: splits.train.length, dev: splits.dev.length, test: splits.test.length };
  return {
    task: { name: task.name, answer, metric, licence, source, notes, rows, template: template.name, split, examples },
    lossOn,
    texts: examples.map(({ tokens }) => textsOf(tokens, tokenizer)),
  };
}

/** Tokens that the loss is on are marked, as packing.ts has it: a token is trained on where one before it predicts it. */
function markedTokens(
  { prompt, answer, spans = new Int32Array(0) }: TokenizedExample,
  lossOn: TrainSpec["loss_on"],
  tokenizer: Tokenizer,
): ShownToken[] {
  const first = Math.max(1, lossOn === "all" ? 1 : prompt.length);
  const isEarlier = (i: number) => spans.filter((place) => place <= i).length % 2 === 1;
  return [...prompt, ...answer].map((id, i) => {
    return { id, text: tokenizer.decode([id]), trained: i >= first || isEarlier(i) };
  });
}

/** The text of the tokens in runs, as pieces of one character may be several tokens. */
function textsOf(tokens: readonly ShownToken[], tokenizer: Tokenizer): Shown["texts"][number] {
  const starts = [...tokens.keys()].filter((i) => i === 0 || tokens[i]!.trained !== tokens[i - 1]!.trained);
  return starts.map((start, k) => {
    const run = tokens.slice(start, starts[k + 1]);
    return { text: tokenizer.decode(run.map(({ id }) => id)), trained: run[0]!.trained };
  });
}

function withoutExamples({ name, splits }: LoadedTask, split: Split): DataError {
  const present = Object.entries(splits).filter(([, examples]) => examples.length > 0);
  return new DataError({
    place: `task ${name}: ${split}`,
    expected: "at least one example",
    got: "none",
    remedy: `It has ${present.map(([one]) => one).join(" and ") || "no examples at all"}.`,
  });
}
