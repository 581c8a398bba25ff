/** @file Hosted models in a study's `eval` block: how they are named, and what one of them means for the readings of labels. */

import type { EvalSpec, Scoring } from "./types.ts";

/** Names of hosted models begin with it. */
export const HOSTED_PREFIX = "openai:";

/** Whether a baseline is a hosted model, `openai:NAME`. */
export function isHosted(baseline: string): boolean {
  return /^openai:\S+$/.test(baseline);
}

/**
 * How labels are read in a study's table. One table compares one kind of scoring, the first that is asked for; but a hosted model gives no
 * log-probability of a label, so that beside one all are read strictly.
 */
export function tableScoring({ scoring, baselines }: Pick<EvalSpec, "scoring" | "baselines">): Scoring {
  const first = scoring[0]!;
  return first === "constrained" && baselines.some(isHosted) ? "strict" : first;
}
