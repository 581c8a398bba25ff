/** @file A finished run or a base model, opened to write answers and to score labels from a program. */

import { endIdsOf, tokenizeLabels } from "../../data/tokens/chat-template.ts";
import { generate } from "../../eval/generate.ts";
import { answerLead, CHAT_TOKENS, chatPrompt, type LocalModel } from "../../eval/local-model.ts";
import type { Sampling } from "../../eval/sampling.ts";
import { scoreLabels } from "../../eval/score.ts";
import type { Message } from "../../specs/message.ts";
import type { Workspace } from "../workspace.ts";
import { openLocalModels } from "./served-models.ts";

/** One message of a user, or a conversation whose last message is a user's. */
export type PromptInput = string | readonly Message[];

export interface AnswerOptions {
  /** Default 512. */
  maxNewTokens?: number | undefined;
  /** Temperature, top_p and seed; default the likeliest token at each step. */
  sampling?: Sampling | undefined;
}

/** A written answer. */
export interface WrittenAnswer {
  text: string;
  /** `length`: cut at maxNewTokens or at the end of the context. `interrupted`: the workspace's signal fired. */
  finishReason: "stop" | "length" | "interrupted";
}

/** An opened model. Close it when done: it holds its weights in memory. */
export interface OpenModel {
  /** A run's mixture, or the model's name. */
  name: string;
  /** Tokens of a prompt with its answer. */
  contextLen: number;
  /**
   * Answers each prompt through the model's chat template.
   * @throws {DataError} a prompt without room for an answer
   */
  answer(prompts: readonly PromptInput[], options?: AnswerOptions): Promise<WrittenAnswer[]>;
  /**
   * Log-probability of each label as the answer to each prompt, in nats.
   * @returns [prompts][labels]
   */
  scoreLabels(prompts: readonly PromptInput[], labels: readonly string[]): Promise<number[][]>;
  close(): Promise<void>;
}

/**
 * Opens a run's directory, one checkpoint of it, a model folder, `org/name` of the hub, or `mixtune/tiny`.
 * @param options.contextLen  tokens of prompt that there is room for; default 2048, or what a run was trained with
 * @throws {SpecError|CheckpointError} a name behind which there is no model, a run that is not done
 */
export async function openModel(
  name: string,
  workspace: Workspace,
  { contextLen }: { contextLen?: number | undefined } = {},
): Promise<OpenModel> {
  const { models, close } = await openLocalModels([name], { contextLen }, workspace);
  const model = models[0]!;
  return {
    name: model.name,
    contextLen: model.network.maxPositions,
    answer: (prompts, options) => answers(model, prompts, options, workspace.signal),
    scoreLabels: async (prompts, labels) => {
      const answer = new Int32Array();
      const rows = prompts.map((prompt, i) => ({ id: `prompt ${i}`, prompt: idsOf(model, prompt), answer }));
      const ids = tokenizeLabels(labels, model.template);
      const scores = await scoreLabels(await model.scoring(), model.parameters, rows, ids);
      return scores.map((row) => [...row]);
    },
    close,
  };
}

async function answers(
  model: LocalModel,
  prompts: readonly PromptInput[],
  { maxNewTokens = CHAT_TOKENS, sampling }: AnswerOptions = {},
  signal: AbortSignal,
): Promise<WrittenAnswer[]> {
  const { network, parameters, tokenizer, template } = model;
  const rows = prompts.map((prompt, i) => ({ id: `prompt ${i}`, prompt: idsOf(model, prompt) }));
  const written = await generate(network, parameters, rows, {
    endIds: endIdsOf(template, tokenizer),
    maxNewTokens,
    decode: tokenizer.decode,
    ...(sampling && { sampling }),
    isWanted: () => !signal.aborted,
  });
  const lead = answerLead(model);
  return written.map(({ text, stopped }) => ({
    text: text.startsWith(lead) ? text.slice(lead.length) : text,
    finishReason: stopped === "length" ? "length" : stopped === "dropped" ? "interrupted" : "stop",
  }));
}

function idsOf(model: LocalModel, prompt: PromptInput): Int32Array {
  return chatPrompt(model, typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt);
}
