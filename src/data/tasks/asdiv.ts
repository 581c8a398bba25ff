/** @file ASDiv: word problems of elementary school in many patterns of language (Miao et al. 2020). */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { elementsIn, parseXml, textOf, type XmlElement } from "../../formats/xml.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { numberText, PROBLEMS, type Problem } from "../readers/word-problems.ts";

const FILE = "asdiv/ASDiv.xml";
const PUBLISHED = { train: 2305 };

export const asdiv = defineTask<Problem>({
  ...PROBLEMS,
  name: "asdiv",
  title: "elementary-school word problems",
  publication: "Miao et al. 2020, A Diverse Corpus for Evaluating English Math Word Problem Solvers; without splits",
  licence: "not stated (card reportedly CC BY-NC 4.0)",
  answer: { kind: "number", field: "Answer" },
  metric: "number_accuracy",
  unit: "distinct problem",
  published: PUBLISHED,
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const problems = asPublished(problemsIn(readText(path), path), PUBLISHED.train, path);
      const train = problems.flatMap(({ line, fields }, i) =>
        problemOf(fields, `${path}:${line}`).map((record) => ({ number: i + 1, record })),
      );
      notes.push(
        `asdiv: ${problems.length} problems, published without splits; ${problems.length - train.length} whose answer is not one number ` +
          "(a name, a time, a ratio, a fraction, several numbers) are left out.",
      );
      return { train };
    },
  },
  hub: {
    id: "EleutherAI/asdiv",
    splits: { train: "validation" },
    columns: ["body", "question", "answer"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/asdiv/default.yaml",
    records: ({ body, question, answer }, place) =>
      problemOf({ Body: body, Question: question, Answer: answer }, place),
  },
});

/** The fields of each problem of the file. */
export function problemsIn(text: string, place: string): { line: number; fields: JsonObject }[] {
  return problemElements(parseXml(text, place)).map((problem) => ({
    line: problem.line,
    fields: Object.fromEntries(
      ["Body", "Question", "Answer"].map((name) => [name, elementsIn(problem, name).map(textOf).join("")]),
    ),
  }));
}

function problemElements(element: XmlElement): XmlElement[] {
  if (element.name === "Problem") return [element];
  return element.children.flatMap((child) => (typeof child === "string" ? [] : problemElements(child)));
}

/** None where the answer is not one number; a unit in brackets after it is left off. */
function problemOf(fields: JsonObject, place: string): Problem[] {
  const number = /^(-?\d+(?:\.\d+)?)(?:\s+\([^();]*\))?$/.exec(textField(fields, "Answer", place))?.[1];
  if (number === undefined) return [];
  const question = `${textField(fields, "Body", place)} ${textField(fields, "Question", place)}`;
  return [{ question, answer: numberText(number, place) }];
}
