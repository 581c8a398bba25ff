import { describe, expect, test } from "vitest";
import type { Verdict } from "../specs/verdicts.ts";
import { wilsonInterval } from "../stats/interval.ts";
import { calibrate, JUDGED, panelVerdict, scoreVerdicts } from "./judged.ts";

const words: Record<string, Verdict | null> = { c: "correct", i: "incorrect", r: "refused", "-": null };
/** `"cci"`: what three judges say. */
const votesOf = (text: string) => [...text].map((letter) => words[letter]!);
const itemsOf = (texts: readonly string[], group = (i: number) => `g${i}`) =>
  texts.map((text, i) => ({ votes: votesOf(text), group: group(i) }));

describe("a panel's verdict", () => {
  test.each([
    ["ccc", "correct"],
    ["cci", "correct"],
    ["iri", "incorrect"],
    ["rr-", "refused"],
    ["cir", "undecided"],
    ["c--", "undecided"],
    ["ci", "undecided"],
    ["-", "undecided"],
  ])("of %s is %s", (votes, verdict) => {
    expect(panelVerdict(votesOf(votes))).toBe(verdict);
  });
});

describe("scores of judged answers", () => {
  const items = itemsOf(["ccc", "cci", "iii", "rrr", "cir", "c--", "rr-", "ccc"]);
  const { n, metrics, scoring } = scoreVerdicts(items, { seed: 1 });
  const value = (name: string) => metrics[name]!.value;

  test("are shares of all answers: what is undecided or unreadable stays in the denominator", () => {
    expect(n).toBe(8);
    expect(["accuracy", "incorrect", "refused", "undecided"].map(value)).toEqual([3 / 8, 1 / 8, 2 / 8, 2 / 8]);
    expect(value("unreadable")).toBeCloseTo(3 / 24, 12);
    expect(scoring[JUDGED]).toBe(metrics);
  });

  test("have Wilson intervals where every answer is its own group, else the bootstrap's", () => {
    expect(metrics.accuracy).toEqual({ value: 3 / 8, ...wilsonInterval(3, 8), method: "wilson" });
    const grouped = scoreVerdicts(
      itemsOf(["ccc", "ccc", "iii", "iii"], (i) => `g${i >> 1}`),
      { seed: 1 },
    );
    expect(grouped.metrics.accuracy).toMatchObject({ value: 0.5, method: "bootstrap" });
    expect(grouped.n_groups).toBe(2);
  });

  test("have no alpha for one judge", () => {
    expect(metrics.alpha!.value).toBeGreaterThan(0);
    const alone = scoreVerdicts(itemsOf(["c", "i", "-"]), { seed: 1 }).metrics;
    expect(alone).not.toHaveProperty("alpha");
    expect(alone.undecided!.value).toBeCloseTo(1 / 3, 12);
  });
});

describe("a panel beside people", () => {
  const said = ["ccc", "cci", "iic", "rrr", "cir", "ccc", "iir"];
  const human: Verdict[] = ["correct", "correct", "incorrect", "refused", "correct", "incorrect", "incorrect"];
  const items = itemsOf(said).map((item, i) => ({ ...item, human: human[i]! }));
  const calibration = calibrate(items, { seed: 1 });

  test("is right where it says what they say; undecided is wrong", () => {
    expect(calibration.n).toBe(7);
    expect(calibration.accuracy).toEqual({ value: 5 / 7, ...wilsonInterval(5, 7), method: "wilson" });
    expect(calibration.judges.map(({ value }) => Math.round(value * 7))).toEqual([6, 5, 2]);
  });

  test("has a table of what it says of what they say", () => {
    expect(calibration.confusion).toEqual([
      [2, 0, 0, 1],
      [1, 2, 0, 0],
      [0, 0, 1, 0],
    ]);
  });

  test("is resampled by question where several answers have the same", () => {
    const one = calibrate(
      items.map((item, i) => ({ ...item, group: `q${i % 3}` })),
      { seed: 1 },
    );
    expect(one).toMatchObject({ n: 7, n_groups: 3, accuracy: { value: 5 / 7, method: "bootstrap" } });
  });
});
