import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../base/digest.ts";
import { runId } from "../specs/run-id.ts";
import { parseStudy } from "../specs/study-file.ts";
import type { RunSpec, StudySpec } from "../specs/types.ts";
import { designedMixtures } from "./designs.ts";
import { ingredientTasks, type PlanFacts, planStudy, verifyPlan } from "./plan.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

function study(numTasks: number, rest: string): StudySpec {
  const tasks = NAMES.slice(0, numTasks).map((name) => `  ${name}: {}`);
  const text = `name: s\nmodels: [mixtune/tiny]\ntasks:\n${tasks.join("\n")}\n${rest}\n`;
  return parseStudy(text, "/s.yaml", { assignments: [], cwd: "/" });
}

/** Each ingredient has 100 rows, but `small` only 10; steps are examples per epoch over 10. */
function facts(of: StudySpec): PlanFacts {
  const names = Object.keys(ingredientTasks(of));
  const sizes = Object.fromEntries(names.map((name) => [name, name === "small" ? 10 : 100]));
  return {
    ingredients: () =>
      Object.fromEntries(
        names.map((name) => [name, { rows_digest: digestOf(name), num_train: sizes[name]!, dev_digest: "dev" }]),
      ),
    models: Object.fromEntries(
      of.models.map((name) => [name, { name, weights_digest: name, tokenizer_digest: "t", template_digest: "p" }]),
    ),
    worker: { kind: "local", threads: 2 },
    estimate: (spec) => ({
      examples: 0,
      tokens: 0,
      steps: spec.train.max_steps ?? Object.keys(spec.mixture.ingredients).length * 10,
      seconds: 1,
      memory_bytes: 0,
      disk_bytes: 0,
      working_disk_bytes: 0,
    }),
  };
}

function planned(numTasks: number, rest: string) {
  const of = study(numTasks, rest);
  return planStudy(of, facts(of));
}

describe("designs", () => {
  test("nine ingredients give the paper's 9 + 36 + 9 + 1 = 55 mixtures, on four models 220 runs", () => {
    expect(planned(9, "design: [paper-55]")).toHaveLength(55);
    const four = { ...study(9, "design: [paper-55]"), models: ["m1", "m2", "m3", "m4"] };
    expect(planStudy(four, facts(four))).toHaveLength(220);
    const sizes = designedMixtures(["paper-55"], NAMES).map(({ ingredients }) => Object.keys(ingredients).length);
    expect([1, 2, 8, 9].map((size) => sizes.filter((other) => other === size).length)).toEqual([9, 36, 9, 1]);
  });

  test("paper-55 with another number says how many there are", () => {
    expect(() => designedMixtures(["paper-55"], NAMES.slice(0, 8))).toThrow(/exactly 9 ingredients.*got 8: a, b/s);
  });

  test("equal mixtures are planned once: pair = all of two, pairs = leave-one-out of three", () => {
    expect(planned(2, "design: [singles, pairs, all]").map(({ mixture }) => mixture.name)).toEqual(["a", "b", "a__b"]);
    expect(planned(3, "design: [pairs, leave-one-out]")).toHaveLength(3);
    expect(planned(3, "design: [singles, {name: mine, tasks: {b: {}}}]")).toHaveLength(3);
  });

  test("any number of ingredients gives n singles, n(n-1)/2 pairs, n leave-one-outs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 9 }), (n) => {
        const mixtures = designedMixtures(["singles", "pairs", "leave-one-out", "all"], NAMES.slice(0, n));
        expect(mixtures).toHaveLength(n + (n * (n - 1)) / 2 + n + 1);
        expect(new Set(mixtures.map(({ name }) => name)).size).toBe(mixtures.length);
      }),
    );
  });

  test("an empty mixture and one name for two mixtures are refused", () => {
    expect(() => designedMixtures(["leave-one-out"], ["a"])).toThrow(/an empty mixture/);
    expect(() => designedMixtures(["all", { name: "all", tasks: { a: {} } }], ["a", "b"])).toThrow(/all twice/);
  });

  test("names of long pairs stay within 64 characters", () => {
    const long = ["x".repeat(64), "y".repeat(64)];
    expect(designedMixtures(["pairs"], long)[0]!.name).toHaveLength(64);
  });
});

