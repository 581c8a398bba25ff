/** @file The catalogue as a table. */

import type { TaskEntry, TaskOrigin } from "../../app/tasks/list-tasks.ts";
import { aligned } from "../../report/tables.ts";

/** One row a task. */
export function listText(entries: readonly TaskEntry[]): string {
  const header = ["name", "what", "answer", "metric", "licence", "use", "from"];
  const rows = entries.map(({ name, title, kind, metric, licence, use, from }) => [
    name,
    title,
    kind,
    metric,
    licence,
    use,
    from.map(originText).join(" or "),
  ]);
  return aligned([header, ...rows], "left");
}

function originText(from: TaskOrigin): string {
  if (from.kind === "generated") return "mixtune itself";
  if (from.kind === "local") return from.is_here ? "local files" : "local files (not in MIXTUNE_DATA)";
  return `hub ${from.id}`;
}
