/** @file Tasks that a command line names: of a study or of the catalogue, with options in the words of a study file. */

import { SpecError } from "../../base/errors.ts";
import { assignmentsOf } from "../../cli/options/assignments.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { TaskSpec } from "../../specs/types.ts";

/** A task of a study, or of the catalogue. */
export function taskNamed(name: string, described: Record<string, TaskSpec> | undefined): TaskSpec {
  const spec = described?.[name] ?? (CATALOGUE[name] === undefined ? undefined : { name, catalogue: name });
  if (spec !== undefined) return spec;
  const known = [...Object.keys(described ?? {}), ...Object.keys(CATALOGUE)];
  throw new SpecError({
    place: "command line",
    expected: described === undefined ? "a task of the catalogue" : "a task of the study or the catalogue",
    got: name,
    remedy: `${didYouMean(name, known)}${described === undefined ? " A task of your own is found with --study FILE." : ""}`,
  });
}

/** Words after the name of a catalogue task, as in `variant=allagree`, and what they set. */
export interface TaskWords {
  options: Pick<TaskSpec, "variant" | "prompt_style" | "data_dir" | "max_train">;
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
