/** @file Prompts of new rows, that have no answer yet. */

import { DataError, SpecError } from "../base/errors.ts";
import { CATALOGUE } from "../data/catalogue.ts";
import type { TaskSpec } from "../specs/types.ts";

type Fields = Record<string, unknown>;

/**
 * The labels of a task and how a row without an answer becomes its prompt: the task's own prompt,
 * or for a catalogue task the row's field `prompt`, worded as `mixtune tasks show` prints it.
 * @throws {SpecError} an answer that is no label
 */
export function labelsAndPrompt(spec: TaskSpec): { labels: string[]; promptOf(fields: Fields, place: string): string } {
  const answer = spec.answer ?? CATALOGUE[spec.catalogue ?? spec.name]?.answer;
  if (answer?.kind !== "label") {
    throw new SpecError({
      place: `task ${spec.name}`,
      expected: "an answer of kind label",
      got: `kind ${answer?.kind ?? "unknown"}`,
      remedy: "Other kinds need free generation, which this version does not have.",
    });
  }
  const prompt = spec.prompt ?? "{prompt}";
  return { labels: answer.labels, promptOf: (fields, place) => filled(prompt, fields, place) };
}

function filled(prompt: string, fields: Fields, place: string): string {
  return prompt.replace(/\{([^{}\n]+)\}/g, (_, field: string) => {
    const value = fields[field];
    if (value !== undefined && value !== null && typeof value !== "object" && String(value).trim() !== "")
      return String(value);
    throw new DataError({
      place,
      expected: `a text in the field "${field}"`,
      got: JSON.stringify(value) ?? "no such field",
      remedy: `Put the row right; the file has ${Object.keys(fields).join(", ")}.`,
    });
  });
}
