import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Span, spansText } from "../base/span-text.ts";
import type { Gold } from "../specs/gold.ts";
import { scoreAnswer } from "./score-answer.ts";

const number = (output: string, gold?: Gold, answer = "0.09371") =>
  scoreAnswer("number", { answer, ...(gold && { gold }) }, output);

describe("an answer that is a number", () => {
  const gold: Gold = {
    kind: "number",
    number: { answer: "0.09371", written: "9.37%" },
    program: { program: "divide(9.371, const_100)", value: 0.09371, table: [] },
  };

  test("has a verdict of every scorer that applies, under its own name and that which ranks", () => {
    expect(number("9.37%", gold)).toEqual({
      parsed: "9.37%",
      isFormatValid: true,
      scores: {
        number_accuracy: 1,
        own_strict: 1,
        own_lenient: 1,
        finben: 0,
        adaptllm: 0,
        helm: 0,
        gold_conflict: 0,
        format_valid: 1,
      },
    });
  });

  test("among words is read by the lenient reading alone, and is not of the form asked for", () => {
    const { parsed, isFormatValid, scores } = number("Growth was 5, so the answer is 0.09371, I think", gold);
    expect([parsed, isFormatValid]).toEqual(["0.09371", false]);
    expect(scores).toMatchObject({ number_accuracy: 0, own_strict: 0, own_lenient: 1, format_valid: 0 });
  });

  test("may be a program, which is run and compared", () => {
    const same = number("divide(9.371, const_100)", gold);
    expect(same.parsed).toBe("divide(9.371, const_100)");
    expect(same.scores).toMatchObject({ number_accuracy: 0, official_execution: 1, program_accuracy: 1 });
    const other = number("multiply(9.371, 0.01)", gold).scores;
    expect(other).toMatchObject({ official_execution: 1, program_accuracy: 0 });
    expect(number("0.09371", gold).scores).not.toHaveProperty("program_accuracy");
  });

  test("is flagged where the gold fields contradict each other, and right by either", () => {
    const conflict: Gold = { kind: "number", number: { answer: "0.29167", written: "-22%" } };
    for (const output of ["-22%", "0.29167"])
      expect(number(output, conflict).scores).toMatchObject({ number_accuracy: 1, gold_conflict: 1 });
  });

  test("needs no gold but its text, whose result may stand behind a worked solution", () => {
    const answer = "5 and 5.\nThe answer is 10";
    expect(number("10", undefined, answer).scores.number_accuracy).toBe(1);
    expect(number(answer, undefined, answer).scores.number_accuracy).toBe(1);
    expect(number("The answer is 5", undefined, answer).scores.number_accuracy).toBe(0);
    expect(number("Yes", undefined, "yes")).toMatchObject({ parsed: "yes", scores: { number_accuracy: 1 } });
  });

  test("has a score of what was written where only a number could be, which changes no other", () => {
    const free = number("no idea", gold);
    const held = (constrained: string) => scoreAnswer("number", { answer: "0.09371", gold }, "no idea", constrained);
    expect(held(" 9.37%").scores).toEqual({ ...free.scores, own_constrained: 1 });
    expect(held("9.4%").scores).toEqual({ ...free.scores, own_constrained: 0 });
    expect(held("").scores.own_constrained).toBe(0);
    expect(held("9.37%").parsed).toBe(free.parsed);
  });

  test("5 is not 15, and a text without a number says nothing", () => {
    expect(number("15", undefined, "5").scores).toMatchObject({ number_accuracy: 0, own_lenient: 0 });
    expect(number("no idea", undefined, "5")).toMatchObject({ parsed: "no", isFormatValid: false });
    expect(number("", undefined, "5")).toMatchObject({ parsed: null, isFormatValid: false });
  });
});

