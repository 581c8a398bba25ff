/** @file One model's scores as text: every metric, the task's metric under each reading of the same answers, then what judges say of them. */

import { JUDGED } from "../metrics/judged.ts";
import type { Scores, SplitScores } from "../runs/types.ts";
import { judgedText, type Scored } from "./judged-text.ts";
import { aligned } from "./tables.ts";

/** @param names  of tasks, in the order to show them */
export function scoresText({ tasks }: Scores, names: readonly string[]): string {
  const scored = names.flatMap((task) =>
    Object.entries(tasks[task] ?? {}).map(([split, scores]): Scored => ({ task, split, scores })),
  );
  const read = scored.filter(({ scores }) => readingsOf(scores).length > 1);
  const warnings = scored.flatMap(({ task, split, scores }) => {
    const warning = constantWarning(scores);
    return warning === undefined ? [] : [`${task} ${split}: ${warning}`];
  });
  const readings = read.length === 0 ? [] : [readingsText(read)];
  return [metricsText(scored), ...readings, ...judgedText(scored), ...warnings].join("\n\n");
}

/** Ways in which the task's own metric was counted. */
function readingsOf({ scoring }: SplitScores): string[] {
  return Object.keys(scoring).filter((name) => name !== JUDGED);
}

function metricsText(scored: readonly Scored[]): string {
  const rows = scored.flatMap(({ task, split, scores }) =>
    Object.entries(scores.metrics).map(([metric, { value, low, high }]) => {
      const interval = low === undefined || high === undefined ? "" : `${low.toFixed(3)} to ${high.toFixed(3)}`;
      return [task, split, metric, value.toFixed(3), interval, `${scores.n}`];
    }),
  );
  return aligned([["task", "split", "metric", "value", "95 % interval", "n"], ...rows]);
}

/** The same answers by every reading, so that format is told apart from ability. */
function readingsText(scored: readonly Scored[]): string {
  const readings = [...new Set(scored.flatMap(({ scores }) => readingsOf(scores)))];
  const rows = scored.map(({ task, split, scores: { n, metrics, scoring, outputs } }) => {
    const metric = Object.keys(metrics)[0] ?? "";
    const values = readings.map((name) => scoring[name]?.[metric]?.value.toFixed(3) ?? "");
    const share = (count: number | undefined) => (count === undefined ? "" : `${((100 * count) / n).toFixed(1)} %`);
    return [task, split, metric, ...values, share(outputs?.valid), share(outputs?.empty), share(outputs?.cut)];
  });
  return aligned([["task", "split", "metric", ...readings, "format valid", "empty", "cut off"], ...rows]);
}

/** Share of answers that are one label from which a model is said to answer like a constant. */
const CONSTANT_FROM = 0.95;

/** Says so where a model gives nearly always the same answer and gold does not; undefined elsewhere. */
function constantWarning({ n, top_answer }: SplitScores): string | undefined {
  if (top_answer === undefined) return undefined;
  const { label, given, gold } = top_answer;
  if (given < CONSTANT_FROM * n || gold >= CONSTANT_FROM * n) return undefined;
  const percent = (count: number) => `${((100 * count) / n).toFixed(1)} %`;
  return `${percent(given)} of the answers are "${label}"; saying nothing else would be right in ${percent(gold)}.`;
}
