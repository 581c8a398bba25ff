import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "../../base/rng.ts";
import { EVAL_DEFAULTS } from "../../specs/study-file.ts";
import type { Baseline } from "./baseline.ts";
import { learnFrames } from "./frames.ts";
import { minimise } from "./lbfgs.ts";
import { fitLogistic, logProbabilities } from "./logistic.ts";
import { fitMajority } from "./majority.ts";
import { fitNgram } from "./ngram.ts";
import { scoreTextBaseline } from "./score-baseline.ts";
import { fitTfidf } from "./tfidf.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/eval/ngram/expected.json", import.meta.url), "utf8"),
);
const accuracyOn = (baseline: Baseline, rows: { prompt: string; answer: string }[]) =>
  baseline.predict(rows.map((r) => r.prompt)).filter((p, i) => p.label === rows[i]!.answer).length / rows.length;

describe.each([
  ["three classes", golden.cases[0]],
  ["two classes", golden.cases[1]],
])("the n-gram model against scikit-learn, %s", (_, { train, dev, test: held, numFeatures, firstRowNorms, fits }) => {
  const prompts = (rows: { prompt: string }[]) => rows.map((r) => r.prompt);

  test("has the same features", () => {
    const x = fitTfidf(prompts(train)).transform(prompts(held));
    expect(x.numColumns).toBe(numFeatures);
    const first = x.values.slice(0, x.rowStart[1]);
    expect(first.reduce((sum, v) => sum + v, 0)).toBeCloseTo(firstRowNorms[1], 10);
    expect(first.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(firstRowNorms[0] + 1, 10);
  });

  test("has the same probabilities at every C", () => {
    const features = fitTfidf(prompts(train));
    const labels = Object.keys(fits[0].probabilities[0]);
    const classes = Int32Array.from(train, (r: { answer: string }) => labels.indexOf(r.answer));
    for (const { c, probabilities } of fits) {
      const model = fitLogistic(features.transform(prompts(train)), classes, labels.length, c, undefined);
      logProbabilities(model, features.transform(prompts(held))).forEach((row, i) => {
        labels.forEach((label, k) => {
          expect(Math.abs(Math.exp(row[k]!) - probabilities[i][label])).toBeLessThan(1e-3);
        });
      });
    }
  });

  test("chooses C by dev log loss and predicts with it", () => {
    const least = Math.min(...fits.map((f: { devLogLoss: number }) => f.devLogLoss));
    const wanted = fits.find((f: { devLogLoss: number }) => f.devLogLoss === least);
    const model = fitNgram(train, dev);
    expect(model.c).toBe(wanted.c);
    expect(model.devAccuracy).toBeCloseTo(wanted.devAccuracy, 12);
    model.predict(prompts(held)).forEach(({ label, logprobs }, i) => {
      const probabilities: Record<string, number> = wanted.probabilities[i];
      for (const [name, p] of Object.entries(probabilities))
        expect(Math.abs(Math.exp(logprobs[name]!) - p)).toBeLessThan(1e-3);
      expect(probabilities[label]).toBe(Math.max(...Object.values(probabilities)));
    });
  });
});

describe("the n-gram baseline", () => {
  const rng = new Rng(5);
  /** The answer turns on question and text together: neither alone tells it. */
  const rows = Array.from({ length: 400 }, () => {
    const [asked, said] = [rng.pick(["up", "down"]), rng.pick(["rises", "falls"])];
    return {
      prompt: `Answer Yes or No.\nDid the price of ${rng.pick(["gold", "oil"])} number ${rng.int(1e6)} change: it ${said}\nDid it go ${asked}?`,
      answer: (asked === "up") === (said === "rises") ? "Yes" : "No",
    };
  });

  test("reads a text in the light of its question", () => {
    expect(accuracyOn(fitNgram(rows.slice(0, 300), rows.slice(300, 340)), rows.slice(340))).toBe(1);
  });

  test("gives the same predictions every time", () => {
    const once = fitNgram(rows.slice(0, 100), rows.slice(300)).predict([rows[399]!.prompt]);
    expect(fitNgram(rows.slice(0, 100), rows.slice(300)).predict([rows[399]!.prompt])).toEqual(once);
  });

  test("answers questions it never saw, and texts without a known n-gram", () => {
    const model = fitNgram(rows.slice(0, 300), []);
    expect(model.c).toBe(3);
    expect(model.devAccuracy).toBeNaN();
    for (const { label, logprobs } of model.predict(["What?\n", "", "中"])) {
      expect(["Yes", "No"]).toContain(label);
      const total = Object.values(logprobs).reduce((sum, l) => sum + Math.exp(l), 0);
      expect(total).toBeCloseTo(1, 12);
    }
  });

  test("predicts the only answer of a question that has one", () => {
    const same = rows.map((r) => ({ ...r, answer: "No" }));
    const model = fitNgram(same.slice(0, 300), same.slice(300));
    expect(model.predict([rows[0]!.prompt])).toEqual([{ label: "No", logprobs: { No: 0 } }]);
    expect(model.devAccuracy).toBe(1);
  });
});

describe("frames", () => {
  test("are the lines that many prompts share, wherever they stand", () => {
    const split = learnFrames(Array.from({ length: 90 }, (_, i) => `Instruction.\ntext ${i}\nQuestion ${i % 3}?`));
    expect(split("Instruction.\nnew text\nQuestion 2?")).toEqual({
      frame: "Instruction.\nQuestion 2?",
      text: "new text",
    });
  });

  test("are not made of what few prompts share, nor of a frame that few have", () => {
    const few = learnFrames(Array.from({ length: 19 }, (_, i) => `Instruction.\ntext ${i}`));
    expect(few("Instruction.\ntext 1")).toEqual({ frame: "", text: "Instruction.\ntext 1" });
    const rare = learnFrames([
      ...Array.from({ length: 40 }, (_, i) => `One.\ntext ${i}`),
      ...Array.from({ length: 40 }, (_, i) => `Two.\ntext ${i}`),
      "One.\nTwo.\nboth",
    ]);
    expect(rare("One.\nTwo.\nboth")).toEqual({ frame: "", text: "One.\nTwo.\nboth" });
  });

  test("leave a prompt that is all frame as it is", () => {
    expect(learnFrames(new Array(30).fill("Same."))("Same.")).toEqual({ frame: "Same.", text: "Same." });
  });
});

describe("the majority baseline", () => {
  test("predicts the most frequent answer with the training shares, the first on a tie", () => {
    const model = fitMajority(["b", "a", "a", "b", "c"].map((answer) => ({ prompt: "", answer })));
    const [{ label, logprobs }] = model.predict(["x"]) as [{ label: string; logprobs: Record<string, number> }];
    expect(label).toBe("b");
    expect(Math.exp(logprobs.c!)).toBeCloseTo(0.2, 12);
  });
});

describe("limited-memory BFGS", () => {
  test("finds the minimum of any convex quadratic", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true })),
          { minLength: 1, maxLength: 30 },
        ),
        (parts) => {
          const x = new Float64Array(parts.length);
          minimise(
            (at, gradient) =>
              parts.reduce((sum, [curvature, centre], i) => {
                gradient[i] = curvature * (at[i]! - centre);
                return sum + (curvature / 2) * (at[i]! - centre) ** 2;
              }, 0),
            x,
            1e-7,
          );
          parts.forEach(([, centre], i) => {
            expect(x[i]).toBeCloseTo(centre, 4);
          });
        },
      ),
    );
  });
});

// The regression: a benchmark with labels, which has no training rows, ended a study as a fault of ours.
test("a task without training rows has no text baselines", () => {
  const dir = mkdtempSync(join(tmpdir(), "mixtune-baselines-"));
  const example = { id: "test#1", prompt: "Is it?", answer: "yes", group: "1" };
  const task = {
    ...{ name: "boolq", metric: "accuracy" as const, licence: "", source: "", notes: [] },
    answer: { kind: "label" as const, field: "", labels: ["yes", "no"] },
    splits: { train: [], dev: [], test: [example] },
    digests: { train: "", dev: "", test: "" },
  };
  for (const kind of ["majority", "ngram"] as const) scoreTextBaseline(kind, dir, task, EVAL_DEFAULTS);
  expect(readdirSync(dir)).toEqual([]);
  rmSync(dir, { recursive: true });
});
