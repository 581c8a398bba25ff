/** @file How far an export is from its model, as a person reads it. */

import type { ExportCheck } from "../../app/export/check.ts";

/** A few lines for people. */
export function parityText({ checked, prompts, logits, tasks, not_scored }: ExportCheck): string {
  const { largest_difference, largest, same_likeliest } = logits;
  return [
    `Checked: ${checked}`,
    `  logits        largest difference ${largest_difference.toExponential(1)} (the largest logit is ${largest.toFixed(1)}), ` +
      `same likeliest token for ${same_likeliest} of ${prompts.n} prompts (${prompts.from})`,
    ...(prompts.other_ids === 0 ? [] : [`  prompts       ${prompts.other_ids} of ${prompts.n} are other tokens`]),
    ...Object.entries(tasks).map(
      ([name, { metric, n, before, after, other_answers }]) =>
        `  ${name.padEnd(13)} ${metric} ${before.toFixed(4)} before, ${after.toFixed(4)} after; ` +
        `${other_answers} of ${n} dev examples answered otherwise`,
    ),
    ...Object.entries(not_scored).map(([name, reason]) => `  ${name.padEnd(13)} not scored: ${reason}`),
  ].join("\n");
}
