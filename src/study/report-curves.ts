/** @file A report's lines and single numbers over mixtures: doses and sizes, the expected best of so many trials, one number over tasks. */

import { isTrainedOn } from "../specs/tasks.ts";
import { expectedChosen, type Trial } from "../stats/chosen-trial.ts";
import { expectedMaximumCurve } from "../stats/expected-maximum.ts";
import { baselineNormalised, interquartileMeanInterval } from "../stats/interquartile-mean.ts";
import { tInterval } from "../stats/interval.ts";
import { variance } from "../stats/moments.ts";
import { aloneRows } from "./analyse.ts";
import type { ModelItems } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { doseCombinations } from "./plan.ts";
import {
  type AggregateScore,
  type DoseCurve,
  type DoseSeries,
  type EqualTrials,
  type ExpectedMaximumCurve,
  orNull,
} from "./report-data.ts";
import type { Row, StudyTable } from "./study-table.ts";
import { curveText } from "./words.ts";

const BOOTSTRAP_SEED = 1;

/** Lines over what varies as a number: a mixer's dose, or a factor. */
export function curvesOf(lock: StudyLock, table: StudyTable): DoseCurve[] {
  const doses = doseCombinations(lock.study);
  const varied = Object.entries(lock.study.mixers).filter(
    ([, { role, dose }]) => role === "always" && (dose ?? [1]).length > 1,
  );
  const rows = table.rows.flatMap((row) => {
    if (row.kind !== "mixture") return [];
    const combination = doses
      .filter(({ suffix }) => row.name.endsWith(suffix))
      .toSorted((a, b) => b.suffix.length - a.suffix.length)[0];
    const at =
      combination === undefined ? {} : Object.fromEntries(varied.map(([name]) => [name, combination.doses[name]!]));
    const plain = combination === undefined ? row.name : row.name.slice(0, row.name.length - combination.suffix.length);
    const ofDoses = Object.fromEntries(Object.entries(at).map(([name, x]) => [`dose of ${name}`, x]));
    return row.combinations.map((factors) => {
      const settings: Record<string, unknown> = { ...ofDoses, ...factors };
      return { row, plain, settings };
    });
  });
  const numeric = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))].filter((of) =>
    rows.every(({ settings }) => settings[of] === undefined || typeof settings[of] === "number"),
  );
  return numeric
    .flatMap((of) =>
      [...new Set(rows.map(({ row }) => row.model ?? ""))].flatMap((model) =>
        table.tasks.map(({ name: task }): DoseCurve => {
          const lines = new Map<string, DosePoint[]>();
          for (const { row, plain, settings } of rows) {
            const x = settings[of];
            const { values, mean } = row.cells[task]!.test;
            if (row.model !== model || typeof x !== "number" || values.length === 0) continue;
            const rest = Object.entries(settings).filter(([key]) => key !== of);
            const name = [plain, ...rest.map(([key, value]) => `${key} ${String(value)}`)].join(", ");
            lines.set(name, [...(lines.get(name) ?? []), { x, values, mean }]);
          }
          const series = [...lines].map(([name, points]) => ({ name, points: points.toSorted((a, b) => a.x - b.x) }));
          const whole = series.filter(({ points }) => points.length > 1);
          return { task, model, of, series: withIntervals(whole), text: "" };
        }),
      ),
    )
    .filter(({ series }) => series.length > 0)
    .map((curve) => ({ ...curve, text: curveText(curve) }));
}

interface DosePoint {
  x: number;
  values: number[];
  mean: number;
}

