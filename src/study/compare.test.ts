import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { DataError, SpecError } from "../base/errors.ts";
import { compareCsv, compareText } from "../report/compare-text.ts";
import { readPredictions, runPaths, writePredictions, writeScores, writeSubject } from "../runs/run-dir.ts";
import type { Prediction } from "../runs/types.ts";
import { compareSides, type SideComparison } from "./compare.ts";
import { versusUntuned } from "./comparisons.ts";
import { readStudyLock, type StudyLock, writeStudyLock } from "./lock-file.ts";
import { studyResults } from "./results.ts";
import { baselineDir, runDir } from "./scored.ts";
import { readSide } from "./side-answers.ts";
import { sideNamed } from "./sides.ts";

let root: string;
let study: string;
let lock: StudyLock;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "mixtune-compare-"));
  study = join(root, "study");
  lock = recordStudy(study, {
    tasks: ["a", "b"],
    evaluatedOnly: ["general"],
    design: "[singles, all]",
    seeds: [1, 2, 3],
    numItems: 300,
    spread: 0.01,
    chance: (task, mixture) => {
      const holds = (name: string) => mixture?.ingredients[name] !== undefined;
      if (task === "general") return 0.5;
      if (!holds(task)) return 0.4;
      return task === "a" && holds("b") ? 0.8 : 0.65;
    },
  });
});
afterAll(() => rmSync(root, { recursive: true }));

function compare(a: string, b: string, options: { split?: "dev" | "test"; tasks?: string[] } = {}) {
  const problems: string[] = [];
  const read = (name: string) => readSide(sideNamed(name), (message) => problems.push(message));
  const { split = "test", tasks } = options;
  return { ...compareSides(read(a), read(b), { split, ...(tasks && { tasks }) }), problems };
}

const ofTask = ({ tasks }: SideComparison, name: string) => tasks.find(({ task }) => task === name)!;

interface Folder {
  /** Right or wrong, an item each. */
  right: number[];
  metric?: "accuracy" | "weighted_f1";
  gold?: string[];
  parsed?: string[];
  groups?: string[];
  ids?: string[];
  prompts?: string[];
  scorers?: number;
  readings?: string[];
}

/** A folder as mixtune eval leaves it, of one task q with answers yes and no. */
function evaluated(name: string, folder: Folder): string {
  const dir = join(root, name);
  mkdirSync(dir, { recursive: true });
  const { right, metric = "accuracy", readings = ["strict"] } = folder;
  const predictions = right.map((score, i): Prediction => {
    const gold = folder.gold?.[i] ?? "yes";
    const parsed = folder.parsed?.[i] ?? (score === 1 ? gold : "no");
    return {
      id: folder.ids?.[i] ?? `test#${i}`,
      prompt_digest: folder.prompts?.[i] ?? `prompt ${i}`,
      gold,
      output: parsed,
      parsed,
      scores: { accuracy: score, ...Object.fromEntries(readings.map((reading) => [reading, score])) },
      group: folder.groups?.[i] ?? `${i}`,
    };
  });
  writePredictions(dir, "q", "test", predictions);
  const metrics = { [metric]: { value: 0.5 } };
  const split = {
    n: right.length,
    n_groups: right.length,
    metrics,
    scoring: Object.fromEntries(readings.map((reading) => [reading, metrics])),
    scorers: folder.scorers ?? 1,
  };
  writeScores(dir, { tasks: { q: { test: split } } });
  writeSubject(dir, { model: name, at: "/m", few_shot: 0, tasks: {}, max_dev: null, max_test: null });
  return dir;
}

/** 20 items: A has 8 right that B has wrong, B 1 that A has wrong, both 9, neither 2. */
const A = [...Array(8).fill(1), 0, ...Array(9).fill(1), 0, 0];
const B = [...Array(8).fill(0), 1, ...Array(9).fill(1), 0, 0];

