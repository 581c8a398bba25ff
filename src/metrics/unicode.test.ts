/** @file One letter may be one character or two: no score depends on it. */

import { describe, expect, test } from "vitest";
import { lenientReader, strictReader } from "./label-text.ts";
import { scoreAnswer } from "./score-answer.ts";

const COMPOSED = "Évaluation très élevée à Zürich";
const APART = COMPOSED.normalize("NFD");

test("the two are not the same text", () => expect(APART).not.toBe(COMPOSED));

describe.each([
  [COMPOSED, APART],
  [APART, COMPOSED],
])("labels and outputs in different forms", (label, output) => {
  const labels = [label, "autre"];

  test("strictly", () => expect(strictReader(labels)(` ${output.toUpperCase()}\n`)).toBe(label));
  test("leniently", () => expect(lenientReader(labels)(`C'est : ${output}.`)).toBe(label));
});

describe("an answer in another form than gold's scores what it scores in gold's", () => {
  test.each<["text" | "spans" | "number", string, string]>([
    ["text", COMPOSED, COMPOSED],
    ["text", `la ${COMPOSED} du café`, `une ${COMPOSED}`],
    ["text", "é", "É"],
    ["spans", "größe: Zürich; lieu: café crème", "größe: Zürich; lieu: café"],
    ["number", "5 €", "5 €"],
  ])("%s: %j", (kind, gold, output) => {
    const score = (a: string, b: string) => scoreAnswer(kind, { answer: a }, b).scores;
    const expected = score(gold, output);
    for (const form of ["NFC", "NFD"] as const)
      for (const other of ["NFC", "NFD"] as const)
        expect(score(gold.normalize(form), output.normalize(other))).toEqual(expected);
  });

  test("a result", () => {
    const gold = { kind: "result", text: "café" } as const;
    const scores = (output: string) => scoreAnswer("text", { answer: "café", gold }, output).scores;
    expect(scores("café".normalize("NFD"))).toEqual(scores("café"));
    expect(scores("café".normalize("NFD")).exact_match).toBe(1);
  });

  test("TAT-QA's words", () => {
    const gold = { kind: "tat-qa", answer: { type: "span", parts: ["café"], scale: "" } } as const;
    expect(scoreAnswer("text", { answer: "café", gold }, "café".normalize("NFD")).scores.exact_match).toBe(1);
  });
});
