import { describe, expect, test } from "vitest";
import { dropoutThreshold, featureKeys, isKept, tokenKey } from "./dropout-mask.ts";

/** Which of a module's features are kept for each token of an example. */
function maskOf(rate: number, tokens: number, width: number): number[][] {
  const features = featureKeys("model.layers.0.self_attn.q_proj", width);
  const threshold = dropoutThreshold(rate);
  return Array.from({ length: tokens }, (_, t) =>
    features.map((feature) => Number(isKept(tokenKey(0xdeadbeef, t), feature, threshold))),
  );
}

describe("dropout masks", () => {
  test("keep the share they should, of every token and of every feature, independently in pairs", () => {
    const [tokens, width, rate] = [400, 300, 0.1];
    const mask = maskOf(rate, tokens, width);
    const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
    const columns = Array.from({ length: width }, (_, j) => mask.map((row) => row[j]!));
    expect(mean(mask.flat())).toBeCloseTo(1 - rate, 2);
    const worst = (lists: readonly number[][]) => Math.max(...lists.map((list) => Math.abs(mean(list) - (1 - rate))));
    // Five standard errors of a share of so many.
    expect(worst(mask)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / width));
    expect(worst(columns)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / tokens));
    const correlations = (lists: readonly number[][]) =>
      lists
        .slice(1)
        .map((list, i) => mean(list.map((one, k) => (one - 0.9) * (lists[i]![k]! - 0.9))) / (rate * (1 - rate)));
    for (const lists of [mask, columns]) {
      const found = correlations(lists);
      expect(Math.abs(mean(found))).toBeLessThan(5 / Math.sqrt(tokens * width));
      expect(Math.max(...found.map(Math.abs))).toBeLessThan(6 / Math.sqrt(Math.min(tokens, width)));
    }
  });

  // From whole numbers of Python (python/tests/conftest.py, kept), which the PyTorch worker's masks are tested against too.
  test("are those of the PyTorch worker", () => {
    expect(featureKeys("model.layers.0.self_attn.q_proj", 3)).toEqual([1_554_105_647, 1_238_441_383, 1_465_864_573]);
    expect([0, 1, 2].map((place) => tokenKey(0xdeadbeef, place))).toEqual([2_108_236_353, 739_980_009, 233_815_391]);
  });
});