describe("two single models", () => {
  test("with independent items are told apart by exact McNemar", () => {
    const got = compare(evaluated("one", { right: A }), evaluated("two", { right: B }));
    const task = ofTask(got, "q");
    expect(task).toMatchObject({ n: 20, groups: 20, method: "McNemar", aBetter: 8, bBetter: 1, verdict: "above" });
    expect([task.a, task.b, task.difference]).toEqual([0.85, 0.5, expect.closeTo(0.35, 12)]);
    // 2 P(X <= 1), X ~ B(9, 1/2)
    expect(task.pValue).toBeCloseTo(20 / 512, 12);
    expect(task.pAdjusted).toBeCloseTo(20 / 512, 12);
    expect(got.remarks).toEqual([]);
  });

  test("with items in groups never are: their t interval is clustered", () => {
    const groups = A.map((_, i) => `${Math.floor(i / 4)}`);
    const task = ofTask(compare(evaluated("one", { right: A, groups }), evaluated("two", { right: B, groups })), "q");
    expect(task).toMatchObject({ n: 20, groups: 5, method: "t" });
    // sums of groups of 4: 4 4 -1 0 0, mean of items 0.35; variance 5/4 * sum((group sum - 4 * 0.35)^2) / 20^2 = 0.072
    const half = 2.7764451051977987 * Math.sqrt((1.25 * (2.6 ** 2 * 2 + 2.4 ** 2 + 1.4 ** 2 * 2)) / 400);
    expect([task.low, task.high]).toEqual([expect.closeTo(0.35 - half, 9), expect.closeTo(0.35 + half, 9)]);
  });

  test("are compared by their task's own metric, also where it is no mean", () => {
    const gold = ["x", "x", "y", "y"];
    const folder = (name: string, parsed: string[]) =>
      evaluated(name, {
        metric: "weighted_f1",
        gold,
        parsed,
        right: parsed.map((label, i) => Number(label === gold[i])),
      });
    const task = ofTask(compare(folder("one", ["x", "y", "y", "y"]), folder("two", ["y", "y", "y", "y"])), "q");
    // one: F1 2/3 and 4/5; two: 0 and 2/3
    expect([task.a, task.b]).toEqual([expect.closeTo(11 / 15, 12), expect.closeTo(1 / 3, 12)]);
    expect(task).toMatchObject({ metric: "weighted_f1", method: "t", aBetter: 1, bBetter: 0 });
  });

  test("whose kept labels are of another reading are read again from their answers", () => {
    const gold = ["x", "x", "y", "y"];
    const answers = ["X", "y.", " y", "what"];
    const one = evaluated("one", {
      metric: "weighted_f1",
      gold,
      parsed: gold,
      right: [1, 1, 1, 1],
      readings: ["constrained", "strict"],
    });
    const kept = readPredictions(one, "q", "test").map((item, i) => ({
      ...item,
      output: answers[i]!,
      scores: { ...item.scores, strict: [1, 0, 1, 0][i]! },
      label_logprobs: { x: -1, y: -1 },
    }));
    writePredictions(one, "q", "test", kept);
    const two = evaluated("two", { metric: "weighted_f1", gold, parsed: gold, right: [1, 1, 1, 1] });
    const task = ofTask(compare(one, two), "q");
    // read strictly: x, none, y, none: F1 2/3 each, as each label is found once of two and never wrongly
    expect(task).toMatchObject({ reading: "strict", a: expect.closeTo(2 / 3, 12), b: 1, bBetter: 2 });
  });

  test("the other way round differ by as much the other way", () => {
    const [one, two] = [evaluated("one", { right: A }), evaluated("two", { right: B })];
    const [there, back] = [ofTask(compare(one, two), "q"), ofTask(compare(two, one), "q")];
    expect([back.difference, back.low, back.high]).toEqual([-there.difference, -there.high, -there.low]);
    expect([back.aBetter, back.bBetter, back.pValue]).toEqual([there.bBetter, there.aBetter, there.pValue]);
  });
});

describe("items that only one of the two has", () => {
  test("are counted and named, and so are other items under the same id", () => {
    const ids = A.map((_, i) => `test#${i + 1}`);
    const change = (values: string[], at: number) => values.map((value, i) => (i === at ? "other" : value));
    const prompts = A.map((_, i) => `prompt ${i + 1}`);
    const gold = change(Array(20).fill("yes"), 5);
    const other = evaluated("two", { right: B, ids, prompts: change(prompts, 3), gold });
    const got = compare(evaluated("one", { right: A }), other);
    const { n, leftOut } = ofTask(got, "q");
    expect(n).toBe(17);
    expect(leftOut.map(({ reason, ids }) => [reason.replace(root, ""), ids])).toEqual([
      ["only in /one", ["test#0"]],
      ["only in /two", ["test#20"]],
      ["with another gold answer", ["test#6"]],
      ["with another prompt", ["test#4"]],
    ]);
    expect(compareText(got, 0, (text) => text)).toContain("q: 1 item with another gold answer left out: test#6");
  });

  test("another wording of all prompts is remarked, and the same questions are compared", () => {
    const prompts = A.map((_, i) => `otherwise ${i}`);
    const got = compare(evaluated("one", { right: A }), evaluated("two", { right: B, prompts }));
    expect(ofTask(got, "q").n).toBe(20);
    expect(got.remarks).toEqual([expect.stringContaining("all 20 prompts differ")]);
  });
});

