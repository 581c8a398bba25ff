/** @file Words of a command line that belong to no option. */

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