/** Seeds are taken to vary alike all along a curve: two or three of them say too little about each point alone. */
function withIntervals(series: readonly { name: string; points: readonly DosePoint[] }[]): DoseSeries[] {
  const repeated = series.flatMap(({ points }) => points).filter(({ values }) => values.length > 1);
  const df = repeated.reduce((sum, { values }) => sum + values.length - 1, 0);
  const squares = repeated.reduce((sum, { values }) => sum + variance(values) * (values.length - 1), 0);
  const spread = Math.sqrt(squares / df);
  return series.map(({ name, points }) => {
    const best = points.reduce((a, b) => (b.mean > a.mean ? b : a));
    const isAlike = ({ mean, values }: DosePoint) =>
      tInterval(best.mean - mean, spread * Math.sqrt(1 / best.values.length + 1 / values.length), df).low <= 0;
    const others = points.filter((point) => point !== best);
    return {
      name,
      points: points.map((point) => {
        const { low, high } = tInterval(point.mean, spread / Math.sqrt(point.values.length), df);
        return { ...point, low: orNull(low), high: orNull(high) };
      }),
      optimum: { x: best.x, alike: df > 0 ? others.filter(isAlike).map(({ x }) => x) : null },
    };
  });
}

/** Of any mixture, and of training on the task alone with other factors and seeds. */
export function expectedMaximumOf(
  lock: StudyLock,
  table: StudyTable,
  items: readonly ModelItems[],
): ExpectedMaximumCurve[] {
  return items.flatMap(({ task, model }): ExpectedMaximumCurve[] => {
    const mixtures = table.rows.filter((row) => row.kind === "mixture" && row.model === model);
    const valuesOf = (rows: readonly Row[]) => rows.flatMap((row) => row.cells[task]!.test.values);
    const alone = mixtures.filter((row) => aloneRows([row], row, task, lock).length > 0);
    const arms = [
      { name: "any mixture", values: valuesOf(mixtures) },
      { name: "the task alone", values: valuesOf(alone) },
    ].filter(({ values }) => values.length > 1);
    const curves = arms.map(({ name, values }) => {
      const points = expectedMaximumCurve(values, { seed: BOOTSTRAP_SEED });
      return {
        name,
        points: points.map(({ k, expected, low, high }) => ({ k, expected, low: orNull(low), high: orNull(high) })),
      };
    });
    const others = mixtures.filter((row) => !alone.includes(row));
    return curves.length === 0 ? [] : [{ task, model, curves, equalTrials: equalTrials(alone, others, task) }];
  });
}

function equalTrials(alone: readonly Row[], others: readonly Row[], task: string): EqualTrials {
  const trialsOf = (rows: readonly Row[]) =>
    rows.flatMap((row): Trial[] => {
      const { dev, test } = row.cells[task]!;
      // A seed without one of the two leaves nobody knowing whose scores belong together.
      if (dev.values.length !== test.values.length) return [];
      return dev.values.map((value, i) => ({ dev: value, test: test.values[i]! }));
    });
  const [own, more] = [trialsOf(alone), trialsOf(others)];
  const tries = Array.from({ length: Math.min(own.length, more.length) }, (_, at) => {
    return { k: at + 1, alone: expectedChosen(own, at + 1), mixtures: expectedChosen(more, at + 1) };
  });
  return { numAlone: own.length, numMixtures: more.length, tries };
}

/** Over target tasks whose metric is a share: others have no perfect score. */
export function aggregateOf(lock: StudyLock, table: StudyTable): AggregateScore[] {
  const majority = table.rows.find(({ kind }) => kind === "majority");
  const tasks = table.tasks.filter(
    ({ name, metric }) => metric !== "answer_logprob" && isTrainedOn(lock.study.tasks[name]),
  );
  return table.rows.flatMap((row, index): AggregateScore[] => {
    if (row.kind === "majority") return [];
    const scores = tasks.map(({ name }) => {
      const least = majority?.cells[name]?.test.mean ?? 0;
      return row.cells[name]!.test.values.map((value) => baselineNormalised(value, Number.isNaN(least) ? 0 : least));
    });
    if (tasks.length < 2 || scores.some((values) => values.length === 0)) return [];
    const { estimate, low, high } = interquartileMeanInterval(scores, { seed: BOOTSTRAP_SEED });
    return [{ row: index, iqm: estimate, low: orNull(low), high: orNull(high), numTasks: tasks.length }];
  });
}
