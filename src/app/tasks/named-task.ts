/** @file Tasks by name: of a study or of the catalogue. */

import { SpecError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { didYouMean } from "../../specs/nearest.ts";
import type { TaskSpec } from "../../specs/types.ts";

/** What may be chosen of a task of the catalogue, in the words of a study file. */
export type TaskOptions = Pick<TaskSpec, "variant" | "prompt_style" | "data_dir" | "max_train">;

/** A task of a study, or of the catalogue. */
export function taskNamed(name: string, described: Record<string, TaskSpec> | undefined): TaskSpec {
  const spec = described?.[name] ?? (CATALOGUE[name] === undefined ? undefined : { name, catalogue: name });
  if (spec !== undefined) return spec;
  const known = [...Object.keys(described ?? {}), ...Object.keys(CATALOGUE)];
  throw new SpecError({
    place: "command line",
    expected: described === undefined ? "a task of the catalogue" : "a task of the study or the catalogue",
    got: name,
    remedy: `${didYouMean(name, known)}${described === undefined ? " A task of your own is found with options.study FILE." : ""}`,
  });
}
