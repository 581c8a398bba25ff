import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Instruction } from "../specs/gold.ts";
import { INSTRUCTION_CHECKS, judgeInstructions, UNCHECKED_PARTS } from "./ifeval.ts";

interface GoldenCase {
  id: string;
  kwargs: Record<string, unknown>;
  /** A character for each response, 1 or 0. */
  strict: string;
  loose: string;
}
const golden: { responses: string[]; cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/ifeval/expected.json", import.meta.url), "utf8"),
);
const judge = (id: string, kwargs: Record<string, unknown>, response: string) =>
  judgeInstructions([{ id, kwargs }], response);

describe("instructions", () => {
  test.each(golden.cases)("agree with lm-evaluation-harness: $id $kwargs", ({ id, kwargs, strict, loose }) => {
    golden.responses.forEach((response, i) => {
      const verdict = judge(id, kwargs, response);
      const wanted = { strict: [strict[i] === "1"], loose: [loose[i] === "1"] };
      expect(verdict, JSON.stringify(response)).toEqual(wanted);
    });
  });

  test("are 25, of which the oracle judged all but the language and the sentences", () => {
    expect(Object.keys(INSTRUCTION_CHECKS)).toHaveLength(25);
    const judged = new Set(golden.cases.map(({ id }) => id));
    const others = Object.keys(INSTRUCTION_CHECKS).filter((id) => !judged.has(id));
    expect(others.toSorted()).toEqual(["language:response_language", "length_constraints:number_sentences"]);
    // Every case of the oracle that could only ever be met, or only ever missed, would test nothing.
    for (const id of judged) {
      const marks = golden.cases
        .filter((c) => c.id === id)
        .map(({ strict }) => strict)
        .join("");
      expect([id, marks.includes("1"), marks.includes("0")]).toEqual([id, true, true]);
    }
  });

  test.each<[string, number]>([
    ["One. Two! Three?", 3],
    ["One.", 1],
    ["No stop at the end", 1],
    ["Mr. Lee met Dr. No. They talked.", 2],
    ["It cost 3.5 percent. Fine...", 2],
    ['He said "no." Then he left.', 2],
    ["Line one\nstill one. Two", 2],
    ["e.g. this one", 1],
    ["...", 0],
  ])("count the sentences of %j as %i", (text, count) => {
    const at = (relation: string, num_sentences: number) =>
      judge("length_constraints:number_sentences", { relation, num_sentences }, text).strict[0];
    expect([at("at least", count), at("at least", count + 1), at("less than", count + 1)]).toEqual([true, false, true]);
  });

  test("that need to know the language, or are unknown, cannot be checked", () => {
    expect(judge("language:response_language", { language: "de" }, "Guten Tag")).toEqual({
      strict: [null],
      loose: [null],
    });
    expect(judge("rhyme:every_line", {}, "a")).toEqual({ strict: [null], loose: [null] });
    expect(Object.keys(UNCHECKED_PARTS).every((id) => Object.hasOwn(INSTRUCTION_CHECKS, id))).toBe(true);
  });

  test("with an argument missing name it", () => {
    expect(() => judge("startend:end_checker", { end_phrase: null }, "a")).toThrow(
      /argument end_phrase: expected a text, got nothing/,
    );
    expect(() => judge("keywords:existence", { keywords: "one" }, "a")).toThrow(/expected a list of texts, got "one"/);
  });

  test("of keywords that are no pattern stand for their letters", () => {
    expect(judge("keywords:existence", { keywords: ["c++ ("] }, "I like C++ (a lot)").strict).toEqual([true]);
  });
});

const file = join(process.env.MIXTUNE_DATA ?? "", "ifeval", "input_data.jsonl");

describe.skipIf(process.env.MIXTUNE_DATA === undefined)(
  "IFEval's own instructions (skipped without MIXTUNE_DATA)",
  () => {
    test("are all in the table and have the arguments that the checks ask for", () => {
      expect(existsSync(file)).toBe(true);
      const rows = readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const all = rows.flatMap(({ instruction_id_list, kwargs }): Instruction[] =>
        instruction_id_list.map((id: string, i: number) => ({ id, kwargs: kwargs[i] })),
      );
      expect(all).toHaveLength(834);
      const verdicts = judgeInstructions(all, "A response, in two lines.\nHere.").strict;
      expect(verdicts.filter((verdict) => verdict === null)).toHaveLength(31);
    });
  },
);
