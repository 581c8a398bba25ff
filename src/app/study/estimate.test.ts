import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../base/digest.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import { parseStudy } from "../../specs/study-file.ts";
import { ingredientTasks, planRuns } from "../../study/plan.ts";
import type { PlannedRun } from "../../study/types.ts";
import { batchesOf, estimateRun } from "./estimate.ts";

const SIZE = { parameters: 1e6, blocks: 9e5, layers: 2, hidden: 64, intermediate: 128, vocabulary: 500 };

const NOTHING_SCORED = { examples: 0, seconds: 0, devSeconds: 0 };

/** Tasks that have nothing but lengths. */
function toyTasks(lengths: Record<string, number[]>): Record<string, PreparedTask> {
  const planned = Object.entries(lengths).map(([name, list]) => {
    const tokens = Int32Array.from(list);
    const numTokens = list.reduce((sum, length) => sum + length, 0);
    const split = {
      tokenized: list.map((length) => ({ id: "x", prompt: new Int32Array(length - 2), answer: Int32Array.of(1, 0) })),
      lengths: { tokens, supervised: tokens.map(() => 2) },
      numTokens,
    };
    return [name, { split: () => split }];
  });
  return Object.fromEntries(planned) as Record<string, PreparedTask>;
}

function planOf(text: string, lengths: Record<string, number[]>): PlannedRun[] {
  const study = parseStudy(text, "/s.yaml", { assignments: [], cwd: "/" });
  const tasks = toyTasks(lengths);
  expect(Object.keys(ingredientTasks(study)).every((name) => name in tasks)).toBe(true);
  return planRuns(study, {
    ingredients: () =>
      Object.fromEntries(
        Object.entries(lengths).map(([name, list]) => [
          name,
          { rows_digest: digestOf(list), num_train: list.length, dev_digest: "dev", has_labels: true },
        ]),
      ),
    models: { m: { name: "m", weights_digest: "w", tokenizer_digest: "t", template_digest: "p" } },
    worker: { kind: "local", threads: 1 },
    estimate: (spec) => estimateRun(spec, tasks, SIZE, NOTHING_SCORED),
    stepsToShow: (spec, tokens) => batchesOf(spec, tasks).stepsToShow(tokens),
  });
}

const lengthsArb = fc.record(
  Object.fromEntries(
    ["a", "b", "c", "math", "general"].map((name) => [
      name,
      fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 1, maxLength: 60 }),
    ]),
  ),
);
const trainArb = fc
  .tuple(
    fc.constantFrom("num_train_epochs: 1", "num_train_epochs: 2", "num_train_epochs: 1.5", "max_steps: 9"),
    fc.constantFrom("batch_tokens: 50", "batch_tokens: 300", "train_batch_size: 1", "train_batch_size: 7"),
  )
  .map((parts) => `{${parts.join(", ")}}`);
const studyArb = fc
  .tuple(trainArb, fc.constantFrom("", "temperature: 2\n"), fc.constantFrom("0.3", "2"), fc.nat(3))
  .map(
    ([train, temperature, dose, seed]) =>
      (match: string) =>
        `name: s
models: [m]
tasks: {a: {}, b: {}, c: {}}
mixers:
  math: {task: x, role: ingredient, share_of_caps: 0.4}
  general: {task: y, dose: ${dose}}
design: [singles, pairs, all, {random: {runs: 2}}, {name: own, tasks: {a: {max_train: 5}, b: {epochs: 1.5}}, temperature: 3}]
${temperature}budget: {match: ${match}}
seeds: [${seed}]
train: ${train}
`,
  );

/** Runs of a mixture of `match`, and of the reference `all` at its own length. */
const planned = (write: (match: string) => string, match: string, lengths: Record<string, number[]>) => ({
  runs: planOf(write(match), lengths),
  reference: planOf(write("none"), lengths).find(({ mixture }) => mixture.name === "all")!.estimate,
});

