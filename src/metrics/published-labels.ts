/**
 * @file Labels as published evaluations read them, for comparison only: each rule scores something else than the model's answer.
 * Written from what the scripts do, not from their code: The-FinAI/PIXIU @da45ac4, FinGPT @ec315843, FinLoRA @18f817e.
 */

import type { LabelReader } from "./label-text.ts";

/** FinBen: the first label *of the list* that stands anywhere in the text, in any case, inside words too; null is its `missing`. */
export function finbenReader(labels: readonly string[]): LabelReader {
  return (text) => labels.find((label) => text.toLowerCase().includes(label.toLowerCase())) ?? null;
}

/** FinBen on Headlines: `Yes` when the text is exactly that, else `No`. So every failure of format is a No, which is right most of the time. */
export const finbenHeadline: LabelReader = (text) => (text.trim() === "Yes" ? "Yes" : "No");

/** FinGPT: positive, then negative, inside words too, else neutral. So silence is an answer, and the most frequent one. */
export const fingptSentiment: LabelReader = (text) => {
  const lower = text.toLowerCase();
  return ["positive", "negative"].find((label) => lower.includes(label)) ?? "neutral";
};

/** FinLoRA: the label that begins first in the text, inside words too: `5` is read from `15`. At one place the label first in the list. */
export function finloraReader(labels: readonly string[]): LabelReader {
  return (text) => {
    const places = labels.map((label) => ({ label, at: text.toLowerCase().indexOf(label.toLowerCase()) }));
    const found = places.filter(({ at }) => at >= 0).toSorted((a, b) => a.at - b.at);
    return found[0]?.label ?? null;
  };
}
