import { describe, expect, test } from "vitest";
import { itemScoresOf } from "../runs/item-scores.ts";
import type { Prediction } from "../runs/types.ts";
import { parseStudy } from "../specs/study-file.ts";
import { analyseStudy as analyse } from "./analyse.ts";
import { versusAlone } from "./comparisons.ts";
import type { StudyLock } from "./lock-file.ts";
import type { ReadScored, ScoredRun, StudyTable } from "./study-table.ts";
import { rowLabel } from "./words.ts";

const analyseStudy = (...args: Parameters<typeof analyse>): StudyTable => analyse(...args).table;

const SEEDS = [1, 2, 3];
const NUM_ITEMS = 200;

/** A study of tasks a and b: singles and both, three seeds; a mixer that is in every mixture. */
function lock(): StudyLock {
  const study = parseStudy(
    "name: s\nmodels: [m/m]\ntasks: {a: {}, b: {}}\nmixers: {g: {task: g}}\ndesign: [singles, all]\nseeds: [1, 2, 3]\n",
    "/s.yaml",
    { assignments: [], cwd: "/" },
  );
  const digests = { train: "", dev: "", test: "" };
  const task = {
    metric: "accuracy" as const,
    licence: "",
    source: "",
    num_examples: { train: 1, dev: 1, test: 1 },
    digests,
  };
  const mixtures = [
    { name: "a", ingredients: { a: {}, g: {} } },
    { name: "b", ingredients: { b: {}, g: {} } },
    { name: "all", ingredients: { a: {}, b: {}, g: {} } },
  ];
  return {
    format: 1,
    mixtune: "0",
    study,
    tasks: { a: task, b: task },
    models: {},
    worker: { kind: "local", threads: 1 },
    runs: mixtures.flatMap((mixture) =>
      SEEDS.map((seed) => ({ id: `${mixture.name}${seed}`, model: "m/m", mixture, seed, factors: {} })),
    ),
    baselines: [
      { id: "majority", kind: "majority" },
      { id: "ngram", kind: "ngram" },
      { id: "base", kind: "base", model: "m/m" },
    ],
  };
}

/** `accuracy(id, task)` is how many of the items are right; the right ones are the first, turned by the seed a little. */
function reader(numRight: (id: string, task: string) => number | undefined): ReadScored {
  return (_, id): ScoredRun => {
    const tasks = Object.fromEntries(
      ["a", "b"].flatMap((task) => {
        const right = numRight(id, task);
        if (right === undefined) return [];
        const scores = {
          n: NUM_ITEMS,
          n_groups: NUM_ITEMS,
          metrics: { accuracy: { value: right / NUM_ITEMS, low: 0, high: 1 } },
          scoring: {},
        };
        return [[task, { dev: scores, test: scores }]];
      }),
    );
    const predictions = (task: string) => {
      const right = numRight(id, task);
      return right === undefined ? [] : Array.from({ length: NUM_ITEMS }, (_, i) => prediction(i, i < right));
    };
    return {
      scores: Object.keys(tasks).length > 0 ? { tasks } : undefined,
      items: (task) => itemScoresOf(predictions(task)),
      predictions,
    };
  };
}

function prediction(i: number, isRight: boolean): Prediction {
  return {
    id: `test#${i}`,
    prompt_digest: "",
    gold: "x",
    output: "x",
    parsed: isRight ? "x" : "y",
    scores: { accuracy: isRight ? 1 : 0, constrained: isRight ? 1 : 0, answer_logprob: isRight ? -1 : -2 },
    group: `${i}`,
  };
}

/** For task a: alone 100 of 200 right, all 100 + gain; seeds differ by `spread`. Task b is alone best. */
function table(gain: number, spread: number): StudyTable {
  const read = reader((id, task) => {
    if (id === "majority" || id === "base") return 50;
    if (id === "ngram") return 110;
    const noise = spread * (Number(id.at(-1)) - 2);
    if (task === "b") return (id.startsWith("b") ? 150 : 60) + noise;
    return (id.startsWith("all") ? 100 + gain : id.startsWith("a") ? 100 : 40) + noise;
  });
  return analyseStudy(lock(), read);
}

describe("a run that stands for two budgets", () => {
  test("is in the rows of both, and counted once", () => {
    const one = lock();
    const under = (match: string) => one.runs.map((run) => ({ ...run, factors: { "budget.match": match } }));
    const both = { ...one, runs: [...under("none"), ...under("target_examples")] };
    const read = reader((id, task) => (id.startsWith("all") && task === "a" ? 140 : 100));
    const [single, double] = [analyseStudy(one, read), analyseStudy(both, read)];
    expect([double.numRuns, double.numDone]).toEqual([9, 9]);
    expect(double.rows.filter(({ kind }) => kind === "mixture")).toHaveLength(6);
    // The spread over seeds is estimated from runs, not from rows.
    expect(double.comparisons).toEqual(single.comparisons);
  });
});

