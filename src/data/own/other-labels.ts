/** @file Labels of a person's files that are not those of the task: a stray one, or another set of labels altogether. */

import { DataError, SpecError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";
import type { AnswerSpec } from "../../specs/types.ts";
import { answerOf } from "../answers.ts";

type LabelAnswer = Extract<AnswerSpec, { kind: "label" }>;

/** Different labels that are counted: more are no labels. */
const MAX_COUNTED = 1000;

/**
 * Called once a row has a label that the task does not list: refuses a task of which a listed label never occurs, whatever is done with bad rows. Its
 * labels are other ones than the files'.
 * @param texts  the answers of all files
 * @throws {SpecError} with the labels of both
 */
export async function refuseOtherLabels(
  task: string,
  answer: LabelAnswer,
  texts: AsyncIterable<string>,
): Promise<void> {
  const counts = new Map<string, number>();
  for await (const text of texts) {
    const label = answerOf(answer, text);
    const name = typeof label === "string" ? label : shortened(text);
    if (counts.has(name) || counts.size < MAX_COUNTED) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const unseen = answer.labels.filter((label) => !counts.has(label));
  if (unseen.length === 0) return;
  const listed = shortList(answer.labels);
  const which = unseen.length === answer.labels.length ? "which" : `of which ${shortList(unseen)}`;
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  throw new SpecError({
    place: `task ${task}: answer.labels`,
    expected: `the labels of the files: ${shortList(sorted.map(([label, n]) => `${label} (${n} rows)`))}`,
    got: `${listed}, ${which} never ${unseen.length === 1 ? "occurs" : "occur"}`,
    remedy:
      "Write the labels as the files have them. Rows with other labels are not skipped as long as a listed label never occurs.",
  });
}

/** The complaint about one row. */
export function strangeLabel(place: string, { field, labels }: LabelAnswer, got: string): DataError {
  return new DataError({
    place,
    expected: `${field} to be one of the labels ${shortList(labels)}`,
    got: JSON.stringify(shortened(got)),
    remedy: "Fix the row, add the label to answer.labels, or set on_bad_row: skip to leave such rows out, counted.",
  });
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
