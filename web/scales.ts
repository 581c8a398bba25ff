/** @file Where the points of lines stand in a chart: pure, so that it is tested without a browser. Drawing is in lines.ts. */

import { extent, ticks } from "./numbers.ts";

export interface Line {
  name: string;
  /** Intervals are drawn as a band, so that it takes two points with one. */
  points: readonly { x: number; y: number | null; low?: number | null; high?: number | null }[];
  /** Single values behind the points. */
  dots?: readonly { x: number; y: number }[];
  /** What the points smooth: a pale line. */
  behind?: readonly { x: number; y: number | null }[];
}

/** Of a chart, in pixels. */
export const HEIGHT = 300;
export const MARGIN = { top: 12, right: 16, bottom: 42, left: 58 };

/** x may be drawn logarithmically where its largest value is more than so many times its smallest. */
const LOGARITHMIC_FROM = 20;

export interface Scales {
  /** In pixels from the left. */
  x(value: number): number;
  /** In pixels from the top; a value beyond the axis stands at its end. */
  y(value: number): number;
  xTicks: readonly number[];
  yTicks: readonly number[];
  isLogarithmic: boolean;
}

/**
 * Scales that hold all points, dots and bands.
 * @param lines             at least one value
 * @param width             of the chart, in pixels
 * @param limits            values beyond which y means nothing: the axis ends there; default: none
 * @param mayBeLogarithmic  default: x is linear
 */
export function scalesOf(
  lines: readonly Line[],
  width: number,
  limits: readonly [number, number] = [-Infinity, Infinity],
  mayBeLogarithmic = false,
): Scales {
  const all = lines.flatMap((line) => [...line.points, ...(line.dots ?? []), ...(line.behind ?? [])]);
  const xValues = all.map(({ x }) => x);
  const [least, most] = [Math.min(...xValues), Math.max(...xValues)];
  const isLogarithmic = mayBeLogarithmic && least > 0 && most / least > LOGARITHMIC_FROM;
  const along = (x: number) => (isLogarithmic ? Math.log10(x) : x);
  const [left, right] = extent(xValues.map(along), 0.03)!;
  const range = extent(
    [...all.map(({ y }) => y), ...lines.flatMap((line) => bandOf(line)).flatMap(({ low, high }) => [low, high])],
    0.06,
  )!;
  const [bottom, top] = [Math.max(limits[0], range[0]), Math.min(limits[1], range[1])];
  return {
    x: (value) => MARGIN.left + ((along(value) - left) / (right - left)) * (width - MARGIN.left - MARGIN.right),
    y: (value) =>
      MARGIN.top +
      ((top - Math.min(top, Math.max(bottom, value))) / (top - bottom)) * (HEIGHT - MARGIN.top - MARGIN.bottom),
    xTicks: isLogarithmic ? [...new Set(xValues)].sort((a, b) => a - b) : ticks(left, right, width < 480 ? 4 : 8),
    yTicks: ticks(bottom, top, 5),
    isLogarithmic,
  };
}

/** Of things along a line, those that do not come closer to their predecessor than so much. */
export function apart<T extends { at: number }>(things: readonly T[], distance: number): T[] {
  const kept: T[] = [];
  for (const thing of things) if (kept.length === 0 || thing.at - kept.at(-1)!.at >= distance) kept.push(thing);
  return kept;
}

/** Points with an interval, where they are enough for a band. */
export function bandOf({ points }: Line): { x: number; low: number; high: number }[] {
  const banded = points.flatMap(({ x, low, high }) => (low == null || high == null ? [] : [{ x, low, high }]));
  return banded.length > 1 ? banded : [];
}

/** The mean of each point and those near it: a tenth of the line in all. */
export function smoothed(points: readonly { x: number; y: number | null }[]): { x: number; y: number | null }[] {
  const reach = Math.floor(points.length / 20);
  return points.map(({ x }, i) => {
    const near = points.slice(Math.max(0, i - reach), i + reach + 1).flatMap(({ y }) => y ?? []);
    return { x, y: near.length === 0 ? null : near.reduce((sum, y) => sum + y, 0) / near.length };
  });
}
