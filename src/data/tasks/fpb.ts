/** @file Financial PhraseBank: the sentiment of sentences of financial news (Malo et al. 2014), with the test rows of the FinGPT form. */

import { join } from "node:path";
import { DataError } from "../../base/errors.ts";
import { readText } from "../../formats/files.ts";
import { parseJsonl } from "../../formats/jsonl.ts";
import { groupOfText, type Row } from "../splits.ts";
import type { TaskDefinition } from "./definition.ts";

const LABELS = ["negative", "neutral", "positive"];

export const fpb: TaskDefinition = {
  name: "fpb",
  title: "sentiment of financial news sentences",
  source:
    "Malo et al. 2014, Good debt or bad debt; financial-phrasebank/Sentences_50Agree.txt, test rows of fingpt-format-test-sets/fpb_test.jsonl",
  licence: "CC BY-NC-SA 3.0",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct sentence",
  needsRoot: true,
  load(root, notes) {
    const path = join(root, "financial-phrasebank", "Sentences_50Agree.txt");
    const all = readSentences(path);
    const testPath = join(root, "fingpt-format-test-sets", "fpb_test.jsonl");
    const test = readTest(testPath, new Set(all.map(({ group }) => group)));
    const held = new Set(test.map(({ group }) => group));
    const seen = new Set<string>();
    const train = all.filter(({ group, answer }) => {
      if (held.has(group) || seen.has(`${answer} ${group}`)) return false;
      seen.add(`${answer} ${group}`);
      return true;
    });
    const numHeld = all.filter(({ group }) => held.has(group)).length;
    notes.push(
      `fpb: ${all.length} sentences, ${test.length} test rows all found among them; ${numHeld} sentences with a test text and ` +
        `${all.length - numHeld - train.length} repeats are left out of train, ${train.length} remain.`,
    );
    return { train, test };
  },
};

function readSentences(path: string): Row[] {
  const rows: Row[] = [];
  for (const [i, line] of readText(path, "latin1").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const at = line.lastIndexOf("@");
    const label = line.slice(at + 1).trim();
    if (at < 0 || !LABELS.includes(label)) {
      throw new DataError({
        place: `${path}:${i + 1}`,
        expected: `sentence@label with one of ${LABELS.join(", ")}`,
        got: line.slice(-40),
        remedy: "Fetch the file again.",
      });
    }
    rows.push(row(i + 1, line.slice(0, at).trim(), label));
  }
  return rows;
}

/** The held-out rows, whose sentence stands inside a prompt of another wording. */
function readTest(path: string, known: ReadonlySet<string>): Row[] {
  return parseJsonl(readText(path), path).map(({ line, value }) => {
    const { context, target } = value as { context?: unknown; target?: unknown };
    const sentence = typeof context === "string" ? /\nInput: (.*)\nAnswer:\s*$/s.exec(context)?.[1] : undefined;
    const made = row(line, sentence?.trim() ?? "", String(target));
    if (sentence === undefined || !LABELS.includes(made.answer) || !known.has(made.group)) {
      throw new DataError({
        place: `${path}:${line}`,
        expected: "a sentence of the PhraseBank with its label",
        got: String(context ?? "no context").slice(-60),
        remedy: "Use the fpb_test.jsonl that goes with this Sentences_50Agree.txt.",
      });
    }
    return made;
  });
}

function row(number: number, sentence: string, answer: string): Row {
  const prompt = `Is this news positive, neutral or negative?\n${sentence}`;
  return { number, prompt, answer, group: groupOfText(sentence), text: sentence };
}
