import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import type { AnswerSpec, Scoring } from "../specs/types.ts";
import { type Answered, SCORERS, scoreAnswers } from "./score-answers.ts";

const task: Parameters<typeof scoreAnswers>[1] = {
  answer: { kind: "label", field: "a", labels: ["Yes", "No"] },
  metric: "accuracy",
};
const ALL: Scoring[] = ["constrained", "strict", "lenient"];

function answered(gold: string, output: string, more: Partial<Answered> = {}): Answered {
  const yes = gold === "Yes" ? -0.1 : -3;
  const label_logprobs = { Yes: yes, No: -1 };
  return { id: gold + output, prompt_digest: "", gold, group: gold + output, output, label_logprobs, ...more };
}

describe("answers to a label task", () => {
  const answers = [
    answered("Yes", " yes"),
    answered("Yes", "Yes, it did."),
    answered("No", "The price fell: No"),
    answered("No", "", { finish_reason: "stop" }),
    answered("No", "I cannot say", { finish_reason: "length" }),
  ];

  test("are read three ways, and every denominator stays", () => {
    const { scores } = scoreAnswers(answers, task, ALL);
    const accuracy = Object.fromEntries(Object.entries(scores.scoring).map(([name, m]) => [name, m.accuracy?.value]));
    expect(accuracy).toEqual({ constrained: 1, strict: 1 / 5, lenient: 3 / 5 });
    expect(scores.n).toBe(5);
    expect(scores.outputs).toEqual({ valid: 1, empty: 1, cut: 1 });
  });

  test("carry what was right under each reading, the first being the task's own", () => {
    const { predictions, scores } = scoreAnswers(answers, task, ["lenient", "strict"]);
    expect(predictions.map(({ parsed }) => parsed)).toEqual(["Yes", "Yes", "No", null, null]);
    expect(predictions[1]!.scores).toEqual({ accuracy: 1, lenient: 1, strict: 0 });
    expect(predictions[1]!.output).toBe("Yes, it did.");
    expect(scores.metrics).toEqual(scores.scoring.lenient);
  });

  test("without text are the likeliest label, ties to the earlier, unknown labels never", () => {
    const logprobs = [{ Yes: -1, No: -1 }, { No: -5 }];
    const items = logprobs.map((label_logprobs, i): Answered => {
      return { id: `${i}`, prompt_digest: "", gold: "Yes", group: `${i}`, label_logprobs };
    });
    const { predictions, scores } = scoreAnswers(items, task, ["constrained"]);
    expect(predictions.map(({ output }) => output)).toEqual(["Yes", "No"]);
    expect(scores.outputs).toBeUndefined();
  });

  test("that are always No score what No is worth, and no correlation", () => {
    const constant = Array.from({ length: 100 }, (_, i) => answered(i < 40 ? "Yes" : "No", "No", { group: `${i}` }));
    const { scores } = scoreAnswers(constant, task, ["strict"]);
    expect(scores.metrics.accuracy?.value).toBe(0.6);
    expect(scores.metrics.macro_f1?.value).toBeLessThan(0.5);
    expect(scores.metrics.mcc?.value ?? 0).toBe(0);
    expect(scores.top_answer).toEqual({ label: "No", given: 100, gold: 60 });
  });

  test("are judged the same again from what was stored", () => {
    const text = fc.constantFrom("Yes", "no", " No ", "yes!", "", "maybe", "No Yes");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("Yes", "No"), text), { minLength: 1, maxLength: 20 }), (rows) => {
        const items = rows.map(([gold, output], i) => answered(gold, output, { id: `${i}`, group: `${i}` }));
        const once = scoreAnswers(items, task, ALL);
        expect(scoreAnswers(once.predictions, task, ALL)).toEqual(once);
      }),
    );
  });
});

test("fixed answers are scored as they were under this number of the scorers: where they are not, raise SCORERS", () => {
  const outputs = [
    "12",
    "12.0",
    "$ 1,200",
    "12 %",
    "Answer: 12",
    "0.12",
    "twelve",
    "",
    "person: Ann",
    "The answer is 12.",
  ];
  const kinds: { answer: AnswerSpec; metric: Parameters<typeof scoreAnswers>[1]["metric"]; gold: string }[] = [
    { answer: { kind: "label", field: "a", labels: ["12", "twelve"] }, metric: "accuracy", gold: "12" },
    { answer: { kind: "number", field: "a" }, metric: "number_accuracy", gold: "12" },
    { answer: { kind: "text", field: "a" }, metric: "token_f1", gold: "the answer is twelve" },
    { answer: { kind: "spans", field: "a" }, metric: "entity_f1", gold: "person: Ann" },
  ];
  const judged = kinds.map(({ answer, metric, gold }) => {
    const answers = outputs.map((output, i) =>
      answered(gold, output, { id: `${i}`, group: `${i % 7}`, label_logprobs: {} }),
    );
    return scoreAnswers(answers, { answer, metric }, ["strict", "lenient"]);
  });
  const digest = sha256(canonicalJson(JSON.parse(JSON.stringify(judged)))).slice(0, 16);
  expect({ SCORERS, digest }).toEqual({ SCORERS: 1, digest: "261e4a3eef84a06e" });
});
