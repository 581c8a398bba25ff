import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type RecordedStudy, recordStudy } from "../../test/support/recorded-study.ts";
import { adviceText } from "../report/recommend-text.ts";
import { parseStudy } from "../specs/study-file.ts";
import { designedMixtures } from "./designs.ts";
import { type Advice, recommend } from "./recommend.ts";
import { studyResults } from "./results.ts";

// a study is some hundred files, each synced to disk
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 });

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "mixtune-recommend-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Five tasks: mixtures of two, four, five and one of them are tried, none of three. */
const STUDY: Omit<RecordedStudy, "chance"> = {
  tasks: ["t", "a", "b", "c", "d"],
  design: "[singles, pairs, leave-one-out, all]",
  seeds: [1, 2],
  numItems: 300,
  spread: 0.005,
};

function advised(name: string, study: RecordedStudy): Advice {
  const dir = join(root, name);
  recordStudy(dir, study);
  return recommend(studyResults(dir));
}

const ofTask = ({ tasks }: Advice, name: string) => tasks.find(({ task }) => task === name)!;

/** A study file of that study with the keys of the advice in place of its own. */
function pasted(yaml: string, { tasks, design, seeds }: Omit<RecordedStudy, "chance">) {
  const keys: string[] = ["design", "seeds"].filter((key) => !new RegExp(`^${key}:`, "m").test(yaml));
  const own: Record<string, string> = { design: `design: ${design}`, seeds: `seeds: [${seeds.join(", ")}]` };
  const named = tasks.map(
    (name) => `${name}: {data: {train: x.jsonl}, answer: {kind: label, field: a, labels: [y, n]}, prompt: "{t}"}`,
  );
  const text = `name: s\nmodels: [m/m]\ntasks: {${named.join(", ")}}\n${keys.map((key) => own[key]).join("\n")}\n${yaml}`;
  return parseStudy(text, "/s.yaml", { assignments: [], cwd: "/" });
}

test("where the chosen mixture has every answer right nothing is promised, whatever the sum of ingredients says", () => {
  const advice = advised("perfect", {
    ...STUDY,
    spread: 0,
    chance: (task, mixture) => {
      const holds = (name: string) => mixture?.ingredients[name] !== undefined;
      if (!holds(task)) return 0.4;
      const shift =
        0.1 * Number(holds("a")) + 0.05 * Number(holds("b")) - 0.1 * (Number(holds("c")) + Number(holds("d")));
      return task === "t" ? 0.9 + shift : 0.7;
    },
  });
  const { untried } = ofTask(advice, "t");
  expect(untried.some(({ gain }) => gain > 0)).toBe(true);
  expect(advice.add.mixtures).toEqual([]);
});

describe("a study in which a and b help t, and c and d hurt it", () => {
  let advice: Advice;
  beforeAll(() => {
    advice = advised("planted", {
      ...STUDY,
      chance: (task, mixture) => {
        const holds = (name: string) => mixture?.ingredients[name] !== undefined;
        if (!holds(task)) return 0.4;
        const shift = [holds("a"), holds("b"), !holds("c"), !holds("d")].filter(Boolean).length;
        return task === "t" ? 0.45 + 0.1 * shift : 0.75;
      },
    });
  });

  test("the untried mixture of t, a and b is named, with about the gain that it was given", () => {
    const [first] = ofTask(advice, "t").untried;
    expect(first).toMatchObject({ ingredients: ["t", "a", "b"], isPromising: true });
    // the best tried has three of the four things that help, and luck
    expect(first!.low).toBeLessThan(0.1);
    expect(first!.high).toBeGreaterThan(0.1);
    expect(advice.add.mixtures).toEqual([{ name: "t__a__b", ingredients: ["t", "a", "b"], tasks: ["t"] }]);
    expect(ofTask(advice, "t").numUntried).toBe(6);
  });

  test("the prediction is said to hold on mixtures left out, and not for the other tasks", () => {
    const { check } = ofTask(advice, "t");
    expect(check!.numChecked).toBe(10);
    expect(check!.meanError).toBeLessThan(check!.meanErrorOfMean / 3);
    expect(check!.correlation).toBeGreaterThan(0.9);
    expect(ofTask(advice, "c").untried.every(({ isPromising }) => !isPromising)).toBe(true);
  });

  test("what is to be pasted makes a study of all there is and the new mixture", () => {
    const { design, seeds } = pasted(advice.add.yaml, STUDY);
    const before = designedMixtures(pasted("", STUDY).design, STUDY.tasks);
    const after = designedMixtures(design, STUDY.tasks);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length)).toEqual([{ name: "t__a__b", ingredients: { t: {}, a: {}, b: {} } }]);
    // two seeds of one mixture, and what more seeds cost every mixture
    expect(advice.add.numRuns).toBe(before.length * (seeds.length - 2) + seeds.length);
  });

  test("is said in words", () => {
    const text = adviceText(advice);
    expect(text).toMatch(
      /^t: take \S+ \(accuracy 0\.\d+ on 300 dev rows, 2 seeds\)\. It is significantly better than the most frequent answer/m,
    );
    expect(text).toMatch(/The chance that \S+ is the best of the mixtures here is \d+ %\./);
    expect(text).toContain("took 1 s, 1,000 tokens.");
    expect(text).toMatch(
      /Untried, and predicted to be above \S+: t__a__b \(\+\d+\.\d points, 95 % prediction interval \+\d/,
    );
    expect(text).toContain("Checked on 10 mixtures left out one at a time");
    expect(text).toContain('  - {"name":"t__a__b","tasks":{"t":{},"a":{},"b":{}}}');
  });
});

