/** @file Opens a finished run or a model folder for predict: prompts in, answers out, each with its probability. */

import { DataError } from "../../base/errors.ts";
import type { NoAnswer } from "../../data/answers.ts";
import type { AskedAnswer, Question } from "../../data/asked-task.ts";
import { endIdsOf, type PromptTemplate, tokenizeLabels } from "../../data/tokens/chat-template.ts";
import { lengthOf } from "../../data/tokens/fit.ts";
import { tokenizeToFit } from "../../data/tokens/prepare.ts";
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
  const options = { threads: opened.threads, maxPositions: maxPositions(opened.model.config, cutoffOf(opened)) };
  if (answer.kind === "label") return labelPicker(opened, answer.labels, options);
  return writer(opened, answer.kind, await newTokens(opened.template), options, workspace.signal);
}

/** Longest example, in tokens, that a run was trained on. */
function cutoffOf({ spec }: OpenedModel): number {
  return spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
}

async function labelPicker(opened: OpenedModel, labels: readonly string[], options: NetworkOptions): Promise<Answerer> {
  const { model, template, tuning } = opened;
  const ids = tokenizeLabels(labels, template);
  const network = await Network.create("score", model.config, tuning, options);
  const parameters = parametersOf(opened, network.layout);
  return {
    batch: LABEL_BATCH,
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
  signal: AbortSignal,
): Promise<Answerer> {
  const { model, tokenizer, template, tuning } = opened;
  const network = await CachedNetwork.create(model.config, tuning, options);
  const parameters = parametersOf(opened, network.layout);
  const lead = template.answerText("");
  return {
    batch: MAX_ROWS,
    answer: async (prompts, onProgress) => {
      const written = await generate(network, parameters, prompts, {
        endIds: endIdsOf(template, tokenizer),
        maxNewTokens,
        decode: tokenizer.decode,
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

/** A question as tokens, shortened where its task declares what may go. */
export interface Asked {
  whole: TokenizedExample;
  tokensLost: number;
}

/**
 * How a model reads questions. One that is too long for it, or that its template does not take, has no answer.
 * @throws {DataError} labels that the tokenizer cannot tell apart
 */
export function questionReader(opened: OpenedModel, answer: AskedAnswer): (question: Question) => Asked | NoAnswer {
  const { model, tokenizer, template } = opened;
  const limit = Math.min(cutoffOf(opened), maxPositions(model.config, cutoffOf(opened)));
  const longest = answer.kind === "label" ? longestOf(answer.labels, template) : SHORTEST;
  const kind = { answer: { kind: "text", field: "" } } as const;
  return ({ id, prompt, turns, fit }) => {
    const example = { id, prompt, answer: longest, group: "", ...(turns && { turns }), ...(fit && { fit }) };
    try {
      const { whole, tokensLost } = tokenizeToFit(example, kind, tokenizer, template, limit);
      if (lengthOf(whole) <= limit) return { whole, tokensLost };
      return { problem: `prompt and answer are ${lengthOf(whole)} tokens, at most ${limit} are read` };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { problem: `expected ${error.expected}, got ${error.got}` };
    }
  };
}

function longestOf(labels: readonly string[], template: PromptTemplate): string {
  const ids = tokenizeLabels(labels, template);
  return labels[ids.reduce((most, { length }, i) => (length > ids[most]!.length ? i : most), 0)]!;
}