test("where gold answers differ as well as all prompts, nothing is taken for the same question", () => {
  const changed = { prompts: A.map((_, i) => `otherwise ${i}`), gold: ["no", ...Array(19).fill("yes")] };
  const [one, two] = [evaluated("one", { right: A }), evaluated("two", { right: B, ...changed })];
  expect(() => compare(one, two)).toThrow(/no item in common: 1 with another gold answer, 19 with another prompt/);
});

describe("what cannot be compared", () => {
  test("is refused with its reason: other scorers, other readings, two answers to one item, nothing in common", () => {
    const one = evaluated("one", { right: A });
    const against = (folder: Folder) => () => compare(one, evaluated("two", folder));
    expect(against({ right: B, scorers: 2 })).toThrow(/scorers of different numbers \(1, 2\).*mixtune rescore/);
    expect(against({ right: B, readings: ["lenient"] })).toThrow(
      /labels are read strict in .*one and lenient in .*two/,
    );
    expect(against({ right: B, ids: B.map(() => "test#0") })).toThrow(/two answers to one item/);
    expect(against({ right: B, ids: B.map((_, i) => `x${i}`) })).toThrow(/no item in common: 20 only in/);
    expect(() => compare(one, one, { split: "dev" })).toThrow(/has no dev answers of it/);
    expect(against({ right: B, scorers: 2 })).toThrow(DataError);
  });

  test("damaged predictions are said, and no smaller comparison takes their place", () => {
    const [one, two] = [evaluated("one", { right: A }), evaluated("two", { right: B })];
    writeFileSync(runPaths.predictionsOf(two, "q", "test"), '{"id": "test#0"\n');
    const problems: string[] = [];
    const read = (name: string) => readSide(sideNamed(name), (message) => problems.push(message));
    expect(() => compareSides(read(one), read(two), { split: "test" })).toThrow(/two has no test answers of it/);
    expect(problems.join()).toMatch(/q\.test\.jsonl:1/);
  });
});

describe("the mixtures of a study", () => {
  test("differ as in its own table, by the spread over seeds of its mixtures", () => {
    const { table } = studyResults(study);
    const found = table.comparisons.find(({ task }) => task === "a")!;
    const got = compare(`${study}:${found.chosen}`, `${study}:${found.reference}`);
    const task = ofTask(got, "a");
    expect(task).toMatchObject({
      method: "t over seeds",
      numSeeds: { a: 3, b: 3 },
      verdict: "above",
      reading: "constrained",
    });
    for (const key of ["difference", "low", "high", "pValue"] as const)
      expect(task[key], key).toBeCloseTo(found[key], 12);
    const mean = table.rows.find(({ name }) => name === found.chosen)!.cells.a!.test.mean;
    expect(task.a).toBeCloseTo(mean, 12);
    // Holm: the smallest p three times
    expect(got.familySize).toBe(3);
    const smallest = got.tasks.reduce((one, other) => (other.pValue < one.pValue ? other : one));
    expect(smallest.pAdjusted).toBeCloseTo(3 * smallest.pValue, 12);
    expect(ofTask(got, "general").verdict).toBe("not distinguishable");
  });

  test("beside the untuned model vary alone, as in the report's table of retention", () => {
    const { table, items, lock: own } = studyResults(study);
    const rowOf = (name: string) => table.rows.findIndex((row) => row.name === name);
    const found = versusUntuned(table, items, own).find(({ row }) => row === rowOf("all"))!;
    const task = ofTask(compare(`${study}:all`, `${study}:untuned`), "general");
    expect(task).toMatchObject({ method: "t over seeds", numSeeds: { a: 3, b: 1 } });
    for (const key of ["difference", "low", "high", "pValue"] as const) {
      expect(task[key], key).toBeCloseTo(found[key], 12);
    }
    expect(compare(`${study}:majority`, `${study}:untuned`).tasks[0]!.method).toBe("McNemar");
  });

  test("differ in those keys of spec.json that are shown, and in no other", () => {
    const { differingKeys } = compare(`${study}:all`, `${study}:a`);
    expect(differingKeys?.keys.map(({ key }) => key)).toEqual(["mixture.name", "mixture.ingredients.b", "data.b"]);
    const [one, two] = lock.runs.filter(({ mixture }) => mixture.name === "all").map(({ id }) => runDir(study, id));
    expect(compare(one!, two!).differingKeys?.keys).toEqual([{ key: "seed", before: 1, after: 2 }]);
    expect(compare(`${study}:all`, baselineDir(study, "majority")).differingKeys).toBeUndefined();
  });

  test("list items on which they differ, with an output a seed", () => {
    const got = compare(`${study}:all`, `${study}:a`, { tasks: ["a"] });
    const { disagreeing, aBetter, bBetter } = ofTask(got, "a");
    expect(disagreeing).toHaveLength(aBetter + bBetter);
    expect(disagreeing[0]).toMatchObject({ a: [expect.any(String), expect.any(String), expect.any(String)] });
    const text = compareText(got, 2, (value) => value);
    expect(text).toContain(`a: 2 of ${disagreeing.length} items on which they differ`);
    expect(text).toMatch(/is significantly better than .* on a \(\+\d+\.\d points\)\./);
    expect(compareCsv(got).split("\r\n")).toHaveLength(3);
  });

  test("of one seed are compared as the models they are, which is said", () => {
    const dir = join(root, "one-seed");
    recordStudy(dir, {
      tasks: ["a"],
      evaluatedOnly: ["b"],
      design: "[singles]",
      seeds: [1],
      numItems: 40,
      chance: () => 0.7,
    });
    const got = compare(`${dir}:a`, `${dir}:untuned`, { tasks: ["a"] });
    expect(ofTask(got, "a").method).toBe("McNemar");
    expect(got.remarks).toEqual([expect.stringContaining("no mixture has a second seed")]);
  });

  test("with a seed that has no scores are compared by the others, which is said", () => {
    const dir = join(root, "unfinished");
    const planned = recordStudy(dir, {
      tasks: ["a", "b"],
      design: "[singles]",
      seeds: [1, 2],
      numItems: 40,
      chance: () => 0.7,
    });
    rmSync(runPaths.scores(runDir(dir, planned.runs[0]!.id)));
    const got = compare(`${dir}:a`, `${dir}:b`);
    expect(got.remarks).toContain(`a: ${dir}:a has scores of 1 of its 2 seeds`);
    expect(ofTask(got, "a").numSeeds).toEqual({ a: 1, b: 2 });
  });
});