describe("mixers", () => {
  const general = (options: string) => `mixers: {general: {task: open-orca, ${options}}}\ndesign: [singles, all]`;

  test("of role always are added to every mixture, dose examples per task example", () => {
    const runs = planned(2, general("dose: 0.5"));
    expect(runs.map(({ mixture }) => mixture.ingredients)).toEqual([
      { a: {}, general: { max_train: 50 } },
      { b: {}, general: { max_train: 50 } },
      { a: {}, b: {}, general: {} },
    ]);
  });

  test("repeat when the dose asks for more than there is", () => {
    const runs = planned(1, "mixers: {small: {task: x, dose: 2.5}}\ndesign: [singles]");
    expect(runs[0]!.mixture.ingredients).toEqual({ a: {}, small: { epochs: 25 } });
  });

  test("with several doses are a factor, and each mixture says which", () => {
    const runs = planned(1, general("dose: [0.5, 1]"));
    expect(runs.map(({ mixture }) => mixture.name)).toEqual(["a_general-0_5", "a_general-1"]);
  });

  test("of role ingredient count like a task, and their size is a share of all caps whatever the mixture holds", () => {
    const runs = planned(2, general("role: ingredient, share_of_caps: 0.25"));
    expect(runs.map(({ mixture }) => [mixture.name, mixture.ingredients.general])).toEqual([
      ["a", undefined],
      ["b", undefined],
      ["general", { max_train: 50 }],
      ["all", { max_train: 50 }],
    ]);
  });

  test("ask for an amount where the mixture says weights", () => {
    const text = "mixers: {general: {task: x}}\ndesign: [{name: m, tasks: {a: {weight: 0.5}, b: {}}}]";
    expect(() => planned(2, text)).toThrow(/Add general: \{weight/);
  });
});

describe("a plan", () => {
  test("multiplies models, mixtures, factors and seeds", () => {
    const runs = planned(3, "design: [singles, all]\nseeds: [1, 2]\nfactors: {train.learning_rate: [0.1, 0.2, 0.3]}");
    expect(runs).toHaveLength(4 * 2 * 3);
    expect(runs.map(({ factors }) => factors["train.learning_rate"])).toContain(0.2);
    expect(new Set(runs.map(({ spec }) => spec.train.learning_rate))).toEqual(new Set([0.1, 0.2, 0.3]));
  });

  test("a factor on one batch size unsets the other", () => {
    const runs = planned(1, "design: [all]\nfactors: {train.train_batch_size: [4, 8]}");
    expect(runs.map(({ spec }) => [spec.train.batch_tokens, spec.train.train_batch_size])).toEqual([
      [null, 4],
      [null, 8],
    ]);
  });

  test("defaults that follow a key follow it through a factor", () => {
    const runs = planned(1, "design: [all]\nfactors: {train.method: [lora, full], train.evaluate: [last, best]}");
    expect(runs.map(({ spec: { train } }) => [train.method, train.learning_rate, train.evaluate, train.keep])).toEqual([
      ["lora", 2e-4, "last", "last"],
      ["lora", 2e-4, "best", "best"],
      ["full", 5e-5, "last", "last"],
      ["full", 5e-5, "best", "best"],
    ]);
  });

  test("with matched steps trains every mixture for as many as the reference takes", () => {
    const runs = planned(3, "design: [singles, all]\nbudget: {match: [none, steps]}");
    expect(runs.map(({ spec, factors }) => [factors["budget.match"], spec.train.max_steps])).toEqual([
      ...Array(4).fill(["none", null]),
      ...Array(4).fill(["steps", 30]),
    ]);
    expect(() => planned(3, "design: [singles]\nbudget: {match: steps, reference: alll}")).toThrow(
      /a mixture of the design, got alll/,
    );
  });

  test("knows the dev rows of a run only where they decide what is kept", () => {
    const data = (rest: string) => planned(1, `design: [all]\n${rest}`)[0]!.spec.data.a;
    expect(data("")).not.toHaveProperty("dev_digest");
    expect(data("train: {evaluate: best}")).toHaveProperty("dev_digest", "dev");
  });

  test("is refused when an id repeats, is another's, or data is missing", () => {
    const [run] = planned(1, "design: [all]") as [ReturnType<typeof planned>[0]];
    expect(() => verifyPlan([run, run])).toThrow(/repeat/);
    expect(() => verifyPlan([{ ...run, id: "0" }])).toThrow(/not the id/);
    const spec = { ...run.spec, data: {} };
    expect(() => verifyPlan([{ ...run, spec, id: runId(spec) }])).toThrow(/knows no data/);
  });
});

describe("a run id", () => {
  const spec = planned(2, "design: [all]")[0]!.spec;

  test("does not depend on the order of keys, nor on names of model and mixture", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.string(), (turn, model, mixture) => {
        const renamed = { ...spec, model: { ...spec.model, name: model }, mixture: { ...spec.mixture, name: mixture } };
        expect(runId(shuffled(renamed, turn) as RunSpec)).toBe(runId(spec));
      }),
    );
  });

  test("changes with everything that decides the weights", () => {
    const changed: RunSpec[] = [
      { ...spec, seed: 9 },
      { ...spec, train: { ...spec.train, learning_rate: 1 } },
      { ...spec, worker: { ...spec.worker, threads: 4 } },
      { ...spec, model: { ...spec.model, weights_digest: "other" } },
      { ...spec, model: { ...spec.model, template_digest: "other" } },
      { ...spec, mixture: { ...spec.mixture, ingredients: { ...spec.mixture.ingredients, b: { max_train: 3 } } } },
      { ...spec, data: { ...spec.data, a: { ...spec.data.a!, rows_digest: "other" } } },
    ];
    const ids = [spec, ...changed].map(runId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(runId(spec)).toMatch(/^[0-9a-f]{16}$/);
  });
});

/** The same value with the keys of every object rotated. */
function shuffled(value: unknown, turn: number): unknown {
  if (Array.isArray(value)) return value.map((inner) => shuffled(inner, turn));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, turn)] as const);
  const at = turn % Math.max(1, entries.length);
  return Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)]);
}