describe("a mixture without a task that comes in several sizes", () => {
  const sized = (): StudyLock => {
    const one = lock();
    const under = (rows: number) =>
      one.runs.map((run) => ({
        ...run,
        id: run.mixture.name === "b" ? run.id : `${rows}${run.id}`,
        factors: { "a rows": rows },
      }));
    return { ...one, runs: [...under(10), ...under(30)] };
  };
  const read = reader((id, task) => (task === "a" ? (id.startsWith("30") ? 150 : id.startsWith("b") ? 120 : 100) : 90));

  test("has one row, which stands for all sizes", () => {
    const table = analyseStudy(sized(), read);
    const mixtures = table.rows.filter(({ kind }) => kind === "mixture");
    expect(mixtures.map(({ name, factors }) => [name, factors])).toEqual([
      ["a", { "a rows": 10 }],
      ["b", {}],
      ["all", { "a rows": 10 }],
      ["a", { "a rows": 30 }],
      ["all", { "a rows": 30 }],
    ]);
    expect([table.numRuns, mixtures[1]!.runs]).toEqual([15, ["b1", "b2", "b3"]]);
  });

  test("is compared with the task alone at each size, first where dev finds that best", () => {
    const study = sized();
    const { table, items } = analyse(study, read);
    const name = (row: number) => rowLabel(table.rows[row]!);
    const ofB = versusAlone(table, items, study).filter(({ row, task }) => name(row) === "b" && task === "a");
    expect(ofB.map(({ reference, difference }) => [name(reference), difference])).toEqual([
      ["a a rows=30", (120 - 150) / NUM_ITEMS],
      ["a a rows=10", (120 - 100) / NUM_ITEMS],
    ]);
  });

  test("keeps its sizes apart where its runs differ, as those of a mixer do whose amount follows the task's", () => {
    const study = sized();
    const runs = study.runs.map((run) => ({ ...run, id: `${run.factors["a rows"]}${run.id}` }));
    const table = analyseStudy({ ...study, runs }, read);
    expect(table.rows.filter(({ name }) => name === "b").map(({ factors }) => factors)).toEqual([
      { "a rows": 10 },
      { "a rows": 30 },
    ]);
  });
});

describe("controls", () => {
  const controls = (of: StudyLock): StudyLock => ({
    ...of,
    runs: (["shuffled_labels", "random_init"] as const)
      .flatMap((control) =>
        of.runs.map((run) => ({
          ...run,
          id: `${control}-${run.id}`,
          mixture: { ...run.mixture, name: `${run.mixture.name} (${control})` },
          control,
        })),
      )
      .concat(of.runs as never[]),
  });

  test("stand after the mixtures, are never chosen on dev and change no comparison, however good they are", () => {
    const read = reader((id, task) => {
      if (/shuffled|random/.test(id)) return 199 - Number(id.at(-1));
      return (id.startsWith("all") && task === "a" ? 140 : 100) + Number(id.at(-1));
    });
    const [without, withThem] = [analyseStudy(lock(), read), analyseStudy(controls(lock()), read)];
    expect(withThem.rows.slice(0, 6)).toEqual(without.rows);
    expect(withThem.rows.slice(6).map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      ["shuffled_labels", "random_init"].flatMap((control) =>
        ["a", "b", "all"].map((name) => `control ${name} (${control})`),
      ),
    );
    expect([withThem.chosen, withThem.comparisons]).toEqual([without.chosen, without.comparisons]);
    expect(withThem.sentence).toBe(without.sentence);
    expect([withThem.numRuns, withThem.numDone]).toEqual([27, 27]);
  });
});