describe("matched budgets, for any lengths, batches, epochs, doses and temperatures:", () => {
  test("steps are equal", () => {
    fc.assert(
      fc.property(studyArb, lengthsArb, (write, lengths) => {
        const { runs, reference } = planned(write, "steps", lengths);
        for (const { estimate } of runs) expect(estimate.steps).toBe(reference.steps);
      }),
      { numRuns: 30 },
    );
  });

  test("tokens are those of the reference to within the last batch, and the reference is as it was", () => {
    fc.assert(
      fc.property(studyArb, lengthsArb, (write, lengths) => {
        const { runs, reference } = planned(write, "tokens", lengths);
        for (const { mixture, estimate, spec } of runs) {
          expect(estimate.tokens).toBeGreaterThanOrEqual(reference.tokens);
          if (mixture.name === "all") expect(estimate).toEqual(reference);
          if (estimate.steps === 1) continue;
          const shorter = { ...spec, train: { ...spec.train, max_steps: estimate.steps - 1 } };
          const { tokens } = estimateRun(shorter, toyTasks(lengths), SIZE, NOTHING_SCORED);
          expect(tokens).toBeLessThan(reference.tokens);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("target examples are shown equally often, each as often as any other of its task", () => {
    fc.assert(
      fc.property(studyArb, lengthsArb, (write, lengths) => {
        const all = planned(write, "none", lengths).reference;
        if (["a", "b", "c", "math"].some((name) => all.ingredients[name]!.examples === 0)) {
          expect(() => planOf(write("target_examples"), lengths)).toThrow(/which ends before it comes to it/);
          return;
        }
        const { runs, reference } = planned(write, "target_examples", lengths);
        for (const { estimate, spec } of runs) {
          for (const [name, shown] of Object.entries(estimate.ingredients)) {
            const num = lengths[name]!.length;
            if (name !== "general") expect(shown.examples).toBe(reference.ingredients[name]?.examples ?? 0);
            if (spec.train.num_train_epochs === 1) expect(shown.distinct_examples).toBe(Math.min(num, shown.examples));
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("without a match the epochs of each mixture decide, and no run is longer than all", () => {
    const lengths = { a: [5, 5, 5], b: [5, 5], c: [5], math: [5, 5], general: [5] };
    const runs = planOf(
      `name: s\nmodels: [m]\ntasks: {a: {}, b: {}, c: {}}\ndesign: [singles, all]\ntrain: {train_batch_size: 1, num_train_epochs: 2}\n`,
      lengths,
    );
    expect(runs.map(({ estimate }) => estimate.steps)).toEqual([6, 4, 2, 12]);
  });
});

describe("a matched budget", () => {
  const lengths = { a: [5, 5, 5], b: [5, 5], c: [9] };
  const text = (budget: string) =>
    `name: s\nmodels: [m]\ntasks: {a: {}, b: {}, c: {}}\ndesign: [singles, all]\nbudget: ${budget}\ntrain: {train_batch_size: 1, num_train_epochs: 2}\n`;

  test("of examples keeps the epochs of a study where they divide evenly, and its runs are those without a match", () => {
    const runs = planOf(text("{match: [none, target_examples]}"), lengths);
    expect(runs.map(({ factors, also }) => [factors, ...also.map((one) => one.factors)])).toEqual(
      Array(4).fill([{ "budget.match": "none" }, { "budget.match": "target_examples" }]),
    );
  });

  test("of examples is refused where the reference lacks an ingredient", () => {
    expect(() => planOf(text("{match: target_examples, reference: a__b}"), lengths)).toThrow(
      /a mixture that shows c, as c does, got a__b of a, b/,
    );
  });
});

test("what is shown does not depend on threads: they are no argument of the batches", () => {
  const lengths = { a: [5, 8, 2, 9], b: [5, 5, 30], c: [3] };
  const [run] = planOf(`name: s\nmodels: [m]\ntasks: {a: {}, b: {}, c: {}}\ndesign: [all]\n`, lengths);
  const batches = (threads: number) => {
    const plan = batchesOf({ ...run!.spec, worker: { kind: "torch", threads } }, toyTasks(lengths));
    return Array.from({ length: plan.numSteps }, (_, i) => plan.batch(i));
  };
  expect(batches(16)).toEqual(batches(1));
});

test("magnitudes count with what trains, and double what PyTorch keeps of a token", () => {
  const estimateOf = (use_dora: boolean, kind: "local" | "torch") => {
    const [run] = planOf(`{name: s, models: [m], tasks: {a: {}}, design: [singles], controls: []}`, { a: [9, 9, 9] });
    const spec = { ...run!.spec, worker: { kind, threads: 1 }, train: { ...run!.spec.train, use_dora } };
    return estimateRun(spec, toyTasks({ a: [9, 9, 9] }), SIZE, NOTHING_SCORED);
  };
  const more = (key: "disk_bytes" | "memory_bytes", kind: "local" | "torch") =>
    estimateOf(true, kind)[key] - estimateOf(false, kind)[key];
  // One for each output of a layer's products: five of width 64 (q, k, v, o, down), two of width 128 (gate, up); two layers.
  const magnitudes = 1152;
  expect(more("disk_bytes", "local")).toBe(magnitudes * 4);
  // Value, gradient and two moments of each; of each of 1,024 tokens and two layers 10 x 64 + 4 x 128 numbers more, of 4 bytes.
  expect(more("memory_bytes", "torch")).toBe(magnitudes * 16 + 1024 * 2 * 1152 * 4);
});
