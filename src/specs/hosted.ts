/** @file Hosted models in a study: how they are named, and what one of them means for the readings of labels. */

import type { EvalSpec, Scoring } from "./types.ts";

/** Names of hosted models begin with it. */
export const HOSTED_PREFIX = "openai:";

/** Whether a baseline or model is a hosted one, `openai:NAME`. */
export function isHosted(name: string): boolean {
  return /^openai:\S+$/.test(name);
}

/** Hosted chats give no log-probability of a label, so they are read as text. */
export function textScorings({ scoring }: Pick<EvalSpec, "scoring">): Scoring[] {
  const asked = scoring.filter((name) => name !== "constrained");
  return asked.length > 0 ? asked : ["strict", "lenient"];
}

/**
 * How labels are read in a study's table. One table compares one kind of scoring, the first that is asked for; but a hosted model gives no
 * log-probability of a label, so that beside one all are read strictly.
 */
export function tableScoring(
  { scoring, baselines }: Pick<EvalSpec, "scoring" | "baselines">,
  models: readonly string[],
): Scoring {
  const first = scoring[0]!;
  return first === "constrained" && [...baselines, ...models].some(isHosted) ? "strict" : first;
}
