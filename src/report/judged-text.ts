/** @file What judges say of a model's answers, and what is known of the judges, as text. */

import { JUDGED } from "../metrics/judged.ts";
import type { CalibrationScores, JudgedBy, MetricValue, SplitScores } from "../runs/types.ts";
import { VERDICTS } from "../specs/verdicts.ts";
import { aligned } from "./tables.ts";

/** A split of a task with its scores. */
export interface Scored {
  task: string;
  split: string;
  scores: SplitScores;
}

/** A table of all judged splits and a paragraph for each panel; nothing where nothing was judged. */
export function judgedText(scored: readonly Scored[]): string[] {
  const judged = scored.flatMap(({ task, split, scores: { n, scoring, judged: by } }) => {
    const metrics = scoring[JUDGED];
    return metrics === undefined || by === undefined ? [] : [{ task, split, n, metrics, by }];
  });
  if (judged.length === 0) return [];
  const rows = judged.map(({ task, split, n, metrics, by }) => {
    const { accuracy, refused, undecided, unreadable, alpha } = metrics;
    const shares = [refused, undecided, unreadable].map((value) => value?.value.toFixed(3) ?? "");
    const people = by.calibration?.accuracy;
    return [
      ...[task, split, accuracy?.value.toFixed(3) ?? "", intervalText(accuracy), ...shares],
      ...[alpha?.value.toFixed(3) ?? "", people?.value.toFixed(3) ?? "uncalibrated", `${n}`],
    ];
  });
  const head = ["task", "split", "judged correct", "95 % interval", "refused", "undecided", "unreadable"];
  const table = aligned([[...head, "alpha", "as people say", "n"], ...rows]);
  const panels = new Map(judged.map(({ by }) => [`${by.panel} ${by.calibration?.accuracy.value}`, by]));
  return [table, ...[...panels.values()].map(panelText)];
}

/** Who judged, and how far they are to be believed. */
export function panelText({ judges, calibration }: JudgedBy): string {
  const names = judges.join(", ");
  if (calibration === undefined) {
    return `Judged by ${names}: uncalibrated. How often people would say the same is not known (mixtune judge --calibrate FILE).`;
  }
  return `Judged by ${names}. ${calibrationSentence(calibration)}\n${calibrationTable(judges, calibration)}`;
}

function calibrationSentence({ n, n_groups, accuracy, confusion }: CalibrationScores): string {
  const [correct = [], ...others] = confusion;
  const missed = sum(correct) - (correct[0] ?? 0);
  const wrongly = sum(others.map((row) => row[0] ?? 0));
  const most = Math.max(...confusion.map(sum));
  const constant = VERDICTS[confusion.findIndex((row) => sum(row) === most)];
  return (
    `Of ${n} answers to ${n_groups} questions that people judged, the same was said of ${percent(accuracy)} (always saying ${constant}: ${(most / n).toFixed(3)}); ` +
    `correct was said of ${wrongly} of the ${sum(others.flat())} that people call otherwise, and not of ${missed} of the ${sum(correct)} that people call correct.`
  );
}

function calibrationTable(judges: readonly string[], { judges: each, alpha, confusion }: CalibrationScores): string {
  const counts = confusion.map((row, i) => [`people: ${VERDICTS[i]}`, ...row.map(String)]);
  const single = each.map((value, j) => `${judges[j]} ${percent(value)}`);
  const agreement = alpha === undefined ? "" : `; alpha ${alpha.value.toFixed(3)} between them`;
  return `${aligned([["", ...VERDICTS, "undecided"], ...counts])}\nOf each judge: ${single.join(", ")}${agreement}.`;
}

function percent(value: MetricValue): string {
  const interval = intervalText(value);
  return `${value.value.toFixed(3)}${interval === "" ? "" : ` (${interval})`}`;
}

function intervalText(value: MetricValue | undefined): string {
  const { low, high } = value ?? {};
  return low === undefined || high === undefined ? "" : `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
