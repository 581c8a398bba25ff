/** @file Opens a finished run or a model folder for predict: prompts in, answers out, each with its probability. */

import { DataError } from "../../base/errors.ts";
import type { AskedAnswer, Question } from "../../data/asked-task.ts";
import { endIdsOf, type PromptTemplate, tokenizeLabels } from "../../data/tokens/chat-template.ts";
import { lengthOf } from "../../data/tokens/fit.ts";
import { tokenizeToFit } from "../../data/tokens/prepare.ts";
import type { Tokenizer } from "../../data/tokens/tokenizers.ts";
import type { TokenizedExample } from "../../data/types.ts";
import { generate, MAX_ROWS } from "../../eval/generate.ts";
import { scoreLabels } from "../../eval/score.ts";
import { CachedNetwork } from "../../models/cached-network.ts";
import { Network, type NetworkOptions } from "../../models/network.ts";
import { maxPositions } from "../../models/tuning.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import { type OpenedModel, parametersOf } from "../models/model-files.ts";
import type { Workspace } from "../workspace.ts";
import { type Predicted, pickedLabel, writtenAnswer } from "./predicted.ts";

/** An opened model. */
export interface Answerer {
  /** Prompts that are best asked together. What is answered depends on them in the last bits of rounding. */
  batch: number;
  /**
   * A question as tokens, shortened where its task declares what may go.
   * @throws {DataError} too long
   */
  tokenize(question: Question): { whole: TokenizedExample; tokensLost: number };
  /** Null where the person said stop before all were answered. */
  answer(prompts: readonly TokenizedExample[], onProgress: (done: number) => void): Promise<Predicted[] | null>;
  close(): Promise<void>;
}

/** Labels that are scored together. */
const LABEL_BATCH = 64;

/**
 * Opens a model. A run answers with the threads and the checkpoint it was evaluated with, and to prompts as long as it was trained on.
 *
 * @param newTokens  the most tokens of a generated answer, once the model's tokenizer is known
 * @throws {SpecError} a run that is not done
 * @throws {WorkerError} one whose weights were not kept
 */
export async function openAnswerer(
  opened: OpenedModel,
  answer: AskedAnswer,
  newTokens: (template: PromptTemplate) => Promise<number>,
  workspace: Workspace,
): Promise<Answerer> {
  const cutoffLen = opened.spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
  const options = { threads: opened.threads, maxPositions: maxPositions(opened.model.config, cutoffLen) };
  const limit = Math.min(cutoffLen, options.maxPositions);
  if (answer.kind === "label") return labelPicker(opened, answer.labels, options, limit);
  return writer(opened, answer.kind, await newTokens(opened.template), options, limit, workspace.signal);
}

async function labelPicker(
  opened: OpenedModel,
  labels: readonly string[],
  options: NetworkOptions,
  limit: number,
): Promise<Answerer> {
  const { model, tokenizer, template, tuning } = opened;
  const ids = tokenizeLabels(labels, template);
  const longest = labels[ids.reduce((most, { length }, i) => (length > ids[most]!.length ? i : most), 0)]!;
  const network = await Network.create("score", model.config, tuning, options);
  const parameters = parametersOf(opened, network.layout);
  return {
    batch: LABEL_BATCH,
    tokenize: (question) => tokenized(question, longest, tokenizer, template, limit),
    answer: async (prompts) => {
      const scores = await scoreLabels(network, parameters, prompts, ids);
      return scores.map((row) => pickedLabel(labels, row));
    },
    close: () => network.release(),
  };
}

async function writer(
  opened: OpenedModel,
  kind: Exclude<AskedAnswer["kind"], "label">,
  maxNewTokens: number,
  options: NetworkOptions,
  limit: number,
  signal: AbortSignal,
): Promise<Answerer> {
  const { model, tokenizer, template, tuning } = opened;
  const network = await CachedNetwork.create(model.config, tuning, options);
  const parameters = parametersOf(opened, network.layout);
  const lead = template.answerText("");
  return {
    batch: MAX_ROWS,
    tokenize: (question) => tokenized(question, SHORTEST, tokenizer, template, limit),
    answer: async (prompts, onProgress) => {
      const written = await generate(network, parameters, prompts, {
        endIds: endIdsOf(template, tokenizer),
        maxNewTokens,
        decode: (ids) => tokenizer.decode(ids),
        logprobs: true,
        isWanted: () => !signal.aborted,
        onProgress: async (done) => onProgress(done),
      });
      if (written.some(({ stopped }) => stopped === "dropped")) return null;
      return written.map((answer) => writtenAnswer(kind, answer, lead));
    },
    close: () => network.release(),
  };
}

/** Stands for an answer that is not known: a prompt must have room for this one at least. */
const SHORTEST = "0";

function tokenized(
  { id, prompt, turns, fit }: Question,
  answer: string,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  limit: number,
): { whole: TokenizedExample; tokensLost: number } {
  const example = { id, prompt, answer, group: "", ...(turns && { turns }), ...(fit && { fit }) };
  const kind = { answer: { kind: "text", field: "" } } as const;
  const { whole, tokensLost } = tokenizeToFit(example, kind, tokenizer, template, limit);
  if (lengthOf(whole) <= limit) return { whole, tokensLost };
  throw new DataError({
    place: id,
    expected: `a prompt that is at most ${limit} tokens long with an answer`,
    got: `${lengthOf(whole)} tokens`,
    remedy:
      "Shorten the row, declare a fit for the task, or use a model that was trained with a larger train.cutoff_len.",
  });
}
