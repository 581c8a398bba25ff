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

const judged: SplitScores = {
  ...{ n: 150, n_groups: 84, metrics: { token_f1: { value: 0.125 } } },
  scoring: {
    generated: { token_f1: { value: 0.125 } },
    judged: {
      accuracy: { value: 0.5, low: 0.4, high: 0.6, method: "bootstrap" },
      ...{ incorrect: { value: 0.25 }, refused: { value: 0.125 }, undecided: { value: 0.125 } },
      ...{ unreadable: { value: 0.01 }, alpha: { value: 0.75 } },
    },
  },
  judged: { panel: "p", judges: ["a", "b"] },
};

test("what judges say stands in a table of its own, and that nobody knows how well they judge", () => {
  const text = scoresText({ tasks: { filings: { test: judged } } }, ["filings"]);
  expect(text.split("\n\n").slice(1)).toEqual([
    [
      "task     split  judged correct   95 % interval  refused  undecided  unreadable  alpha  as people say    n",
      "filings   test           0.500  0.400 to 0.600    0.125      0.125       0.010  0.750   uncalibrated  150",
    ].join("\n"),
    "Judged by a, b: uncalibrated. How often people would say the same is not known (mixtune judge --calibrate FILE).",
  ]);
});

test("the judges' calibration is said with their scores, once for each panel", () => {
  const calibration = {
    ...{ n: 60, n_groups: 20, accuracy: { value: 0.9, low: 0.8, high: 0.95 } },
    ...{ judges: [{ value: 0.85 }, { value: 0.8 }], alpha: { value: 0.7 } },
    confusion: [
      [27, 2, 0, 1],
      [2, 18, 0, 0],
      [0, 1, 9, 0],
    ],
  };
  const calibrated = { ...judged, judged: { ...judged.judged!, calibration } };
  const text = scoresText({ tasks: { filings: { dev: calibrated, test: calibrated } } }, ["filings"]);
  expect(text.split("\n\n").slice(2)).toEqual([
    [
      "Judged by a, b. Of 60 answers to 20 questions that people judged, the same was said of 0.900 (0.800 to 0.950) (always saying correct: 0.500); " +
        "correct was said of 2 of the 30 that people call otherwise, and not of 3 of the 30 that people call correct.",
      "                   correct  incorrect  refused  undecided",
      "people: correct         27          2        0          1",
      "people: incorrect        2         18        0          0",
      "people: refused          0          1        9          0",
      "Of each judge: a 0.850, b 0.800; alpha 0.700 between them.",
    ].join("\n"),
  ]);
});
