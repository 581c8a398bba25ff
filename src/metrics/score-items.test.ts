import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wilsonInterval } from "../stats/interval.ts";
import { type ItemScores, scoreItems } from "./score-items.ts";

const options = { seed: 1, resamples: 200 };
const apart = (scores: readonly ItemScores[]) => scores.map((one, i) => ({ scores: one, group: `g${i}` }));

describe("the mean of a score per item", () => {
  test("is the mean, with an interval that holds it and a group count", () => {
    const items = [-1, -2, -3, -6].map((score, i) => ({ scores: { answer_logprob: score }, group: `g${i % 2}` }));
    const { n, n_groups, metrics, scoring } = scoreItems(items, "answer_logprob", {
      seed: 1,
      scoring: "constrained",
    });
    expect([n, n_groups, metrics.answer_logprob?.value]).toEqual([4, 2, -3]);
    // two groups with means -2 and -4: every resample is one of -2, -3, -4
    expect([metrics.answer_logprob?.low, metrics.answer_logprob?.high]).toEqual([-4, -2]);
    expect(scoring.constrained).toBe(metrics);
  });

  test("has no interval where there is one group only, and no value without items", () => {
    const one = apart([{ answer_logprob: -1 }]);
    expect(scoreItems(one, "answer_logprob", options).metrics.answer_logprob).toEqual({ value: -1 });
    expect(scoreItems([], "token_f1", options)).toEqual({ n: 0, n_groups: 0, metrics: {}, scoring: { strict: {} } });
  });

  test("is over the items that have it, and the denominators of the others never shrink", () => {
    const { metrics } = scoreItems(
      apart([{ own: 1, helm: 1 }, { own: 1 }, { own: 0, helm: 0 }, { own: 0 }]),
      "exact_match",
      options,
    );
    expect([metrics.own?.value, metrics.helm?.value]).toEqual([0.5, 0.5]);
    expect(metrics.helm).toEqual({ value: 0.5, ...wilsonInterval(1, 2), method: "wilson" });
  });

  test("has Wilson's interval where it is a share of independent items, a bootstrap elsewhere", () => {
    const shares = [1, 1, 1, 0, 1, 0].map((exact_match, i) => ({ exact_match, token_f1: i / 5 }));
    const { metrics } = scoreItems(apart(shares), "token_f1", options);
    expect(metrics.exact_match).toEqual({ value: 4 / 6, ...wilsonInterval(4, 6), method: "wilson" });
    expect(metrics.token_f1?.method).toBe("bootstrap");
    const grouped = apart(shares).map((item, i) => ({ ...item, group: `g${i % 3}` }));
    expect(scoreItems(grouped, "token_f1", options).metrics.exact_match?.method).toBe("bootstrap");
  });

  test("comes first where it ranks models", () => {
    const { metrics } = scoreItems(apart([{ a: 1, chrf: 0.5 }]), "chrf", options);
    expect(Object.keys(metrics)).toEqual(["chrf", "a"]);
  });
});

describe("F1 from counts", () => {
  const counts = [
    { exact_match: 0, tp: 1, fp: 1, fn: 0, tp_overlap: 1, tp_type: 2 },
    { exact_match: 1, tp: 0, fp: 0, fn: 0, tp_overlap: 0, tp_type: 0 },
    { exact_match: 0, tp: 1, fp: 0, fn: 3, tp_overlap: 1, tp_type: 1 },
  ];

  test("is of the sums, not a mean of items", () => {
    const { metrics } = scoreItems(apart(counts), "entity_f1", options);
    const values = Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]));
    // 2 of 3 predicted and of 5 gold; of the types 3
    expect(values).toEqual({
      entity_f1: 4 / 8,
      precision: 2 / 3,
      recall: 2 / 5,
      f1_overlap: 4 / 8,
      f1_type: 6 / 8,
      exact_match: 1 / 3,
    });
    expect(metrics.entity_f1?.method).toBe("bootstrap");
  });

  test("has the name of the task's metric, and for relations no overlap", () => {
    const names = Object.keys(scoreItems(apart(counts), "relation_f1", options).metrics);
    expect(names).toEqual(["relation_f1", "precision", "recall", "f1_type", "exact_match"]);
  });

  test("does not exist where no item has a span", () => {
    const none = { exact_match: 1, tp: 0, fp: 0, fn: 0, tp_overlap: 0, tp_type: 0 };
    expect(Object.keys(scoreItems(apart([none, none]), "entity_f1", options).metrics)).toEqual(["exact_match"]);
  });

  test("does not depend on how items are cut into groups, nor on their order", () => {
    const item = fc.record({ tp: fc.nat(5), fp: fc.nat(5), fn: fc.nat(5), tp_overlap: fc.nat(5), tp_type: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1 }), (all) => {
        const value = (items: { scores: ItemScores; group: string }[]) =>
          scoreItems(items, "entity_f1", { seed: 1, resamples: 1 }).metrics.entity_f1?.value;
        const one = all.map((scores) => ({ scores, group: "g" }));
        expect(value(apart(all))).toBe(value(one));
        expect(value(one.toReversed())).toBe(value(one));
      }),
    );
  });
});

test("instructions are a share of all that were checked", () => {
  const { metrics } = scoreItems(
    apart([
      { checked: 3, followed: 1, followed_loose: 2, prompt_accuracy: 0, prompt_accuracy_loose: 0 },
      { checked: 1, followed: 1, followed_loose: 1, prompt_accuracy: 1, prompt_accuracy_loose: 1 },
      { checked: 0, followed: 0, followed_loose: 0 },
    ]),
    "instruction_accuracy",
    options,
  );
  expect(metrics.instruction_accuracy?.value).toBe(0.5);
  expect(metrics.instruction_accuracy_loose?.value).toBe(0.75);
  expect(metrics.prompt_accuracy?.value).toBe(0.5);
  expect(Object.keys(metrics)).not.toContain("checked");
});

test("items whose gold fields contradict each other are counted with, and left out beside", () => {
  const { metrics } = scoreItems(
    apart([
      { number_accuracy: 1, gold_conflict: 0 },
      { number_accuracy: 1, gold_conflict: 1 },
      { number_accuracy: 1 },
      { number_accuracy: 0 },
    ]),
    "number_accuracy",
    options,
  );
  expect(metrics.number_accuracy?.value).toBe(0.75);
  expect(metrics.number_accuracy_without_conflicts?.value).toBe(2 / 3);
  expect(metrics.gold_conflict?.value).toBe(0.5);
});
