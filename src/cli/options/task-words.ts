/** @file Options of a catalogue task on the command line, in the words of a study file. */

import type { TaskOptions } from "../../app/tasks/named-task.ts";
import { SpecError } from "../../base/errors.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import { assignmentsOf } from "./assignments.ts";

/** Words after the name of a catalogue task, as in `variant=allagree`, and what they set. */
export interface TaskWords {
  options: TaskOptions;
  cutoffLen: number;
}

const KEYS = ["variant", "prompt_style", "data_dir", "max_train", "train.cutoff_len"] as const;

/**
 * Reads the words.
 * @throws {SpecError} a word that is no key=value, a key that a catalogue task does not have here, a count that is none
 */
export function taskWords(words: readonly string[]): TaskWords {
  const options: TaskWords["options"] = {};
  let cutoffLen = TRAIN_DEFAULTS.cutoff_len;
  for (const word of assignmentsOf(words)) {
    const at = word.indexOf("=");
    const [key, value] = [word.slice(0, at), word.slice(at + 1)];
    if (key === "max_train") options.max_train = wholeNumber(key, value);
    else if (key === "train.cutoff_len") cutoffLen = wholeNumber(key, value);
    else if (key === "variant" || key === "prompt_style" || key === "data_dir") options[key] = value;
    else {
      throw new SpecError({
        place: "command line",
        expected: `one of ${KEYS.join(", ")} for a task of the catalogue`,
        got: key,
        remedy: didYouMean(key, KEYS),
      });
    }
  }
  return { options, cutoffLen };
}

function wholeNumber(key: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new SpecError({
    place: `command line: ${key}`,
    expected: "a whole number above 0",
    got: value,
    remedy: `Write for example ${key}=1000.`,
  });
}
