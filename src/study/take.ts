/** @file For each task what to take, how it scored on test beside what is there for nothing, and where its files are. */

import type { MetricName } from "../specs/types.ts";
import type { OfferVerdict, ReportData, TakenMixture, TaskAnswer } from "./report-data.ts";
import { rowWord } from "./sides.ts";
import type { Cell, Row, StudyTable } from "./study-table.ts";

/** Verdicts after which the mixture is one to take. */
const OFFERED: readonly OfferVerdict[] = ["mixture", "either", "unchecked"];

/** @param answers  one for each task and model of which dev chooses a mixture */
export function takenOf(answers: readonly TaskAnswer[], table: StudyTable): TakenMixture[] {
  return answers.map((answer) => {
    const { task, model, chosen, offer } = answer;
    const row = table.rows[chosen]!;
    const { metric } = table.tasks.find(({ name }) => name === task)!;
    return {
      ...{ task, model, isOffered: OFFERED.includes(offer.verdict) },
      text: `${offer.text} ${onTest(task, metric, row, table)}`,
      name: rowWord(row, table.rows),
      runs: row.runs,
    };
  });
}

/** What the terminal says of it. @param study  the study's directory, as it is to be written */
export function takenText({ take, models }: Pick<ReportData, "take" | "models">, study: string): string {
  return take
    .map(({ task, model, text, name, runs, isOffered }) => {
      const label = models.length > 1 ? `${task} (${model})` : task;
      const files = `${runs.slice(0, 3).join(", ")}${runs.length > 3 ? `, and ${runs.length - 3} more` : ""}`;
      const where = isOffered ? `\n  It is ${study}:${name}; its files are in ${study}/runs/: ${files}.` : "";
      return `${label}: ${text}${where}`;
    })
    .join("\n");
}

/** The chosen row and the rows that nothing was trained for, on test. */
function onTest(task: string, metric: MetricName, row: Row, { rows }: StudyTable): string {
  const cellOf = (one: Row) => one.cells[task]!.test;
  const others: [Row["kind"], string][] = [
    ["majority", "the most frequent answer"],
    ["ngram", "the n-gram baseline"],
    ["base", "the untuned model"],
  ];
  const beside = others.flatMap(([kind, name]) => {
    const other = rows.find((one) => one.kind === kind && (kind !== "base" || one.model === row.model));
    const mean = other === undefined ? Number.NaN : cellOf(other).mean;
    return Number.isNaN(mean) ? [] : [`${name} ${mean.toFixed(3)}`];
  });
  const own = scoreText(cellOf(row));
  if (own === undefined) return "It is not scored on test.";
  return `On test it has ${metric} ${own}${beside.length === 0 ? "" : `; ${beside.join(", ")}`}.`;
}

function scoreText({ mean, sd, values, low, high }: Cell): string | undefined {
  if (Number.isNaN(mean)) return undefined;
  if (low !== undefined && high !== undefined && !Number.isNaN(low))
    return `${mean.toFixed(3)} (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)})`;
  return values.length > 1 ? `${mean.toFixed(3)} ± ${sd.toFixed(3)} (${values.length} seeds)` : mean.toFixed(3);
}
