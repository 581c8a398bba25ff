/** @file A task of a study, with its data in memory: from the catalogue or from a person's own files. */

import { digestOf } from "../base/digest.ts";
import { SpecError } from "../base/errors.ts";
import type { Split, TaskSpec } from "../specs/types.ts";
import { CATALOGUE } from "./catalogue.ts";
import { loadOwnData } from "./own-data.ts";
import { carveSplits } from "./splits.ts";
import type { TaskDefinition } from "./tasks/definition.ts";
import type { Example, LoadedTask } from "./types.ts";

/**
 * Loads a task and carves the splits it lacks.
 *
 * @param settings.dataRoot  where catalogue tasks find their local copies; `spec.data_dir` overrides it
 * @throws {SpecError} an unknown catalogue name, no data root, a column that is not there
 * @throws {DataError} missing or damaged files, rows that cannot be used, nothing left
 */
export async function loadTask(spec: TaskSpec, settings: { dataRoot?: string | undefined }): Promise<LoadedTask> {
  const notes: string[] = [];
  if (spec.data !== undefined) {
    const { answer, source } = loadOwnData(spec, notes);
    return finish(spec, { ...OWN, answer }, carveSplits(spec.name, source, spec.max_train), notes);
  }
  const definition = CATALOGUE[spec.catalogue ?? spec.name];
  if (definition === undefined) {
    throw new SpecError({
      place: `task ${spec.name}`,
      expected: `its own data, or one of the catalogue: ${Object.keys(CATALOGUE).sort().join(", ")}`,
      got: spec.catalogue ?? spec.name,
      remedy: "Give the task a data key, or use a name of the catalogue.",
    });
  }
  const root = spec.data_dir ?? settings.dataRoot;
  if (definition.needsRoot && root === undefined) {
    throw new SpecError({
      place: `task ${spec.name}`,
      expected: "a folder with local copies of the datasets",
      got: "none",
      remedy: "Set data_root in the file, or the MIXTUNE_DATA variable.",
    });
  }
  const source = definition.load(root ?? "", notes);
  return finish(spec, definition, carveSplits(spec.name, source, spec.max_train ?? definition.maxTrain), notes);
}

const OWN = { metric: "weighted_f1", licence: "not stated", source: "own data" } as const;

function finish(
  spec: TaskSpec,
  { answer, metric, licence, source }: Pick<TaskDefinition, "answer" | "metric" | "licence" | "source">,
  splits: Record<Split, Example[]>,
  notes: string[],
): LoadedTask {
  const { train, dev, test } = splits;
  notes.push(`${spec.name}: ${train.length} train, ${dev.length} dev, ${test.length} test examples.`);
  const digests = { train: digestOfExamples(train), dev: digestOfExamples(dev), test: digestOfExamples(test) };
  return { name: spec.name, answer, metric: spec.metric ?? metric, licence, source, splits, digests, notes };
}

function digestOfExamples(examples: readonly Example[]): string {
  return digestOf(examples.map(({ prompt, answer, group }) => [prompt, answer, group]));
}
