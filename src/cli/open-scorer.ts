/** @file Opens a finished run or a model folder for predict: prompts in, the likelihood of each label out. */

import { SpecError } from "../base/errors.ts";
import { openTemplate, tokenizeExample, tokenizeLabels } from "../data/chat-template.ts";
import { openTokenizer } from "../data/tokenizers.ts";
import { scoreLabels } from "../eval/score.ts";
import { Network } from "../models/network.ts";
import { maxPositions, tuningOf } from "../models/tuning.ts";
import { openModelFolder } from "../models/weights.ts";
import { readSpec, readStatus } from "../runs/run-dir.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { AnswerSpec, RunSpec } from "../specs/types.ts";
import { evaluatedCheckpoint, readWeights } from "../train/checkpoint.ts";
import { weightCache } from "../workers/job-runner.ts";
import type { Context } from "./context.ts";
import { modelDirOfRun, modelSize } from "./models.ts";
import { threadsFor } from "./threads.ts";

/** A finished run, or a model folder. */
export type ModelRef = { kind: "run"; dir: string } | { kind: "folder"; dir: string };

/** An opened model. */
export interface LabelScorer {
  /** log p of each label, in the order given, per prompt: product.md's constrained score, in nats. */
  scoreLabels(prompts: readonly string[], labels: readonly string[]): Promise<number[][]>;
  close(): Promise<void>;
}

/**
 * Opens a model. A run scores with the threads and the checkpoint it was evaluated with.
 * @throws {SpecError} a run that is not done, or whose weights were not kept
 */
export async function openScorer(ref: ModelRef, context: Context): Promise<LabelScorer> {
  const { threads, cacheDir } = context.settings;
  const spec = ref.kind === "run" ? finishedSpec(ref.dir) : undefined;
  const folder = spec === undefined ? ref.dir : await modelDirOfRun(ref.dir, spec, context);
  const model = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  const template = openTemplate(folder, tokenizer);
  const cutoffLen = spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
  const network = await Network.create("score", model.config, tuningOf(spec?.train, model, weightCache(cacheDir)), {
    threads: spec?.worker.threads ?? threads ?? threadsFor(modelSize(folder).parameters),
    maxPositions: maxPositions(model.config, cutoffLen),
  });
  const parameters = new Float32Array(network.layout.size);
  if (spec !== undefined) readWeights(evaluatedCheckpoint(ref.dir, spec.train), spec.train, network.layout, parameters);
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

function finishedSpec(dir: string): RunSpec {
  const { state } = readStatus(dir);
  if (state === "done") return readSpec(dir);
  throw new SpecError({
    place: dir,
    expected: "a run that is done",
    got: `one that is ${state}`,
    remedy: "Finish it with mixtune run.",
  });
}