describe("a hosted baseline", () => {
  const hosted = (): StudyLock => {
    const one = lock();
    const baselines = ["majority", "openai:m"];
    return {
      ...one,
      study: { ...one.study, eval: { ...one.study.eval, baselines } },
      baselines: [{ id: "h", kind: "hosted", model: "openai:m", base_url: "http://h/v1", api: "chat" }],
    };
  };
  /** Right answers by reading. */
  const readings = (of: (id: string) => Record<string, number>): ReadScored => {
    return (_, id) => {
      const right = of(id);
      const metrics = (value: number) => ({ accuracy: { value: value / NUM_ITEMS } });
      const scoring = Object.fromEntries(Object.entries(right).map(([name, value]) => [name, metrics(value)]));
      const split = { n: NUM_ITEMS, n_groups: NUM_ITEMS, metrics: Object.values(scoring)[0]!, scoring };
      const both = { dev: split, test: split };
      const predictions = Array.from({ length: NUM_ITEMS }, (_, i): Prediction => {
        const scores = Object.entries(right).map(([name, value]) => [name, i < value ? 1 : 0]);
        return { ...prediction(i, true), scores: Object.fromEntries(scores) };
      });
      const items = itemScoresOf(predictions);
      return { scores: { tasks: { a: both, b: both } }, items: () => items, predictions: () => predictions };
    };
  };

  test("makes the whole table strict: rows, what dev chooses, and comparisons", () => {
    const read = readings((id) => {
      if (id === "h") return { strict: 190, lenient: 195 };
      return { constrained: id.startsWith("all") ? 120 : 180, strict: id === "all1" ? 150 : 100, lenient: 199 };
    });
    const { rows, scoring, chosen, comparisons } = analyseStudy(hosted(), read);
    expect(scoring).toBe("strict");
    expect(rows[0]).toMatchObject({ kind: "hosted", name: "openai:m" });
    expect(rows[0]!.cells.a!.test.mean).toBe(0.95);
    expect(rows.find(({ name }) => name === "a")!.cells.a!.test.mean).toBe(0.5);
    expect(rows[chosen["m/m"]!.a!]!.name).toBe("all");
    expect(comparisons.find(({ task }) => task === "a")!.difference).toBeCloseTo((50 / 3 / NUM_ITEMS) * 1, 12);
  });

  test("a run whose labels were not read strictly has an empty cell there, not one of another reading", () => {
    const { rows } = analyseStudy(
      hosted(),
      readings(() => ({ constrained: 150 })),
    );
    expect(rows.at(-1)!.cells.a!.test.mean).toBeNaN();
  });
});

