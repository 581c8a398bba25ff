/** @file A run file's text (`mixtune train RUN.yaml`) becomes a TrainFileSpec: one mixture, one model. */

import { basename } from "node:path";
import { trainFileSchema } from "./schema.ts";
import {
  allowedOverlap,
  amountsOf,
  checkMixture,
  dataRoot,
  evalOf,
  modelName,
  tasksOf,
  trainOf,
} from "./study-file.ts";
import { type Catalogue, taskSpecOf } from "./tasks.ts";
import type { TaskSpec, TrainFileSpec } from "./types.ts";
import { validateFile } from "./validate.ts";
import { type Overrides, parseYamlFile } from "./yaml-file.ts";

/**
 * Reads a run file. An ingredient of the mixture that `tasks` does not describe is one of the catalogue.
 * @param path absolute path of the file: for messages and as base of relative paths
 * @param catalogue what catalogue entries are, as parseStudy has it
 * @throws {SpecError} with file, line and column of the first thing that is wrong
 */
export function parseTrainFile(
  text: string,
  path: string,
  overrides: Overrides,
  catalogue: Catalogue = {},
): TrainFileSpec {
  const file = parseYamlFile(text, path, overrides);
  const written = validateFile(trainFileSchema, file);
  const described = tasksOf(written.tasks ?? {}, file, catalogue);
  const fromCatalogue = Object.keys(written.mixture).map((name): [string, TaskSpec] => [
    name,
    taskSpecOf(name, {}, file, ["mixture", name], catalogue),
  ]);
  const tasks = { ...Object.fromEntries(fromCatalogue), ...described };
  checkMixture(written.mixture, tasks, file, ["mixture"]);
  const name = written.name ?? nameFromFile(path);
  return {
    name,
    model: modelName(written.model, file, ["model"]),
    ...dataRoot(written.data_root, file),
    tasks,
    ...allowedOverlap(written.allow_overlap, tasks, file),
    mixture: { name, ingredients: amountsOf(written.mixture) },
    ...(written.temperature !== undefined ? { temperature: written.temperature } : {}),
    ...(written.shuffled_labels ? { shuffled_labels: true } : {}),
    train: trainOf(written.train ?? {}, file),
    seed: written.seed ?? 1,
    eval: evalOf(written.eval ?? {}, file, [written.model]),
  };
}

function nameFromFile(path: string): string {
  const stem = basename(path).replace(/\.[^.]*$/, "");
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "")
      .slice(0, 64) || "run"
  );
}
