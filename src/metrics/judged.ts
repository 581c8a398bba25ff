/** @file Verdicts in, scores out: of answers that a panel judged, and of the panel where people judged the same answers. */

import { type PanelVerdict, VERDICTS, type Verdict } from "../specs/verdicts.ts";
import { majority, nominalAlpha } from "./agreement.ts";
import { type MetricInterval, type ScoredSplit, withIntervals } from "./with-intervals.ts";

/** What a panel says of one answer. */
export interface JudgedItem {
  /** Of each judge, in the order of the panel; null where it could not be read. */
  votes: readonly (Verdict | null)[];
  /** Items of a group are resampled together. */
  group: string;
}

/** How a panel's verdicts compare with people's. As it stands in scores.json. */
export interface Calibration {
  n: number;
  /** Questions, of which each may have several answers. */
  n_groups: number;
  /** Share of the human verdicts that the panel gives too; undecided is wrong. */
  accuracy: MetricInterval;
  /** The same of each judge, in the order of the panel; unreadable is wrong. */
  judges: MetricInterval[];
  /** Between the judges; absent for one judge. */
  alpha?: MetricInterval;
  /** Rows: human verdicts in the order of VERDICTS; columns: the panel's, and undecided last. */
  confusion: number[][];
}

/** Name of this way to read answers, beside strict and the others. */
export const JUDGED = "judged";

/** The verdict of the majority. */
export function panelVerdict(votes: readonly (Verdict | null)[]): PanelVerdict {
  return majority(votes) ?? "undecided";
}

/**
 * Shares of all n answers: `accuracy` (correct), `incorrect`, `refused` and `undecided` (no majority) sum to 1. `unreadable` is a share of
 * all single verdicts; `alpha` is Krippendorff's, absent for one judge.
 */
export function scoreVerdicts(items: readonly JudgedItem[], { seed }: { seed: number }): ScoredSplit {
  const outcomes = items.map(({ votes }) => panelVerdict(votes));
  const unreadable = items.map(({ votes }) => votes.filter((vote) => vote === null).length / votes.length);
  const counts = items.map(({ votes }) => countsOf(votes));
  const numShare = items.length;
  const statistics = [
    { name: "accuracy", numShare },
    { name: "incorrect", numShare },
    { name: "refused", numShare },
    { name: "undecided", numShare },
    { name: "unreadable" },
    { name: "alpha" },
  ];
  const aggregate = (chosen: Iterable<number>) => {
    const all = [...chosen];
    const share = (of: PanelVerdict) => mean(all.map((i) => Number(outcomes[i] === of)));
    return [
      share("correct"),
      share("incorrect"),
      share("refused"),
      share("undecided"),
      mean(all.map((i) => unreadable[i]!)),
      nominalAlpha(all.map((i) => counts[i]!)),
    ];
  };
  const groups = items.map(({ group }) => group);
  return withIntervals(statistics, aggregate, groups, { seed, scoring: JUDGED });
}

/** Compares a panel with people. @param items  at least one, all with as many votes */
export function calibrate(
  items: readonly (JudgedItem & { human: Verdict })[],
  { seed }: { seed: number },
): Calibration {
  const outcomes = items.map(({ votes }) => panelVerdict(votes));
  const counts = items.map(({ votes }) => countsOf(votes));
  const judges = items[0]!.votes.map((_, j) => j);
  const numShare = items.length;
  const statistics = [
    { name: "accuracy", numShare },
    { name: "alpha" },
    ...judges.map((j) => ({ name: `judge ${j}`, numShare })),
  ];
  const aggregate = (chosen: Iterable<number>) => {
    const all = [...chosen];
    return [
      mean(all.map((i) => Number(outcomes[i] === items[i]!.human))),
      nominalAlpha(all.map((i) => counts[i]!)),
      ...judges.map((j) => mean(all.map((i) => Number(items[i]!.votes[j] === items[i]!.human)))),
    ];
  };
  const groups = items.map(({ group }) => group);
  const { n, n_groups, metrics } = withIntervals(statistics, aggregate, groups, { seed, scoring: JUDGED });
  const columns: PanelVerdict[] = [...VERDICTS, "undecided"];
  return {
    n,
    n_groups,
    accuracy: metrics.accuracy!,
    judges: judges.map((j) => metrics[`judge ${j}`]!),
    ...(metrics.alpha === undefined ? {} : { alpha: metrics.alpha }),
    confusion: VERDICTS.map((human) =>
      columns.map((said) => items.filter((item, i) => item.human === human && outcomes[i] === said).length),
    ),
  };
}

function countsOf(votes: readonly (Verdict | null)[]): number[] {
  return VERDICTS.map((verdict) => votes.filter((vote) => vote === verdict).length);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
