/** @file Opens a finished run or a model folder for predict: prompts in, the likelihood of each label out. */

import { tokenizeExample, tokenizeLabels } from "../data/chat-template.ts";
import { scoreLabels } from "../eval/score.ts";
import { Network } from "../models/network.ts";
import { maxPositions } from "../models/tuning.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { AnswerSpec } from "../specs/types.ts";
import type { Context } from "./context.ts";
import { type ModelRef, openModel, parametersOf } from "./open-model.ts";

/** An opened model. */
export interface LabelScorer {
  /** log p of each label, in the order given, per prompt: product.md's constrained score, in nats. */
  scoreLabels(prompts: readonly string[], labels: readonly string[]): Promise<number[][]>;
  close(): Promise<void>;
}

/**
 * Opens a model. A run scores with the threads and the checkpoint it was evaluated with.
 * @throws {SpecError} a run that is not done
 * @throws {WorkerError} one whose weights were not kept
 */
export async function openScorer(ref: ModelRef, context: Context): Promise<LabelScorer> {
  const opened = await openModel(ref, context);
  const { model, tokenizer, template, tuning, threads, spec } = opened;
  const cutoffLen = spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
  const network = await Network.create("score", model.config, tuning, {
    threads,
    maxPositions: maxPositions(model.config, cutoffLen),
  });
  const parameters = parametersOf(opened, network.layout);
  return {
    scoreLabels: async (prompts, labels) => {
      const answer: AnswerSpec = { kind: "label", field: "", labels: [...labels] };
      const tokens = prompts.map((prompt, i) =>
        tokenizeExample({ id: `row ${i}`, prompt, answer: labels[0]!, group: "" }, answer, tokenizer, template),
      );
      const scores = await scoreLabels(network, parameters, tokens, tokenizeLabels(labels, template));
      return scores.map((row) => [...row]);
    },
    close: () => network.release(),
  };
}
