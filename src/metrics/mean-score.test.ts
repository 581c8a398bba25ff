import { describe, expect, test } from "vitest";
import { scoreMean } from "./mean-score.ts";

describe("the mean of a score per item", () => {
  test("is the mean, with an interval that holds it and a group count", () => {
    const items = [-1, -2, -3, -6].map((score, i) => ({ score, group: `g${i % 2}` }));
    const { n, n_groups, metrics, scoring } = scoreMean("answer_logprob", items, { seed: 1 });
    expect([n, n_groups, metrics.answer_logprob?.value]).toEqual([4, 2, -3]);
    // two groups with means -2 and -4: every resample is one of -2, -3, -4
    expect([metrics.answer_logprob?.low, metrics.answer_logprob?.high]).toEqual([-4, -2]);
    expect(scoring.constrained).toBe(metrics);
  });

  test("has no interval where there is one group only", () => {
    const items = [{ score: -1, group: "a" }];
    expect(scoreMean("answer_logprob", items, { seed: 1 }).metrics.answer_logprob).toEqual({ value: -1 });
  });
});
