/** @file What a study found, in words: nothing here says more than intervals and corrected p values allow. */

import { counted } from "../base/human-numbers.ts";
import type { MetricName } from "../specs/types.ts";
import { SIGNIFICANT } from "../stats/corrections.ts";
import { isPair } from "../stats/factorial.ts";
import type { DoseCurve, IngredientEffects, TaskAnswer } from "./report-data.ts";
import type { Comparison, Row, StudyTable } from "./study-table.ts";

/** One sentence on what the table shows, saying no more than the intervals allow. */
export function sentenceOf(table: Omit<StudyTable, "sentence">, numSeeds: number): string {
  const { comparisons, numDone, numRuns } = table;
  const prefix = numDone < numRuns ? `With ${numDone} of ${counted(numRuns, "run")} done, ` : "";
  const text =
    comparisons.length === 0
      ? `there is nothing to compare yet: no task has both a chosen mixture and a run on that task alone${numDone < numRuns ? "" : ", as design: [singles, all] makes them"}`
      : claims(comparisons, numSeeds);
  const whole = `${prefix}${text}.${versusNgram(table)}`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

function claims(comparisons: readonly Comparison[], numSeeds: number): string {
  const label = (one: Comparison) =>
    new Set(comparisons.map(({ model }) => model)).size > 1 ? `${one.task} (${one.model})` : one.task;
  const named = (verdict: Comparison["verdict"], show: (one: Comparison) => string) =>
    comparisons.filter((one) => one.verdict === verdict).map(show);
  const withInterval = (one: Comparison) =>
    `${label(one)} by ${amount(one.difference, one.metric)} ${unit(one.metric)} (${one.chosen}, 95 % interval ${amount(one.low, one.metric)} to ${amount(one.high, one.metric)}${corrected(one)})`;
  const parts = [
    claim(
      named("above", withInterval),
      "the mixture chosen on dev is significantly better than training on the task alone for",
    ),
    claim(
      named("below", withInterval),
      "the mixture chosen on dev is significantly worse than training on the task alone for",
    ),
    claim(
      named("not distinguishable", label),
      `the mixture chosen on dev is not significantly different from training on the task alone with ${counted(numSeeds, "seed")} for`,
    ),
    claim(named("same", label), "dev chooses training on the task alone for"),
  ];
  return `on test ${listed([...new Set(comparisons.map(({ metric }) => metric))])} ${parts.filter((part) => part !== "").join("; ")}`;
}

function corrected({ pAdjusted, familySize }: Comparison): string {
  if (familySize < 2) return "";
  return `, p ${pAdjusted < 0.001 ? "< 0.001" : pAdjusted.toFixed(3)} corrected for ${familySize} comparisons`;
}

function claim(names: string[], text: string): string {
  return names.length === 0 ? "" : `${text} ${listed(names)}`;
}

/** How the chosen mixtures stand to the n-gram row, as bare means: said as such. */
function versusNgram(table: Omit<StudyTable, "sentence">): string {
  const ngram = table.rows.find((row) => row.kind === "ngram");
  if (ngram === undefined) return "";
  const chosen = Object.values(table.chosen).flatMap((byTask) => Object.entries(byTask));
  const comparable = chosen
    .map(([task, index]) => table.rows[index]!.cells[task]!.test.mean - ngram.cells[task]!.test.mean)
    .filter((difference) => !Number.isNaN(difference));
  if (comparable.length === 0) return "";
  const above = comparable.filter((difference) => difference > 0).length;
  const who = comparable.length === 1 ? "The chosen mixture scores" : "The chosen mixtures score";
  return ` ${who} above the n-gram baseline on ${above} of ${counted(comparable.length, "task")}.`;
}

/** A row of a table: its name, and the values of factors. */
export function rowLabel({ name, factors }: Pick<Row, "name" | "factors">): string {
  const values = Object.entries(factors).map(([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`);
  return `${name}${values.join("")}`;
}

/** Names in a sentence. */
export function listed(names: readonly string[]): string {
  return names.length <= 1 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function amount(difference: number, metric: string): string {
  return metric === "answer_logprob" ? difference.toFixed(3) : (difference * 100).toFixed(1);
}

function unit(metric: string): string {
  return metric === "answer_logprob" ? "nats a token" : "points";
}

/** The answer to a task's primary question. */
export function answerText(answer: Omit<TaskAnswer, "text">, { rows, tasks }: StudyTable): string {
  const { metric } = tasks.find(({ name }) => name === answer.task)!;
  const amount = (value: number | null) => amountIn(value, metric);
  const { verdict, difference, low, high, pAdjusted, familySize } = answer;
  const chosen = rows[answer.chosen]!.name;
  const chance = answer.chanceOfBest.find(({ row }) => row === answer.chosen)?.chance;
  const best = chance === undefined ? "" : ` Its chance of being the best mixture of all here is ${percent(chance)}.`;
  if (verdict === "no reference") {
    const why = answer.reference === null ? "is not among the runs" : "is not scored yet";
    return `Dev chooses ${chosen}; training on the task alone ${why}.${best}`;
  }
  if (verdict === "same") return `Dev chooses training on the task alone (${chosen}): no mixture promised more.${best}`;
  const interval = low === null ? "no interval with one seed" : `95 % interval ${amount(low)} to ${amount(high)}`;
  const p =
    pAdjusted === null ? "" : `, p ${pAdjusted < 0.001 ? "< 0.001" : pAdjusted.toFixed(3)} corrected for ${familySize}`;
  const gain = `${amount(difference)} against training on the task alone (${interval}${p})`;
  if (verdict === "not distinguishable")
    return `Dev chooses ${chosen}: ${gain}; the two are not significantly different.${best}`;
  const better = verdict === "above" ? "better" : "worse";
  return `Dev chooses ${chosen}, which is significantly ${better} than training on the task alone: ${gain}.${best}`;
}

/** Which of the other ingredients help or hurt a task, which cannot be told from doing nothing, and what the task's own data gives. */
export function effectText({ task, effects }: Pick<IngredientEffects, "task" | "effects">, metric: MetricName): string {
  const isSure = ({ pAdjusted }: IngredientEffects["effects"][number]) => pAdjusted !== null && pAdjusted < SIGNIFICANT;
  const others = effects.filter((one) => !isPair(one) && one.term !== task);
  const said = others.filter(isSure).map(({ term, effect, low, high }) => {
    const interval = `95 % interval ${amountIn(low, metric)} to ${amountIn(high, metric)}`;
    return `${term} ${effect > 0 ? "helps" : "hurts"} (${amountIn(effect, metric)}, ${interval})`;
  });
  const unsure = others.filter((one) => !isSure(one)).map(({ term }) => term);
  const undecided =
    unsure.length === 0 ? [] : [`${listed(unsure)} ${unsure.length === 1 ? "has" : "have"} no significant effect`];
  const own = effects.find(({ term }) => term === task);
  const ofOwn = own === undefined ? "" : ` Its own data gives ${amountIn(own.effect, metric)}.`;
  return `On ${task}: ${[...said, ...undecided].join("; ") || "no other ingredient varies"}.${ofOwn}`;
}

/** Where each line is highest, and where else it may be. */
export function curveText({ of, series }: Pick<DoseCurve, "of" | "series">): string {
  const best = series.map(({ name, optimum: { x, alike } }) => {
    const rest =
      alike === null
        ? "; with one seed nothing says how sure that is"
        : alike.length === 0
          ? ", and no other is near it"
          : `; not significantly different from it: ${listed(alike.map(String))}`;
    return `${name}: highest mean at ${x}${rest}.`;
  });
  return `${of}. ${best.join(" ")} Over seeds, on these test items; the highest of several means is partly luck.`;
}

/** What so many rows can decide: "59 rows can tell apart 17 points or more" without its verb, rounded so that it does not promise too much. */
export function tellsApart(numRows: number, difference: number): string {
  return `${Math.ceil(100 * difference)} points or more (${counted(numRows, "row")})`;
}

/** A difference with its sign and unit; a dash where there is none. */
export function amountIn(value: number | null, metric: string): string {
  if (value === null) return "-";
  const sign = value > 0 ? "+" : "";
  return metric === "answer_logprob"
    ? `${sign}${value.toFixed(3)} nats a token`
    : `${sign}${(100 * value).toFixed(1)} points`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
