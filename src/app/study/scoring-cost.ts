/** @file What scoring costs: every split of every task, likelihoods and written answers, in seconds of this engine. */

import { type PackShape, packShapes } from "../../data/batches/packing.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { TokenizedExample } from "../../data/types.ts";
import { newTokensFor } from "../../eval/answer-length.ts";
import { evaluationSubset } from "../../eval/evaluate.ts";
import { MAX_ROWS } from "../../eval/generate.ts";
import type { EvalSpec } from "../../specs/types.ts";
import type { ModelSize } from "../models/base-model.ts";
import { forwardSeconds } from "./pass-cost.ts";

/** Rows of a split that are laid out to see what one costs. */
const SAMPLED_ROWS = 64;
/** Tokens through the net in one scoring pass. */
const PASS_TOKENS = 2048;
/** What a pass of single tokens costs beyond its rows, as rows: weights are read whole for each. */
const ROWS_OF_A_PASS = 16;

/** What is scored, and by which model. */
export interface ScoringCost {
  tasks: Readonly<Record<string, PreparedTask>>;
  /** Of the tasks that are scored. */
  names: readonly string[];
  spec: EvalSpec;
  model: ModelSize;
  threads: number;
  /** Whether nothing was trained: such a model writes on until it is stopped. */
  isUntuned: boolean;
}

/** Seconds that scoring a model on every task and split of a study takes. */
export function scoringSeconds(cost: ScoringCost): number {
  return cost.names.reduce(
    (sum, name) => sum + cost.spec.splits.reduce((own, split) => own + splitSeconds(cost, name, split), 0),
    0,
  );
}

/** Seconds of the dev losses of some tasks, measured once. */
export function devSeconds({ tasks, names, spec, model, threads }: Omit<ScoringCost, "isUntuned">): number {
  return names.reduce((sum, name) => {
    const { rows, sampled } = sampleOf(tasks[name]!, "dev", spec);
    return sampled.length === 0 ? sum : sum + (rows * passSeconds(sampled, model, threads)) / sampled.length;
  }, 0);
}

function splitSeconds({ tasks, spec, model, threads, isUntuned }: ScoringCost, name: string, split: "dev" | "test") {
  const prepared = tasks[name]!;
  const { rows, sampled } = sampleOf(prepared, split, spec);
  if (sampled.length === 0) return 0;
  const { task, labels } = prepared;
  let seconds = 0;
  if (labels === undefined) seconds += passSeconds(sampled, model, threads);
  else if (spec.scoring.includes("constrained")) seconds += passSeconds(withLabels(sampled, labels), model, threads);
  const isWritten = labels === undefined ? task.metric !== "answer_logprob" : spec.scoring.some(isText);
  if (isWritten) seconds += writingSeconds(prepared, sampled, spec, model, threads, isUntuned);
  return (seconds * rows) / sampled.length;
}

function isText(scoring: EvalSpec["scoring"][number]): boolean {
  return scoring !== "constrained";
}

function sampleOf(prepared: PreparedTask, split: "dev" | "test", spec: EvalSpec) {
  const subset = evaluationSubset(prepared, split, spec);
  return { rows: subset.length, sampled: subset.slice(0, SAMPLED_ROWS).map(({ tokens }) => tokens) };
}

function withLabels(prompts: readonly TokenizedExample[], labels: readonly Int32Array[]): TokenizedExample[] {
  const answer = Int32Array.from(labels.flatMap((label) => [...label]));
  return prompts.map((prompt) => ({ ...prompt, answer }));
}

function passSeconds(examples: readonly TokenizedExample[], model: ModelSize, threads: number): number {
  return forwardSeconds(packed(examples), model, threads);
}

function packed(examples: readonly TokenizedExample[]): PackShape[] {
  return packShapes(examples, { packing: "isolated", sharePrefix: true, maxTokens: PASS_TOKENS, lossOn: "answer" });
}

/** Prompts read once more, then one token a pass for each of the rows that are written side by side. */
function writingSeconds(
  prepared: PreparedTask,
  prompts: readonly TokenizedExample[],
  spec: EvalSpec,
  model: ModelSize,
  threads: number,
  isUntuned: boolean,
): number {
  const read = passSeconds(
    prompts.map((prompt) => ({ ...prompt, answer: Int32Array.of(0, 0) })),
    model,
    threads,
  );
  const answers = prepared.labels ?? prepared.split("train").tokenized.map(({ answer }) => answer);
  const lengths = answers.map(({ length }) => length);
  const most = spec.max_new_tokens ?? newTokensFor(prepared.task.answer.kind, lengths);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const numTokens = isUntuned || lengths.length === 0 ? most : Math.min(most, mean);
  const rows = Math.min(MAX_ROWS, prompts.length);
  const perToken = { numPrefixes: 0, prefixLen: 0, numRows: rows + ROWS_OF_A_PASS, rowLen: 1 };
  const pass = forwardSeconds([{ ...perToken, numLossRows: rows + ROWS_OF_A_PASS }], model, threads);
  return read + (pass * numTokens * prompts.length) / rows;
}
