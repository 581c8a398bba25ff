/** @file A prompt with names of fields in braces, written for a row. Doubled braces stand for braces. */

import type { TaskSpec } from "../../specs/types.ts";
import { fieldText, type NoAnswer } from "../answers.ts";
import type { Example } from "../types.ts";

/** A prompt that waits for a row. */
export interface RowPrompt {
  /** The names in braces. */
  fields: string[];
  /** The prompt, and where in it the field stands that may be shortened; or what is wrong with the row in words. */
  write(row: Readonly<Record<string, unknown>>): Pick<Example, "prompt" | "fit"> | NoAnswer;
}

/** @param fit  which field may be shortened; its first place in the prompt counts */
export function rowPrompt(template: string, fit: TaskSpec["fit"]): RowPrompt {
  const parts = partsOf(template);
  const fields = parts.filter((_, i) => i % 2 === 1);
  return {
    fields,
    write: (row) => {
      for (const field of fields) {
        const problem = textProblem(row[field], field);
        if (problem !== null) return { problem };
      }
      return written(parts, row, fit);
    },
  };
}

/** Words and, at odd places, names of fields. Doubled braces are words: `{{` stands for `{`, `}}` for `}`. */
function partsOf(template: string): string[] {
  const parts: string[] = [];
  let words = "";
  for (const [piece, field] of template.matchAll(/\{\{|\}\}|\{([^{}\n]+)\}|[^{}]+|[{}]/g)) {
    if (field === undefined) words += piece === "{{" || piece === "}}" ? piece[0] : piece;
    else {
      parts.push(words, field);
      words = "";
    }
  }
  return [...parts, words];
}

function written(
  parts: readonly string[],
  row: Readonly<Record<string, unknown>>,
  fit: TaskSpec["fit"],
): Pick<Example, "prompt" | "fit"> {
  let prompt = "";
  let range: Example["fit"];
  for (const [i, part] of parts.entries()) {
    const piece = i % 2 === 1 ? String(row[part]) : part;
    if (i % 2 === 1 && part === fit?.field && range === undefined)
      range = { from: prompt.length, to: prompt.length + piece.length, keep: fit.keep };
    prompt += piece;
  }
  return range === undefined ? { prompt } : { prompt, fit: range };
}

/** Why a field can not stand in a prompt, or null. */
export function textProblem(value: unknown, field: string): string | null {
  if (value === undefined || value === null) return `no ${field}`;
  const text = fieldText(value);
  return typeof text === "string" ? null : `${field} ${text.problem}`;
}
