/** @file Every task of the catalogue: how it is answered and ranked, what it may be used for and where it is read from. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "../../data/catalogue.ts";
import { rankingMetric } from "../../data/load-task.ts";
import type { TaskDefinition } from "../../data/readers/definition.ts";

/** The catalogue as records. @param dataRoot  where local files are looked for */
export function listTasks(dataRoot: string | undefined): TaskEntry[] {
  return Object.values(CATALOGUE).map((task) => entryOf(task, dataRoot));
}

/** A task of the catalogue. Names as in the JSON that is printed. */
export type TaskEntry = ReturnType<typeof entryOf>;

/** Where a task's rows come from; `seen_in` is the public code, or the card, that shows the names of its splits and columns. */
export type TaskOrigin =
  | { kind: "generated" }
  | { kind: "local"; files: readonly string[]; is_here: boolean }
  | { kind: "hub"; id: string; seen_in: string };

function entryOf(task: TaskDefinition, dataRoot: string | undefined) {
  const { name, title, answer, licence, publication, unit, variants, prompts, isEvaluationOnly = false } = task;
  return {
    name,
    title,
    kind: answer.kind,
    metric: rankingMetric({ name }, answer, task.metric),
    licence,
    publication,
    unit,
    use: isEvaluationOnly ? "evaluation only" : "train and evaluate",
    variants: variants ?? {},
    prompt_styles: Object.keys(prompts),
    from: sourcesOf(task, dataRoot),
  };
}

function sourcesOf({ generate, local, hub }: TaskDefinition, dataRoot: string | undefined): TaskOrigin[] {
  const isHere = local?.files.every((file) => dataRoot !== undefined && existsSync(join(dataRoot, file))) ?? false;
  return [
    ...(generate === undefined ? [] : [{ kind: "generated" } as const]),
    ...(local === undefined ? [] : [{ kind: "local", files: local.files, is_here: isHere } as const]),
    ...(hub === undefined ? [] : [{ kind: "hub", id: hub.id, seen_in: hub.seenIn } as const]),
  ];
}
