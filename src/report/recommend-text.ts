/** @file What a study's runs say to do, for people: a paragraph a task, then what to add. Pure. */

import { counted } from "../base/human-numbers.ts";
import type { Advice, BestMixture, TaskAdvice } from "../study/recommend.ts";
import { MAX_SEEDS, type Rival } from "../study/rival.ts";
import { PROMISING, type Untried, type UntriedMixtures } from "../study/untried.ts";
import { amountIn, listed } from "../study/words.ts";

/** The whole advice. */
export function adviceText({ name, numRuns, numDone, tasks, unscored, add }: Advice): string {
  const models = new Set(tasks.map(({ model }) => model)).size;
  const unfinished = numDone < numRuns ? [`With ${numDone} of ${counted(numRuns, "run")} done.`] : [];
  const notScored = unscored.length > 0 ? [`No dev scores of ${listed(unscored)}: nothing is said of them.`] : [];
  return [...unfinished, ...tasks.map((one) => taskAdvice(one, models > 1)), ...notScored, addText(name, add)].join(
    "\n\n",
  );
}

function taskAdvice(
  { task, model, metric, offer, text, best, rival, ...rest }: TaskAdvice,
  isOneOfMany: boolean,
): string {
  const amount = (value: number) => amountIn(Number.isNaN(value) ? null : value, metric);
  const of = isOneOfMany ? `${task} (${model})` : task;
  if (offer.verdict === "nothing" || offer.verdict === "ngram") return `${of}: ${text}`;
  const parts = [
    `${of}: ${text}`,
    ...(rival ? [rivalText(rival, best, amount)] : []),
    ...(best.cost === undefined ? [] : [`A run of ${best.name} took ${costText(best.cost)}.`]),
    untriedText(rest, best.name, amount),
  ];
  return parts.join("\n  ");
}

function costText({ seconds, tokens }: { seconds: number; tokens: number }): string {
  const time =
    seconds < 120
      ? `${seconds.toFixed(0)} s`
      : seconds < 7200
        ? `${(seconds / 60).toFixed(0)} min`
        : `${(seconds / 3600).toFixed(1)} h`;
  return `${time}, ${Math.round(tokens).toLocaleString("en")} tokens`;
}

type Amount = (value: number) => string;

function interval({ low, high }: { low: number; high: number }, amount: Amount, kind: string): string {
  return Number.isNaN(low) ? `no ${kind} can be given` : `95 % ${kind} ${amount(low).split(" ")[0]} to ${amount(high)}`;
}

function rivalText(rival: Rival, { name: best, chance }: BestMixture, amount: Amount): string {
  const { name, difference, low, verdict, seedsNeeded } = rival;
  const gap = `${amount(difference)}, ${interval(rival, amount, "interval")}`;
  const likely =
    chance === undefined ? "" : ` The chance that ${best} is the best of the mixtures here is ${percent(chance)}.`;
  if (verdict === "told") return `${best} is significantly better than ${name}, the likeliest other (${gap}).${likely}`;
  const open = `${best} is not significantly different from ${name} (${gap}).${likely}`;
  if (Number.isNaN(low)) return `${open} With one seed nothing says what training again would change: add a second.`;
  if (verdict === "seeds") return `${open} ${seedsNeeded} seeds would probably show a difference of this size.`;
  const cheaper = "Take whichever of the two costs less.";
  return difference === 0
    ? `${open} ${cheaper}`
    : `${open} Even ${MAX_SEEDS} seeds would probably not show a difference of this size. ${cheaper}`;
}

function untriedText({ numUntried, untried, check }: UntriedMixtures, best: string, amount: Amount): string {
  if (numUntried === 0) return "Every mixture that these runs could predict has been trained.";
  const [first] = untried;
  if (first === undefined)
    return `These mixtures do not show what each ingredient does, so the ${numUntried} untried ones cannot be predicted. Add pairs to the design.`;
  const chance = (one: Untried) => (Number.isNaN(one.chance) ? "" : `, chance of a gain ${percent(one.chance)}`);
  const shown = (one: Untried) =>
    `${one.name} (${amount(one.gain)}, ${interval(one, amount, "prediction interval")}${chance(one)})`;
  const promising = untried.filter(({ isPromising }) => isPromising);
  const trust =
    check === undefined
      ? "\n  Whether ingredients add up cannot be checked with so few mixtures."
      : checkText(check, amount);
  if (promising.length > 0)
    return `Untried, and predicted to be above ${best}: ${promising.map(shown).join("; ")}.${trust}`;
  const mixtures =
    numUntried === 1 ? "The one untried mixture does not promise" : `None of ${numUntried} untried mixtures promises`;
  return `${mixtures} a gain (a chance of ${100 * PROMISING} %); the most hopeful is ${shown(first)}.${trust}`;
}

function checkText(
  { numChecked, meanError, meanErrorOfMean, correlation }: NonNullable<TaskAdvice["check"]>,
  amount: Amount,
): string {
  const size = (value: number) => amount(value).replace("+", "");
  const r = Number.isNaN(correlation) ? "" : `, correlation ${correlation.toFixed(2)}`;
  const isBetter = meanError < meanErrorOfMean;
  const verdict = isBetter ? "" : ": no better than guessing, so no prediction is relied on";
  return `\n  Checked on ${numChecked} mixtures left out one at a time: off by ${size(meanError)} on average (their mean would be off by ${size(meanErrorOfMean)}${r})${verdict}.`;
}

function addText(name: string, { mixtures, seeds, numRuns, yaml }: Advice["add"]): string {
  if (yaml === "") return "Nothing to add: no untried mixture promises a gain, and more seeds would not decide more.";
  const reasons = [
    ...mixtures.map((one) => `${one.name} for ${listed(one.tasks)}`),
    ...(seeds ? [counted(seeds.length, "seed")] : []),
  ];
  return `To add: ${reasons.join("; ")}: about ${counted(numRuns, "run")}. In the study file of ${name}, in place of the keys there:\n\n${yaml.trimEnd()}`;
}

/** A chance that is not certain is not said to be. */
function percent(chance: number): string {
  return chance > 0.99 ? "over 99 %" : `${(100 * chance).toFixed(0)} %`;
}
