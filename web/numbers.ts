/** @file Numbers as people read them, and round numbers for axes. Null and NaN are shown as a dash. */

import type { ReportTask } from "../src/study/report-data.ts";

export const NOTHING = "–";
type Maybe = number | null | undefined;

const exists = (value: Maybe): value is number => value !== null && value !== undefined && Number.isFinite(value);
const withMinus = (text: string): string => text.replace("-", "−");

export function fixed(value: Maybe, digits: number): string {
  return exists(value) ? withMinus(value.toFixed(digits)) : NOTHING;
}

/** A score in its task's unit: hundredths for points. */
export function score(task: ReportTask, value: Maybe): string {
  return task.unit === "points" ? fixed(exists(value) ? 100 * value : value, 1) : fixed(value, 3);
}

/** A difference of scores, with its sign. */
export function signed(task: ReportTask, value: Maybe): string {
  const text = score(task, value);
  return exists(value) && value >= 0 ? `+${text}` : text;
}

/** A number on the scale of a task's scores, as short as can be. */
export function tickOf(task: ReportTask): (value: number) => string {
  return (value) => plain(task.unit === "points" ? 100 * value : value);
}

/** Of an interval, in whatever way its ends are written; empty where there is none. */
export function interval(low: Maybe, high: Maybe, write: (value: number) => string): string {
  return exists(low) && exists(high) ? `${write(low)} to ${write(high)}` : "";
}

export function pValue(value: Maybe): string {
  if (!exists(value)) return NOTHING;
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

export function percent(value: number): string {
  return value < 0.01 ? "< 1\u00a0%" : value > 0.99 ? "> 99\u00a0%" : `${Math.round(100 * value)}\u00a0%`;
}

export function duration(seconds: Maybe): string {
  if (!exists(seconds)) return NOTHING;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** 1234567 as 1.23 M: three digits and a magnitude. */
export function large(value: Maybe, unit = ""): string {
  if (!exists(value)) return NOTHING;
  const magnitudes = ["", "k", "M", "G", "T", "P", "E", "Z"];
  const magnitude = value < 1000 ? 0 : Math.min(magnitudes.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** magnitude).toPrecision(3))} ${magnitudes[magnitude]}${unit}`.trim();
}

/** As short as it can be said to about four digits. */
export function plain(value: number): string {
  return withMinus(String(Number(value.toPrecision(4))));
}

/** About `count` round numbers within the range. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Smallest and largest of the numbers that exist, with a margin on both sides; undefined where there are none. */
export function extent(values: readonly Maybe[], margin = 0.04): [number, number] | undefined {
  const there = values.filter(exists);
  if (there.length === 0) return undefined;
  let low = there[0]!;
  let high = low;
  for (const value of there) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = (high - low || Math.abs(high) || 1) * margin;
  return [low - room, high + room];
}