describe("names", () => {
  test("that are none are refused with what would be one", () => {
    expect(() => sideNamed(`${study}:al`)).toThrow(/Did you mean a/);
    expect(() => sideNamed(`${study}:majorty`)).toThrow(/Did you mean majority\?/);
    expect(() => sideNamed(study)).toThrow(/Names here: a, b, all, majority, untuned/);
    expect(() => sideNamed(join(root, "nowhere"))).toThrow(/STUDY_DIR:MIXTURE, got no such folder/);
    expect(() => sideNamed(`${join(root, "nowhere")}:all`)).toThrow(SpecError);
    expect(() => sideNamed(root)).toThrow(/a folder with scores\.json/);
    expect(() => sideNamed(`${study}:all,seed=1`)).toThrow(/one of model/);
  });

  test("of one seed are that run, and of a row that is called so all its seeds", () => {
    const ids = lock.runs.filter(({ mixture }) => mixture.name === "all").map(({ id }) => runDir(study, id));
    expect(sideNamed(`${study}:all`)).toMatchObject({ kind: "mixture", dirs: ids, isTrained: true });
    expect(sideNamed(`${study}:all@2`)).toMatchObject({ kind: "model", dirs: [ids[1]] });
    expect(() => sideNamed(`${study}:all@9`)).toThrow(/one of the seeds 1, 2, 3, got @9/);
    expect(() => sideNamed(`${study}:untuned@1`)).toThrow(/untuned without a seed: it is a baseline/);
  });

  test("of several rows are told apart by factor and model", () => {
    const dir = join(root, "factors");
    recordStudy(dir, {
      tasks: ["a"],
      evaluatedOnly: ["b"],
      models: ["m/one", "m/two"],
      design: "[singles]",
      seeds: [1],
      numItems: 4,
      chance: () => 0.7,
    });
    const one = readStudyLock(dir);
    const runs = one.runs.map((run, i) => ({
      ...run,
      model: "m/one",
      factors: { "train.learning_rate": i === 0 ? 1e-4 : 2e-4 },
    }));
    writeStudyLock(dir, { ...one, runs });
    expect(() => sideNamed(`${dir}:a`)).toThrow(
      /got 2 rows[\s\S]*a,train\.learning_rate=0\.0001 {2}a,train\.learning_rate=0\.0002/,
    );
    expect(sideNamed(`${dir}:a,train.learning_rate=0.0002`).dirs).toEqual([runDir(dir, runs[1]!.id)]);
    expect(sideNamed(`${dir}:untuned,model=m/two`).dirs).toEqual([baselineDir(dir, "base-1")]);
  });
});

test("what is compared is left as it was, and no opening of test is noted", () => {
  const ledger = join(study, "ledger.jsonl");
  const before = readFileSync(ledger);
  compare(`${study}:all`, `${study}:a`);
  expect(readFileSync(ledger)).toEqual(before);
});
