/** @file Financial PhraseBank: the sentiment of sentences of financial news (Malo et al. 2014), with the test rows of the FinGPT form. */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { parseJsonl } from "../../formats/jsonl.ts";
import { labelOf } from "../readers/class-label.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered, type SplitRecords } from "../readers/definition.ts";
import { groupOfText } from "../splits/splits.ts";

interface Sentence {
  sentence: string;
  label: string;
}

const LABELS = ["negative", "neutral", "positive"];
const TEST = "fingpt-format-test-sets/fpb_test.jsonl";
const fileOf = (variant: string) =>
  `financial-phrasebank/Sentences_${variant.replace("all", "All").replace("agree", "Agree")}.txt`;

export const fpb = defineTask<Sentence>({
  name: "fpb",
  title: "sentiment of financial news sentences",
  publication: "Malo et al. 2014, Good debt or bad debt; test rows as FinGPT has them",
  licence: "CC BY-NC-SA 3.0",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct sentence",
  paper: { cap: 5000 },
  variants: {
    "50agree": "sentences on which at least half of the annotators agree",
    "66agree": "at least two thirds",
    "75agree": "at least three quarters",
    allagree: "all annotators",
  },
  prompts: {
    plain: ({ sentence }) => `Is this news positive, neutral or negative?\n${sentence}`,
    fingpt: ({ sentence }) =>
      `What is the sentiment of this news? Choose one of {negative/neutral/positive}.\n${sentence}`,
    labels: ({ sentence }) =>
      `Read this financial text and infer its sentiment. Answer with one of these words and nothing else: negative, neutral, positive.\n${sentence}`,
  },
  example: ({ sentence, label }) => ({ answer: label, group: groupOfText(sentence), text: sentence }),
  local: {
    files: ["financial-phrasebank/Sentences_50Agree.txt", TEST],
    read(root, { variant, notes }) {
      const all = readSentences(join(root, fileOf(variant)));
      const known = new Set(all.map(({ record }) => groupOfText(record.sentence)));
      const everyTest = readTest(join(root, TEST), new Set(readSentences(join(root, fileOf("50agree"))).map(groupOf)));
      const test = everyTest.filter((row) => known.has(groupOf(row)));
      const held = new Set(everyTest.map(groupOf));
      const seen = new Set<string>();
      const train = all.filter((row) => {
        const key = `${row.record.label} ${groupOf(row)}`;
        if (held.has(groupOf(row)) || seen.has(key)) return false;
        seen.add(key);
        return true;
      });
      const numHeld = all.filter((row) => held.has(groupOf(row))).length;
      notes.push(
        `fpb: ${all.length} sentences, ${everyTest.length} test rows all found among those of 50agree` +
          `${test.length < everyTest.length ? `, ${test.length} of them in ${variant}` : ""}; ${numHeld} sentences with a test text and ` +
          `${all.length - numHeld - train.length} repeats are left out of train, ${train.length} remain.`,
      );
      return { train, test } satisfies SplitRecords<Sentence>;
    },
  },
  // 50agree with a split of its own; the dataset's first home (takala/financial_phrasebank) is a script that unpacks an archive.
  hub: {
    id: "odedovadia/financial_phrasebank_split",
    splits: { train: "train", dev: "validation", test: "test" },
    mayLack: ["dev", "test"],
    columns: [
      ["sentence", "text"],
      ["label", "labels", "sentiment"],
    ],
    seenIn: "meniData1/cocktail_effect src/cocktail.py",
    records: ({ sentence, label }, place, { variant }) => {
      const name = labelOf(label, LABELS);
      if (variant !== "50agree")
        throw damaged(place, "variant 50agree, the only one of this source", variant, "Use local files.");
      if (typeof sentence !== "string" || name === undefined) {
        throw damaged(
          place,
          "sentence and label, 0 (negative), 1 (neutral) or 2 (positive)",
          JSON.stringify({ sentence, label }),
        );
      }
      return [{ sentence: sentence.trim(), label: name }];
    },
  },
});

function groupOf({ record }: Numbered<Sentence>): string {
  return groupOfText(record.sentence);
}

function readSentences(path: string): Numbered<Sentence>[] {
  const rows: Numbered<Sentence>[] = [];
  for (const [i, line] of readText(path, "latin1").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const at = line.lastIndexOf("@");
    const label = line.slice(at + 1).trim();
    if (at < 0 || !LABELS.includes(label)) {
      throw damaged(`${path}:${i + 1}`, `sentence@label with one of ${LABELS.join(", ")}`, line.slice(-40));
    }
    rows.push({ number: i + 1, record: { sentence: line.slice(0, at).trim(), label } });
  }
  return rows;
}

/** The held-out rows, whose sentence stands inside a prompt of another wording. */
function readTest(path: string, known: ReadonlySet<string>): Numbered<Sentence>[] {
  return parseJsonl(readText(path), path).map(({ line, value }) => {
    const { context, target } = value as { context?: unknown; target?: unknown };
    const sentence = typeof context === "string" ? /\nInput: (.*)\nAnswer:\s*$/s.exec(context)?.[1]?.trim() : undefined;
    const label = String(target);
    if (sentence === undefined || !LABELS.includes(label) || !known.has(groupOfText(sentence))) {
      throw damaged(
        `${path}:${line}`,
        "a sentence of the PhraseBank with its label",
        String(context ?? "no context").slice(-60),
        "Use the fpb_test.jsonl that goes with this Sentences_50Agree.txt.",
      );
    }
    return { number: line, record: { sentence, label } };
  });
}
