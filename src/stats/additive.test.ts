import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import { additiveModel, heldOutCheck } from "./additive.ts";
import { mean } from "./moments.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/additive/expected.json", import.meta.url), "utf8"),
);
const { held, items, groups, against } = golden as {
  held: string[][];
  items: number[][];
  groups: string[];
  against: number;
};
const scores = items.map(mean);

describe("mixtures that were not trained", () => {
  test("are predicted as statsmodels does, with its prediction interval", () => {
    const model = additiveModel({ held, scores });
    expect(model.residualDf).toBe(golden.residualDf);
    expect([...model.varied].sort()).toEqual(["a", "b", "c", "d"]);
    for (const { held: mixture, score } of golden.cases) {
      const got = model.predict(mixture)!;
      for (const key of ["difference", "low", "high"] as const) expect(got[key], key).toBeCloseTo(score[key], 9);
    }
  });

  test.each([
    ["these items", "gain"],
    ["new items", "gainWithItems"],
  ])("are compared with an observed one on %s", (_, key) => {
    const model = additiveModel({ held, scores, ...(key === "gain" ? {} : { items: { scores: items, groups } }) });
    for (const one of golden.cases) {
      const got = model.predict(one.held, against)!;
      for (const part of ["difference", "standardError", "df", "low", "high"] as const) {
        expect(got[part], part).toBeCloseTo(one[key][part], 8);
      }
    }
  });

  test("are foretold by the others as scikit-learn foretells them", () => {
    const got = heldOutCheck({ held, scores });
    for (const key of ["numChecked", "meanError", "meanErrorOfMean", "correlation"] as const) {
      expect(got[key], key).toBeCloseTo(golden.check[key], 10);
    }
  });

  test("are not predicted where the runs do not determine an ingredient's effect, and nothing foreign is", () => {
    // b and c always come together
    const model = additiveModel({
      held: [["t"], ["t", "a"], ["t", "b", "c"], ["t", "a", "b", "c"]],
      scores: [1, 2, 3, 4],
    });
    expect(model.notEstimable).toEqual(["b", "c"]);
    expect(model.predict(["t", "b"])).toBeUndefined();
    expect(model.predict(["t", "z"])).toBeUndefined();
    expect(model.predict(["a"])).toBeUndefined();
    expect(model.predict(["t", "a"])?.difference).toBeCloseTo(2, 12);
  });

  test("have no interval where every mixture is used up, unless seeds say how mixtures vary", () => {
    const used = { held: [["t"], ["t", "a"], ["t", "b"]], scores: [1, 2, 3] };
    expect(additiveModel(used).predict(["t", "a", "b"])).toMatchObject({ low: Number.NaN, high: Number.NaN });
    const got = additiveModel({ ...used, seeds: { variance: 0.01, df: 30 } }).predict(["t", "a", "b"])!;
    expect(got.difference).toBeCloseTo(4, 12);
    // y(a) + y(b) - y(t), and the new mixture's own: four variances
    expect(got.standardError).toBeCloseTo(0.2, 12);
    expect(heldOutCheck(used).numChecked).toBe(0);
  });
});

/** Five ingredients beside the task as singles, pairs, leave-one-out and all of the mixtures that hold it; items in groups of two. */
const NAMES = ["a", "b", "c", "d", "e"];
const TRIED = [[], ...NAMES.map((one) => [one]), ...NAMES.map((out) => NAMES.filter((one) => one !== out)), NAMES];
const UNTRIED = NAMES.flatMap((one, i) => NAMES.slice(i + 1).map((other) => [one, other]));

/** True means of all mixtures, and item means as observed: effects, what mixtures do beyond them, seeds' luck, items' own part in effects. */
function study(rng: Rng, effect: number) {
  const numItems = 120;
  const effects = NAMES.map(() => effect * rng.normal());
  const ofItems = NAMES.map(() => Array.from({ length: numItems }, () => 0.05 * rng.normal()));
  const easy = Array.from({ length: numItems }, () => 0.2 * rng.normal());
  const truth = (mixture: readonly string[]) =>
    0.6 + NAMES.reduce((sum, name, j) => sum + (mixture.includes(name) ? effects[j]! : 0), 0) + 0.02 * rng.normal();
  const observed = (level: number, mixture: readonly string[]) =>
    easy.map((base, i) => {
      const own = NAMES.reduce((sum, name, j) => sum + (mixture.includes(name) ? ofItems[j]![i]! : 0), 0);
      return level + base + own + 0.3 * rng.normal();
    });
  const levels = TRIED.map(truth);
  return {
    levels,
    truth,
    scores: levels.map((level, m) => observed(level + 0.01 * rng.normal(), TRIED[m]!)),
    groups: Array.from({ length: numItems }, (_, i) => `${Math.floor(i / 2)}`),
  };
}

describe("over many made-up studies", () => {
  test("prediction intervals hold the true gain about as often as they say", () => {
    const rng = new Rng(5, "additive");
    let [missed, total] = [0, 0];
    for (let s = 0; s < 150; s++) {
      const { levels, truth, scores: all, groups: of } = study(rng, 0.05);
      const model = additiveModel({
        held: TRIED.map((one) => ["t", ...one]),
        scores: all.map(mean),
        items: { scores: all, groups: of },
      });
      const mixture = UNTRIED[s % UNTRIED.length]!;
      const { low, high } = model.predict(["t", ...mixture], 0)!;
      const gain = truth(mixture) - levels[0]!;
      total++;
      if (gain < low || gain > high) missed++;
    }
    // 5 % and three Monte-Carlo standard errors; careful, since what the observed mixture does beyond its sum is counted as error
    expect(missed / total).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / total));
  });

  /** The rule of study/recommend.ts: how often it promises a gain over the best mixture tried, and how often there is one. */
  function promises(effect: number, numStudies: number, rng: Rng) {
    let [promised, right] = [0, 0];
    for (let s = 0; s < numStudies; s++) {
      const { levels, truth, scores: all, groups: of } = study(rng, effect);
      const means = all.map(mean);
      const best = means.indexOf(Math.max(...means));
      const data = { held: TRIED.map((one) => ["t", ...one]), scores: means };
      const { meanError, meanErrorOfMean } = heldOutCheck(data);
      const model = additiveModel({ ...data, items: { scores: all, groups: of } });
      const gains = UNTRIED.map((mixture) => ({ mixture, ...model.predict(["t", ...mixture], best)! }));
      const top = gains.reduce((a, b) => (b.difference > a.difference ? b : a));
      if (meanError >= meanErrorOfMean || top.difference <= 0 || top.pValue > 0.4) continue;
      promised++;
      if (truth(top.mixture) > levels[best]!) right++;
    }
    return { promised, right };
  }

  test("without effects hardly any has an untried mixture with a chance of 80 % to be above the best one tried", () => {
    expect(promises(0, 150, new Rng(6, "none")).promised / 150).toBeLessThan(0.05);
  });

  test("with effects some have, and such mixtures are above it as often as they promise", () => {
    const { promised, right } = promises(0.1, 150, new Rng(7, "some"));
    expect(promised / 150).toBeGreaterThan(0.1);
    expect(right / promised).toBeGreaterThan(0.8 - 3 * Math.sqrt((0.8 * 0.2) / promised));
  });
});
