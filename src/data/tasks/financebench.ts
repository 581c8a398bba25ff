/** @file FinanceBench: questions on filings of public companies, answered in free text (Islam et al. 2023); the 150 public ones. */

import { join } from "node:path";
import { defineTask, type ReadContext } from "../readers/definition.ts";
import { type JsonObject, listOf, objectOf, readJsonLines, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";

interface Asked {
  question: string;
  answer: string;
  /** The filing's name. */
  filing: string;
  /** Passages of it; empty in variant `closed`. */
  evidence: string;
}

const FILE = "financebench/financebench_open_source.jsonl";
const PUBLISHED = { test: 150 };

export const financebench = defineTask<Asked>({
  name: "financebench",
  title: "questions on company filings, free answers",
  publication: "Islam et al. 2023, FinanceBench; the public 150 of 10,231",
  licence: "not stated (card reportedly CC BY-NC 4.0)",
  answer: { kind: "text", field: "answer" },
  metric: "token_f1",
  unit: "filing",
  isEvaluationOnly: true,
  published: PUBLISHED,
  variants: {
    evidence: "with the passages that hold the answer, as the annotators marked them",
    closed: "the question alone",
  },
  prompts: {
    plain: ({ question, evidence }) =>
      evidence === ""
        ? `Answer this question on a company's filings.\n${question}`
        : `Answer the question from these passages of the company's filing.\n${evidence}\nQuestion: ${question}`,
    short: ({ question, evidence }) =>
      `Answer in as few words as possible.\n${evidence === "" ? "" : `${evidence}\n`}Question: ${question}`,
  },
  example: ({ question, answer, filing }) => ({ answer, group: filing, text: question }),
  fit: { text: ({ evidence }) => evidence, keep: "start" },
  local: {
    files: [FILE],
    read(root, context) {
      const path = join(root, FILE);
      const test = asPublished(readJsonLines(path), PUBLISHED.test, path).map(({ number, row, place }) => ({
        number,
        record: askedOf(row, place, context),
      }));
      context.notes.push(
        `financebench: ${test.length} questions on ${new Set(test.map(({ record }) => record.filing)).size} filings; answers are free text, ` +
          "so that a comparison of strings says little.",
      );
      return { test };
    },
  },
  hub: {
    id: "PatronusAI/financebench",
    splits: { test: "train" },
    columns: ["doc_name", "question", "answer", "evidence"],
    seenIn: "avnlp/dataloaders src/dataloaders/haystack/financebench_dataloader.py",
    records: (row, place, context) => [askedOf(row, place, context)],
  },
});

function askedOf(row: JsonObject, place: string, { variant }: ReadContext): Asked {
  const passages = listOf(row.evidence, place, "a list of passages in evidence").map((passage) =>
    textField(objectOf(passage, place), "evidence_text", place),
  );
  return {
    question: textField(row, "question", place),
    answer: textField(row, "answer", place),
    filing: textField(row, "doc_name", place),
    evidence: variant === "closed" ? "" : passages.join("\n\n"),
  };
}
