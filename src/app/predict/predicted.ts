/** @file What predict adds to a row: the model's answer, what was read from it, how sure the model is. */

import { SpecError } from "../../base/errors.ts";
import type { AskedAnswer } from "../../data/asked-task.ts";
import type { Generated } from "../../eval/generate.ts";
import { bestLabel } from "../../eval/score.ts";
import type { ColumnType } from "../../formats/parquet-write.ts";
import { type ReadAnswers, readAnswer } from "../../metrics/read-answer.ts";

/** One answer; of a label `probabilities`, of a generated one `finish_reason`. */
export interface Predicted {
  /** A label, or the text as it was generated; null where the row has no prompt. */
  answer: string | null;
  /** Of a label among the labels; of a generated answer as a whole, with the token that ends it. */
  probability: number | null;
  /** What was read from the answer; null where it is none of its kind. */
  parsed: string | ReadAnswers[keyof ReadAnswers] | null;
  probabilities?: Record<string, number>;
  finish_reason?: "stop" | "length";
  /** Why the row has no answer. The column exists where some row of the input has none. */
  problem?: string;
}

/** A column that predict adds. */
export interface AddedColumn {
  key: keyof Predicted;
  /** In the output. */
  name: string;
  type: ColumnType;
}

/** A row without a prompt. */
export function unanswered(problem: string): Predicted {
  return { answer: null, probability: null, parsed: null, problem };
}

/** The columns of a kind's answers, in order. @param hasProblems  whether some row will have no answer */
export function addedColumns({ kind }: AskedAnswer, prefix: string, hasProblems = false): AddedColumn[] {
  const types: Partial<Record<keyof Predicted, ColumnType>> = {
    answer: "STRING",
    probability: "DOUBLE",
    parsed: kind === "spans" ? "JSON" : "STRING",
    ...(kind === "label" ? { probabilities: "JSON" } : { finish_reason: "STRING" }),
    ...(hasProblems && { problem: "STRING" }),
  };
  return Object.entries(types).map(([key, type]) => ({ key: key as keyof Predicted, name: prefix + key, type }));
}

/**
 * Nothing of the input is written over.
 * @throws {SpecError} a column of the input that has the name of an added one
 */
export function refuseTaken(added: readonly AddedColumn[], columns: readonly string[], input: string): void {
  const taken = added.find(({ name }) => columns.includes(name));
  if (taken === undefined) return;
  throw new SpecError({
    place: input,
    expected: `no column of the names that predict adds: ${added.map(({ name }) => name).join(", ")}`,
    got: `a column "${taken.name}"`,
    remedy:
      "Give the added columns other names with options.prefix, as in options.prefix model_, or rename the column.",
  });
}

/** The likeliest label (ties to the earlier) and probabilities among the labels. @param logprobs of each, in nats */
export function pickedLabel(labels: readonly string[], logprobs: Float64Array): Predicted {
  const best = bestLabel(logprobs);
  const weights = logprobs.map((logprob) => Math.exp(logprob - logprobs[best]!));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const answer = labels[best]!;
  const probabilities = Object.fromEntries(labels.map((label, i) => [label, weights[i]! / sum]));
  return { answer, probability: weights[best]! / sum, parsed: answer, probabilities };
}

/**
 * A generated answer.
 * @param lead  what answers begin with in the model's template and that is no part of them: a blank after `Answer:`
 */
export function writtenAnswer(
  kind: keyof ReadAnswers,
  { text, stopped, logprobs }: Pick<Generated, "text" | "stopped" | "logprobs">,
  lead: string,
): Predicted {
  const answer = text.startsWith(lead) ? text.slice(lead.length) : text;
  return {
    answer,
    probability: Math.exp(logprobs!.reduce((sum, logprob) => sum + logprob, 0)),
    parsed: readAnswer(kind, answer),
    finish_reason: stopped === "length" ? "length" : "stop",
  };
}
