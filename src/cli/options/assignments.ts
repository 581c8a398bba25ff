/** @file Words of a command line that belong to no option. */

import { readStudy, type StudyInput } from "../../app/study/read-study.ts";
import { SpecError } from "../../base/errors.ts";
import { isAssignment } from "../../specs/yaml-file.ts";

/**
 * The `key=value` words after a file.
 * @throws {SpecError} a word that is none
 */
export function assignmentsOf(words: readonly string[]): string[] {
  const other = words.find((word) => !isAssignment(word));
  if (other === undefined) return [...words];
  throw new SpecError({
    place: "command line",
    expected: "key=value after the file",
    got: other,
    remedy: "Write for example train.learning_rate=1e-4; only one file is read.",
  });
}

/** The study file that is read where none is named. */
const STUDY_FILE = "study.yaml";

/**
 * The study of a command line, with its settings. Without a file it is ./study.yaml.
 * @throws {SpecError} a word behind the file that is no `key=value`, and what readStudy finds
 */
export function studyOf(first: string | undefined, words: readonly string[]): StudyInput {
  const hasFile = first !== undefined && !isAssignment(first);
  const rest = hasFile || first === undefined ? words : [first, ...words];
  return readStudy(hasFile ? first : STUDY_FILE, assignmentsOf(rest));
}