describe("analysis", () => {
  test("gives a row per baseline and mixture, with mean and spread over seeds", () => {
    const { rows, numDone, numRuns } = table(40, 10);
    expect(rows.map(({ name }) => name)).toEqual(["majority", "ngram", "m/m (untuned)", "a", "b", "all"]);
    const cell = rows[5]!.cells.a!.test;
    expect(cell.values).toEqual([0.65, 0.7, 0.75]);
    expect(cell.mean).toBeCloseTo(0.7, 12);
    expect(cell.sd).toBeCloseTo(0.05, 12);
    expect(rows[1]!.cells.a!.test).toMatchObject({ mean: 0.55, low: 0, high: 1 });
    expect([numDone, numRuns]).toEqual([9, 9]);
  });

  test("chooses on dev per task, and compares with training on the task alone", () => {
    const { chosen, comparisons } = table(40, 1);
    expect(chosen).toEqual({ "m/m": { a: 5, b: 4 } });
    expect(comparisons.map(({ task, chosen: name, reference, verdict }) => [task, name, reference, verdict])).toEqual([
      ["a", "all", "a", "above"],
      ["b", "b", "b", "same"],
    ]);
    expect(comparisons[0]!.difference).toBeCloseTo(0.2, 12);
  });

  test("a gain within the spread of seeds is not distinguishable", () => {
    expect(table(40, 30).comparisons[0]!.verdict).toBe("not distinguishable");
    expect(table(1, 0).comparisons[0]!.verdict).toBe("not distinguishable");
  });

  test("a mixture that dev chose and test finds worse is said to be below", () => {
    const base = lock();
    const scores = reader((id, task) =>
      task === "b" ? 10 : id.startsWith("all") ? 20 : 100 + Number(id.at(-1) ?? 0) * 0,
    );
    const read: ReadScored = (kind, id) => {
      const run = scores(kind, id);
      if (!id.startsWith("all") || run.scores === undefined) return run;
      const dev = { n: 1, n_groups: 1, metrics: { accuracy: { value: 1 } }, scoring: {} };
      return { ...run, scores: { tasks: { ...run.scores.tasks, a: { ...run.scores.tasks.a, dev } } } };
    };
    expect(analyseStudy(base, read).comparisons[0]!.verdict).toBe("below");
  });

  test("says in a sentence what the intervals allow, and no more", () => {
    expect(table(40, 1).sentence).toMatch(
      /^On test accuracy the mixture chosen on dev is significantly better than training on the task alone for a by 20\.0 points \(all, 95 % interval \d+\.\d to \d+\.\d\); dev chooses training on the task alone for b\. The chosen mixtures score above the n-gram baseline on 2 of 2 tasks\.$/,
    );
    expect(table(40, 30).sentence).toContain(
      "not significantly different from training on the task alone with 3 seeds for a",
    );
  });

  test("compares answers that are no labels on their likelihood, in nats", () => {
    const base = lock();
    const task = { ...base.tasks.a!, metric: "answer_logprob" as const };
    const read = reader((id, name) => (name === "a" && id.startsWith("all") ? 180 : 100));
    const likelihood = (...[kind, id]: Parameters<typeof read>): ScoredRun => {
      const run = read(kind, id);
      const right = run.scores!.tasks.a!.test!.metrics.accuracy!.value;
      const split = {
        n: NUM_ITEMS,
        n_groups: NUM_ITEMS,
        metrics: { answer_logprob: { value: right - 2 } },
        scoring: {},
      };
      return { ...run, scores: { tasks: { ...run.scores!.tasks, a: { dev: split, test: split } } } };
    };
    const { comparisons, sentence } = analyseStudy({ ...base, tasks: { ...base.tasks, a: task } }, likelihood);
    expect(comparisons[0]).toMatchObject({ chosen: "all", metric: "answer_logprob", verdict: "above" });
    expect(comparisons[0]!.difference).toBeCloseTo(0.4, 12);
    expect(sentence).toMatch(
      /^On test answer_logprob and accuracy .* for a by 0\.400 nats a token \(all, 95 % interval/,
    );
  });

  test("compares F1 of spans by F1 of spans, over the items that both sides have a score for", () => {
    const base = lock();
    const task = { ...base.tasks.a!, metric: "entity_f1" as const };
    const read = reader((id, name) => (name === "a" && id.startsWith("all") ? 180 : 100));
    const spans = (...[kind, id]: Parameters<typeof read>): ScoredRun => {
      const run = read(kind, id);
      const { accuracy } = run.scores!.tasks.a!.test!.metrics;
      const split = {
        n: NUM_ITEMS,
        n_groups: NUM_ITEMS,
        metrics: { entity_f1: accuracy!, exact_match: accuracy! },
        scoring: {},
      };
      return {
        ...run,
        scores: { tasks: { ...run.scores!.tasks, a: { dev: split, test: split } } },
        items: (name, which) =>
          itemScoresOf(
            run.predictions(name, which).map((item, i): Prediction => {
              if (name !== "a") return item;
              const right = item.scores.accuracy!;
              // a wrong answer misses its entity and names two others: F1 of so many right r is 2 r / (r + r + 3 (1 - r))
              const counts = { exact_match: right, tp: right, fp: 2 * (1 - right), fn: 1 - right };
              return { ...item, scores: i === 0 ? {} : counts };
            }),
          ),
      };
    };
    const { comparisons, sentence } = analyseStudy({ ...base, tasks: { ...base.tasks, a: task } }, spans);
    expect(comparisons[0]).toMatchObject({ chosen: "all", metric: "entity_f1", verdict: "above" });
    // 179 and 99 of the 199 items that have a score are right
    expect(comparisons[0]!.difference).toBeCloseTo((2 * 179) / (2 * 179 + 60) - (2 * 99) / (2 * 99 + 300), 12);
    expect(sentence).toMatch(/^On test entity_f1 and accuracy .* for a by 45\.9 points/);
  });

  test("of one seed concludes nothing about retraining", () => {
    const single = lock();
    const one = {
      ...single,
      study: { ...single.study, seeds: [1] },
      runs: single.runs.filter(({ seed }) => seed === 1),
    };
    const { comparisons, rows } = analyseStudy(
      one,
      reader((id, task) => (task === "a" && id.startsWith("all") ? 190 : 50)),
    );
    expect(comparisons[0]!.verdict).toBe("not distinguishable");
    expect(rows[5]!.cells.a!.test.sd).toBeNaN();
  });

  test("never chooses a mixture without the task while one with it is scored, however good it is", () => {
    // ranked alone by dev it would be b, whose three runs happen to be good at a
    const read = reader((id, task) => (task === "a" && id.startsWith("b") ? 150 : 100));
    const { rows, chosen } = analyseStudy(lock(), read);
    expect(rows[chosen["m/m"]!.a!]!.name).toBe("a");
    const unfinished = reader((id, task) =>
      id.startsWith("b") ? read("run", id).predictions(task, "dev").length : undefined,
    );
    const early = analyseStudy(lock(), unfinished);
    expect(early.rows[early.chosen["m/m"]!.a!]!.name).toBe("b");
  });

  test("of unfinished runs leaves cells without a value, never 0, and says how many are done", () => {
    const { rows, sentence, numDone } = analyseStudy(
      lock(),
      reader((id) => (id === "a1" ? 100 : undefined)),
    );
    expect(rows[5]!.cells.a!.test.mean).toBeNaN();
    expect(rows[0]!.cells.a!.dev.n).toBe(0);
    expect(numDone).toBe(1);
    expect(sentence).toMatch(/^With 1 of 9 runs done, /);
    const alike = analyseStudy(
      { ...lock(), runs: [] },
      reader(() => undefined),
    );
    expect(alike.sentence).toMatch(/^There is nothing to compare yet: .* design: \[singles, all\] makes them\.$/);
    expect(
      analyseStudy(
        lock(),
        reader(() => undefined),
      ).sentence,
    ).toContain("there is nothing to compare yet");
  });
});
