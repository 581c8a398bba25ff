/** @file mixtune tasks list: every task of the catalogue, how it is answered and ranked, what it may be used for and where it is read from. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "../../data/catalogue.ts";
import { rankingMetric } from "../../data/load-task.ts";
import type { TaskDefinition } from "../../data/readers/definition.ts";
import { aligned } from "../../report/tables.ts";

/** The catalogue as records and as a table. @param dataRoot  where local files are looked for */
export function taskList(dataRoot: string | undefined): { entries: TaskEntry[]; text: string } {
  const entries = Object.values(CATALOGUE).map((task) => entryOf(task, dataRoot));
  const header = ["name", "what", "answer", "metric", "licence", "use", "from"];
  const rows = entries.map(({ name, title, kind, metric, licence, use, from }) => [
    name,
    title,
    kind,
    metric,
    licence,
    use,
    from.map(sayOf).join(" or "),
  ]);
  return { entries, text: aligned([header, ...rows], "left") };
}

/** As it is printed with --json. */
type TaskEntry = ReturnType<typeof entryOf>;

type From =
  | { kind: "generated" }
  | { kind: "local"; files: readonly string[]; is_here: boolean }
  | { kind: "hub"; id: string; columns_verified: boolean };

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

function sourcesOf({ generate, local, hub }: TaskDefinition, dataRoot: string | undefined): From[] {
  const isHere = local?.files.every((file) => dataRoot !== undefined && existsSync(join(dataRoot, file))) ?? false;
  return [
    ...(generate === undefined ? [] : [{ kind: "generated" } as const]),
    ...(local === undefined ? [] : [{ kind: "local", files: local.files, is_here: isHere } as const]),
    ...(hub === undefined ? [] : [{ kind: "hub", id: hub.id, columns_verified: hub.isVerified } as const]),
  ];
}

function sayOf(from: From): string {
  if (from.kind === "generated") return "mixtune itself";
  if (from.kind === "local") return from.is_here ? "local files" : "local files (not in MIXTUNE_DATA)";
  return `hub ${from.id}${from.columns_verified ? "" : " (columns unverified)"}`;
}
