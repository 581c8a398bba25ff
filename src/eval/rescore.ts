/** @file Stored answers judged again by today's scorers: what the model gave is taken from its predictions, what is right from the task. */

import { DataError } from "../base/errors.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import { JUDGED } from "../metrics/judged.ts";
import type { Prediction, SplitScores } from "../runs/types.ts";
import type { Scoring } from "../specs/types.ts";
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

function mismatch(place: string, expected: string, got: string): DataError {
  return new DataError({
    place,
    expected,
    got,
    remedy: "The data or the predictions changed since the model was asked: evaluate it again with mixtune eval.",
  });
}
