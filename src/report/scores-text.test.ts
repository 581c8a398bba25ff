import { expect, test } from "vitest";
import type { SplitScores } from "../runs/types.ts";
import { scoresText } from "./scores-text.ts";

const value = (accuracy: number) => ({ accuracy: { value: accuracy } });
const read: SplitScores = {
  n: 200,
  n_groups: 200,
  metrics: { accuracy: { value: 0.5, low: 0.4, high: 0.6, method: "wilson" } },
  scoring: { constrained: value(0.5), strict: value(0.25), lenient: value(0.375) },
  outputs: { valid: 150, empty: 1, cut: 20 },
};

test("a model's answers are shown by every reading, with what was wrong with their form", () => {
  const text = scoresText({ tasks: { fpb: { test: read } } }, ["fpb"]);
  expect(text).toBe(
    [
      "task  split    metric  value   95 % interval    n",
      "fpb    test  accuracy  0.500  0.400 to 0.600  200",
      "",
      "task  split    metric  constrained  strict  lenient  format valid  empty  cut off",
      "fpb    test  accuracy        0.500   0.250    0.375        75.0 %  0.5 %   10.0 %",
    ].join("\n"),
  );
});

test("where there is one reading, nothing is said of others", () => {
  const { outputs: _, ...once } = { ...read, scoring: { likelihood: value(0.5) } };
  expect(scoresText({ tasks: { fpb: { test: once } } }, ["fpb", "absent"])).not.toContain("format valid");
});

test("a model that answers like a constant is said to, unless gold is nearly constant too", () => {
  const constant = { ...read, top_answer: { label: "No", given: 196, gold: 120 } };
  expect(scoresText({ tasks: { headline: { test: constant } } }, ["headline"])).toContain(
    'headline test: 98.0 % of the answers are "No"; saying nothing else would be right in 60.0 %.',
  );
  const fair = { ...read, top_answer: { label: "No", given: 196, gold: 195 } };
  expect(scoresText({ tasks: { headline: { test: fair } } }, ["headline"])).not.toContain("headline test:");
});