describe("an answer that is spans", () => {
  const score = (answer: string, output: string) => scoreAnswer("spans", { answer }, output);

  test("is counted exactly, by overlap and by type", () => {
    const answer = "person: Ann Lee; organization: Acme; location: Rome";
    expect(score(answer, "person: Ann; organization: Acme; location: Bern; location: Oslo")).toEqual({
      parsed: "person: Ann; organization: Acme; location: Bern; location: Oslo",
      isFormatValid: true,
      scores: { exact_match: 0, tp: 1, fp: 3, fn: 2, tp_overlap: 2, tp_type: 3, format_valid: 1 },
    });
  });

  test("that cannot be read finds nothing, even where there is nothing to find", () => {
    expect(score("person: Ann", "Ann is a person")).toMatchObject({
      parsed: null,
      isFormatValid: false,
      scores: { exact_match: 0, tp: 0, fp: 0, fn: 1 },
    });
    expect(score("none", "").scores.exact_match).toBe(0);
    expect(score("none", "none").scores).toMatchObject({ exact_match: 1, tp: 0, fp: 0, fn: 0 });
  });

  test("scored against itself is whole", () => {
    const span: fc.Arbitrary<Span> = fc.record({
      type: fc.string({ minLength: 1 }),
      text: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(span), (spans) => {
        const text = spansText(spans);
        expect(score(text, text).scores).toMatchObject({ exact_match: 1, tp: spans.length, fp: 0, fn: 0 });
      }),
    );
  });
});

describe("an answer that is text", () => {
  const text = (output: string, answer: string, gold?: Gold) =>
    scoreAnswer("text", { answer, ...(gold && { gold }) }, output);

  test("is compared by words, sequence and characters", () => {
    const { parsed, scores } = text(" The sales rose. ", "sales rose");
    expect(parsed).toBe("The sales rose.");
    expect(scores).toMatchObject({ exact_match: 1, token_f1: 1, rouge_l: 0.8, format_valid: 1 });
    expect(scores.chrf).toBeGreaterThan(0.5);
    expect(text("", "sales rose")).toMatchObject({ parsed: null, isFormatValid: false, scores: { exact_match: 0 } });
  });

  test("of which the usual preparation leaves nothing is not matched by other such text", () => {
    expect(text(")", "]").scores).toMatchObject({ exact_match: 0, token_f1: 0 });
    expect(text("", "]").scores).toMatchObject({ exact_match: 0, token_f1: 0 });
    expect(text("]", "]").scores).toMatchObject({ exact_match: 1, token_f1: 1 });
  });

  test("and a result is compared to the letter, strictly and leniently", () => {
    const gold: Gold = { kind: "result", text: "\\frac{1}{2}" };
    const solution = "Half.\nThe answer is \\frac{1}{2}";
    expect(text(solution, solution, gold).scores).toMatchObject({ exact_match: 1, exact_match_lenient: 1 });
    expect(text("So $\\boxed{\\frac12}$", solution, gold).scores).toMatchObject({
      exact_match: 0,
      exact_match_lenient: 1,
    });
    expect(text("-5", "5", { kind: "result", text: "5" }).scores).toMatchObject({ exact_match: 0, token_f1: 1 });
  });

  test("of TAT-QA is scored by its metric and flagged where gold says two scales", () => {
    const gold = (scale: "million" | "thousand"): Gold => ({
      kind: "tat-qa",
      answer: { type: "span", parts: ["$3 million"], scale },
    });
    expect(text("3,000 thousand", "$3 million", gold("million")).scores).toMatchObject({
      exact_match: 1,
      token_f1: 1,
      scale_accuracy: 0,
      gold_conflict: 0,
    });
    expect(text("$3 million", "$3 million thousand", gold("thousand")).scores.gold_conflict).toBe(1);
  });
});

describe("an answer that follows instructions", () => {
  const instructions = [
    { id: "punctuation:no_comma", kwargs: {} },
    { id: "startend:end_checker", kwargs: { end_phrase: "Bye." } },
  ];
  const score = (output: string, more: typeof instructions = []) =>
    scoreAnswer(
      "text",
      { answer: "[]", gold: { kind: "instructions", instructions: [...instructions, ...more] } },
      output,
    );

  test("is counted by instruction and by prompt, strictly and loosely", () => {
    expect(score("Hello. Bye.\nThat was it").scores).toEqual({
      checked: 2,
      followed: 1,
      followed_loose: 2,
      prompt_accuracy: 0,
      prompt_accuracy_loose: 1,
      format_valid: 1,
    });
    expect(score("").scores).toMatchObject({ checked: 2, followed: 0, prompt_accuracy: 0, format_valid: 0 });
  });

  test("has no prompt-level score where all that was checked is right and something cannot be checked", () => {
    const language = [{ id: "language:response_language", kwargs: { language: "en" } }] as never;
    expect(score("Hello. Bye.", language).scores).not.toHaveProperty("prompt_accuracy");
    expect(score("Hello.", language).scores).toMatchObject({ checked: 2, followed: 1, prompt_accuracy: 0 });
  });
});
