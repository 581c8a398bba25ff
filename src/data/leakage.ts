/** @file Test texts that are also trained on: refused by name. Texts are compared normalised; near-copies are not looked for. */

import { DataError } from "../base/errors.ts";
import { normalizeText } from "./splits.ts";
import type { Example, LoadedTask } from "./types.ts";

/** Shorter texts coincide by chance ("gold prices steady") and say nothing about leakage. */
const MIN_WORDS = 5;

/** A training example whose text is a test text. */
export interface Leak {
  train: { task: string; id: string };
  test: { task: string; id: string };
  text: string;
}

/** All training examples of the tasks whose text occurs in a test split of any of them. */
export function findLeaks(tasks: readonly LoadedTask[]): Leak[] {
  const tested = new Map<string, { task: string; id: string }>();
  for (const { name, splits } of tasks) {
    for (const example of splits.test) {
      const key = keyOf(example);
      if (key !== null && !tested.has(key)) tested.set(key, { task: name, id: example.id });
    }
  }
  const leaks: Leak[] = [];
  for (const { name, splits } of tasks) {
    for (const example of splits.train) {
      const test = tested.get(keyOf(example) ?? "");
      if (test !== undefined) leaks.push({ train: { task: name, id: example.id }, test, text: textOf(example) });
    }
  }
  return leaks;
}

/**
 * Refuses a study whose test texts are trained on.
 * @throws {DataError} naming the first leak and how many there are
 */
export function refuseLeaks(tasks: readonly LoadedTask[]): void {
  const leaks = findLeaks(tasks);
  const [first] = leaks;
  if (first === undefined) return;
  throw new DataError({
    place: `${first.train.task}/${first.train.id}`,
    expected: "no test text in any train split",
    got: `the text of ${first.test.task}/${first.test.id}: "${first.text.slice(0, 60)}" (${leaks.length} such rows in all)`,
    remedy: "Remove these rows from the training file, or give equal texts one group so that they stay in one split.",
  });
}

function keyOf(example: Example): string | null {
  const key = normalizeText(textOf(example));
  return key.split(" ").length < MIN_WORDS ? null : key;
}

function textOf({ text, prompt, answer }: Example): string {
  return text ?? (prompt === "" ? answer : prompt);
}
