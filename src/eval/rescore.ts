/** @file Stored answers judged again by today's scorers: what the model gave is taken from its predictions, what is right from the task. */

import { attempt } from "../base/attempt.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { DataError } from "../base/errors.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import { withoutNonFinite } from "../formats/jsonl.ts";
import { JUDGED } from "../metrics/judged.ts";
import { keepScores, writeSplit } from "../runs/run-dir.ts";
import type { Prediction, Scores, SplitScores } from "../runs/types.ts";
import type { EvalSpec, Scoring } from "../specs/types.ts";
import { type Answered, type SplitResult, scoreAnswers } from "./score-answers.ts";

/**
 * Judges one split again, by the readings it was judged by.
 *
 * @param place  of the predictions, for messages
 * @throws {DataError} predictions that are not those of the stored scores, or of other examples than the task has now
 */
export function rescoreSplit(
  predictions: readonly Prediction[],
  stored: SplitScores,
  task: Pick<LoadedTask, "name" | "answer" | "metric">,
  examples: readonly Example[],
  place: string,
): SplitResult {
  if (predictions.length !== stored.n) throw mismatch(place, `${stored.n} predictions`, `${predictions.length}`);
  const byId = new Map(examples.map((example) => [example.id, example]));
  // What judges said holds still: of the same answers, by the same reference.
  const { [JUDGED]: verdicts, ...read } = stored.scoring;
  const readings = Object.keys(read) as Scoring[];
  const isLabel = task.answer.kind === "label";
  const hasText = isLabel ? readings.some((name) => name !== "constrained") : stored.outputs !== undefined;
  const answers = predictions.map(({ output, parsed: _parsed, scores, ...given }): Answered => {
    const example = byId.get(given.id);
    if (example === undefined) throw mismatch(place, `an example of ${task.name}`, given.id);
    if (example.answer !== given.gold || example.group !== given.group) {
      throw mismatch(`${place}: ${given.id}`, `the gold answer ${JSON.stringify(given.gold)}`, "another in the data");
    }
    return {
      ...given,
      ...(hasText ? { output } : {}),
      ...(scores.answer_logprob === undefined ? {} : { answer_logprob: scores.answer_logprob }),
      ...(example.gold && { facts: example.gold }),
    };
  });
  const { predictions: judged, scores } = scoreAnswers(answers, task, readings);
  if (verdicts === undefined) return { predictions: judged, scores };
  const kept = { scoring: { ...scores.scoring, [JUDGED]: verdicts }, ...(stored.judged && { judged: stored.judged }) };
  return { predictions: judged, scores: { ...scores, ...kept } };
}

/**
 * What stored answers score by what is asked of a split now; undefined where they lack something that is asked, or are of other examples.
 * @param examples  of the split that are scored
 */
export function scoreStored(
  predictions: readonly Prediction[],
  task: Pick<LoadedTask, "name" | "answer" | "metric">,
  examples: readonly Example[],
  { scoring, constrained_numbers }: Pick<EvalSpec, "scoring" | "constrained_numbers">,
): SplitResult | undefined {
  const isLabel = task.answer.kind === "label";
  const hasText = isLabel ? scoring.some((name) => name !== "constrained") : task.metric !== "answer_logprob";
  const asksNumbers = constrained_numbers && task.answer.kind === "number" && hasText;
  const isEnough = ({ finish_reason, label_logprobs, constrained_output }: Prediction) =>
    (!hasText || finish_reason !== undefined) &&
    (!isLabel || !scoring.includes("constrained") || label_logprobs !== undefined) &&
    (!asksNumbers || constrained_output !== undefined);
  if (!predictions.every(isEnough)) return undefined;
  const asked: SplitScores = {
    ...{ n: examples.length, n_groups: 0, metrics: {} },
    scoring: Object.fromEntries(scoring.map((name) => [name, {}])),
    ...(hasText && { outputs: { valid: 0, empty: 0, cut: 0 } }),
  };
  return attempt(() => rescoreSplit(predictions, asked, task, examples, task.name));
}

/** Writes what a split scores now; its predictions only where they say something else than before. @param scores  of the folder so far; added to */
export function writeRescored(
  dir: string,
  scores: Scores,
  question: { task: string; split: "dev" | "test" },
  before: readonly Prediction[],
  after: SplitResult,
): void {
  if (storedForm(before) === storedForm(after.predictions)) keepScores(dir, scores, question, after.scores);
  else writeSplit(dir, scores, question, after);
}

/** A record as it reads when it was written and read back. */
export function storedForm(record: unknown): string {
  return canonicalJson(JSON.parse(JSON.stringify(record, withoutNonFinite)));
}

function mismatch(place: string, expected: string, got: string): DataError {
  return new DataError({
    place,
    expected,
    got,
    remedy: "The data or the predictions changed since the model was asked: evaluate it again with mixtune eval.",
  });
}