describe("a study in which nothing does anything", () => {
  test("promises no gain, and says so", () => {
    const advice = advised("null", { ...STUDY, chance: (task, mixture) => (mixture?.ingredients[task] ? 0.75 : 0.4) });
    expect(advice.tasks.flatMap(({ untried }) => untried.filter(({ isPromising }) => isPromising))).toEqual([]);
    expect(advice.add.mixtures).toEqual([]);
    expect(adviceText(advice)).toMatch(/None of 6 untried mixtures promises a gain/);
  });
});

describe("two mixtures near each other", () => {
  const close = (gain: number, seeds: readonly number[]): RecordedStudy => ({
    tasks: ["t", "a"],
    design: "[singles, pairs]",
    seeds,
    numItems: 300,
    spread: 0.03,
    chance: (task, mixture) => {
      const holds = (name: string) => mixture?.ingredients[name] !== undefined;
      return holds(task) ? 0.7 + (task === "t" && holds("a") ? gain : 0) : 0.4;
    },
  });

  test("ask for as many seeds as would show their difference, in a list that can be pasted", () => {
    const advice = advised("close", close(0.03, [1, 2, 3]));
    const { rival } = ofTask(advice, "t");
    expect(rival).toMatchObject({ name: "t", verdict: "seeds" });
    expect(rival!.seedsNeeded).toBeGreaterThan(3);
    expect(advice.add.seeds).toHaveLength(rival!.seedsNeeded!);
    expect(pasted(advice.add.yaml, close(0, [1, 2, 3])).seeds).toEqual(advice.add.seeds);
    expect(adviceText(advice)).toContain(`${rival!.seedsNeeded} seeds would probably show a difference of this size`);
  });

  test("far apart are told apart, and so near that no seeds help are taken for equal", () => {
    expect(ofTask(advised("far", close(0.2, [1, 2, 3])), "t").rival).toMatchObject({ name: "t", verdict: "told" });
    const advice = advised("equal", close(0, [1, 2, 3]));
    const open = advice.tasks.map(({ rival }) => rival!.verdict);
    expect(open).toContain("equal");
    expect(adviceText(advice)).toContain("costs less");
  });

  test("of one seed ask for a second", () => {
    const advice = advised("single", close(0.05, [1]));
    expect(ofTask(advice, "t").rival).toMatchObject({ verdict: "seeds", seedsNeeded: 2 });
    expect(advice.add).toMatchObject({ seeds: [1, 2], yaml: "seeds: [1, 2]\n", numRuns: 3 });
  });
});

test("where every mixture is tried nothing is predicted, and where too few are it is said that nothing could be checked", () => {
  const all = advised("all", { ...STUDY, tasks: ["t", "a"], design: "[singles, pairs]", chance: () => 0.75 });
  expect(ofTask(all, "t")).toMatchObject({ numUntried: 0, untried: [] });
  const few = advised("few", { ...STUDY, tasks: ["t", "a", "b"], design: "[singles, pairs]", chance: () => 0.75 });
  const { untried, check } = ofTask(few, "t");
  expect(untried.map(({ ingredients }) => ingredients)).toEqual([["t", "a", "b"]]);
  expect(untried[0]!.low).toBeLessThan(untried[0]!.gain);
  expect(check).toBeUndefined();
  expect(adviceText(few)).toContain("cannot be checked with so few mixtures");
});

test("choices are by dev alone: what test says changes nothing", () => {
  const dir = join(root, "dev-only");
  recordStudy(dir, {
    ...STUDY,
    tasks: ["t", "a", "b"],
    chance: (task, mixture) => (mixture?.ingredients[task] ? 0.75 : 0.4),
  });
  const results = studyResults(dir);
  const blind = {
    ...results,
    read: (kind: "run" | "baseline", id: string) => {
      const one = results.read(kind, id);
      return {
        ...one,
        predictions: (task: string, split: "dev" | "test") => (split === "test" ? [] : one.predictions(task, split)),
        items: (task: string, split: "dev" | "test") => (split === "test" ? undefined : one.items(task, split)),
      };
    },
  };
  expect(recommend(blind)).toEqual(recommend(results));
});
