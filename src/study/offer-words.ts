/** @file What may be offered for a task, in words: the same in recommend, in report, and at the end of run. */

import type { MetricName } from "../specs/types.ts";
import type { Offer, Standing } from "./offer.ts";
import type { StudyTable } from "./study-table.ts";
import { amountIn, listed, rowLabel, tellsApart } from "./words.ts";

/** What to take, and why; a paragraph that begins small, to stand behind a task's name. */
export function offerText(offer: Offer, task: string, { rows, tasks }: StudyTable): string {
  const { metric } = tasks.find(({ name }) => name === task)!;
  const row = rows[offer.row]!;
  const { mean, values } = row.cells[task]!.dev;
  const seeds = `${values.length} ${values.length === 1 ? "seed" : "seeds"}`;
  const name = rowLabel(row);
  const score = `${metric} ${mean.toFixed(3)} on ${offer.numDev} dev rows, ${seeds}`;
  const ofNgram = rows.find(({ kind }) => kind === "ngram")?.cells[task]?.dev.mean ?? Number.NaN;
  const said: Record<Offer["verdict"], () => string> = {
    mixture: () => `take ${name} (${score}).${beats(offer, metric)}`,
    either: () =>
      `take ${name} (${score}) or the n-gram baseline (${ofNgram.toFixed(3)}): they are not significantly different (${gap(offer.ngram!, metric)}), and the n-gram baseline needs no language model.`,
    ngram: () =>
      `use the n-gram baseline (${metric} ${ofNgram.toFixed(3)} on ${offer.numDev} dev rows): it is better than every mixture here. ${name}, the best of them, ${offer.ngram?.verdict === "below" ? `is significantly below it (${mean.toFixed(3)}, ${gap(offer.ngram, metric)})` : unlearned(offer, metric)}.`,
    untuned: () =>
      `training shows no gain: ${name}, the best mixture on dev (${score}), is ${offer.untuned!.verdict === "below" ? "significantly below" : "not significantly better than"} the untuned model (${gap(offer.untuned!, metric)}).`,
    nothing: () => `take none of these mixtures. ${name}, the best on dev (${score}), ${unlearned(offer, metric)}.`,
    unchecked: () => `dev chooses ${name} (${score}). No baseline says whether that is good.`,
  };
  return [said[offer.verdict](), ...remarks(offer, task, name, { rows })].join(" ");
}

function gap({ difference, low, high }: Standing, metric: MetricName): string {
  const ends = Number.isNaN(low)
    ? ""
    : `, 95 % interval ${amountIn(low, metric).split(" ")[0]} to ${amountIn(high, metric)}`;
  return `${amountIn(difference, metric)}${ends}`;
}

/** The baselines that the mixture is significantly better than. */
function beats({ majority, ngram, untuned }: Offer, metric: MetricName): string {
  const known = [
    ["the most frequent answer", majority],
    ["the n-gram baseline", ngram],
    ["the untuned model", untuned],
  ] as const;
  const above = known.flatMap(([name, one]) => (one?.verdict === "above" ? [`${name} (${gap(one, metric)})`] : []));
  const level = known.flatMap(([name, one]) => (one?.verdict === "level" ? [`${name} (${gap(one, metric)})`] : []));
  const better = above.length === 0 ? "" : ` It is significantly better than ${listed(above)}.`;
  return level.length === 0 ? better : `${better} It is not significantly better than ${listed(level)}.`;
}

/** Behind the name of a mixture that has not learned its task. */
function unlearned({ oneAnswer, majority, beatsGuessing }: Offer, metric: MetricName): string {
  if (oneAnswer !== undefined) return `answers every row with ${oneAnswer}`;
  if (majority?.verdict === "below")
    return `is significantly below always giving the most frequent answer (${gap(majority, metric)})`;
  if (beatsGuessing === false)
    return "gives answers that do not depend on the question: the same answers in any other order would score as well";
  if (majority !== undefined)
    return `is not significantly better than always giving the most frequent answer (${gap(majority, metric)})`;
  return "has learned nothing that dev shows";
}

function remarks(
  { holdsTask, outside, numDev, tellsApart: least }: Offer,
  task: string,
  name: string,
  { rows }: Pick<StudyTable, "rows">,
): string[] {
  const ofOther = outside === undefined ? undefined : rows[outside]!;
  return [
    ...(holdsTask ? [] : [`No finished mixture is trained on ${task}: ${name} has never seen it.`]),
    ...(ofOther === undefined
      ? []
      : [
          `${rowLabel(ofOther)} scores higher on dev (${ofOther.cells[task]!.dev.mean.toFixed(3)}) and is not trained on ${task}, so it is not offered.`,
        ]),
    ...(Number.isNaN(least) || numDev === 0 ? [] : [`Dev can tell apart ${tellsApart(numDev, least)}.`]),
  ];
}
