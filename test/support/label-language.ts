/** @file The labels of a task as a language, for tests of constrained generation: with one, generating must give what scoring the labels gives. */

import { type Language, NOTHING } from "../../src/eval/languages.ts";

/**
 * Exactly these answers.
 * @param labels  ids of each with its end-of-turn token, as tokenizeLabels gives them
 */
export function labelLanguage(labels: readonly Int32Array[], depth = 0): Language {
  const branches = new Map<number, Int32Array[]>();
  for (const label of labels) {
    if (depth < label.length) branches.set(label[depth]!, [...(branches.get(label[depth]!) ?? []), label]);
  }
  if (branches.size === 0) return NOTHING;
  const next = new Map([...branches].map(([id, behind]) => [id, labelLanguage(behind, depth + 1)]));
  return { allowed: [...next.keys()].sort((a, b) => a - b), after: (id) => next.get(id) ?? NOTHING.after(id) };
}
