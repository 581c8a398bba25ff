import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecordedStudy, recordStudy } from "../../test/support/recorded-study.ts";
import { runPaths } from "../runs/run-dir.ts";
import type { StudyLock } from "./lock-file.ts";
import { reportOf } from "./report-of.ts";
import { studyResults } from "./results.ts";
import { runDir } from "./scored.ts";

const reported = (folder: string) => reportOf(studyResults(folder));

/** b helps a by some ten points; c and d do nothing; nothing helps c; tuning on b costs 15 points of general ability. */
const STUDY: RecordedStudy = {
  tasks: ["a", "b", "c", "d"],
  evaluatedOnly: ["general"],
  design: "[singles, pairs, all]",
  seeds: [1, 2, 3],
  numItems: 400,
  spread: 0.005,
  chance: (task, mixture) => {
    const holds = (name: string) => mixture?.ingredients[name] !== undefined;
    if (task === "general") return 0.6 - (holds("b") ? 0.15 : 0);
    if (!holds(task)) return 0.5;
    return task === "a" && holds("b") ? 0.82 : 0.7;
  },
};

let dir: string;
let lock: StudyLock;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "mixtune-report-"));
  lock = recordStudy(dir, STUDY);
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("the report of a study with known effects", () => {
  test("finds the helper and no other", () => {
    const { answers, effects } = reported(dir);
    const verdicts = Object.fromEntries(answers.map(({ task, verdict }) => [task, verdict]));
    expect(verdicts.a).toBe("above");
    expect(["not distinguishable", "same"]).toContain(verdicts.c);
    const onA = effects.find(({ task }) => task === "a")!;
    const effect = (term: string) => onA.effects.find((one) => one.term === term)!;
    expect(effect("b").low!).toBeGreaterThan(0);
    expect(effect("c").low!).toBeLessThan(0);
    expect(effect("c").high!).toBeGreaterThan(0);
    expect(effect("b").pAdjusted!).toBeLessThan(0.05);
    expect(effect("b").pAdjusted!).toBeGreaterThanOrEqual(effect("b").pValue!);
    expect(effect("c").pAdjusted!).toBeGreaterThan(0.05);
    expect(onA.text).toMatch(/b helps/);
    expect(answers[0]!.text).toMatch(/significantly better than training on the task alone: \+\d+\.\d points/);
  });

  // Eleven mixtures and as many terms: means leave nothing to judge by, and single runs would not be independent.
  test("gives what pairs do, without intervals, where there are as many terms as mixtures", () => {
    const onA = reported(dir).effects.find(({ task }) => task === "a")!;
    const pairs = onA.effects.filter(({ term }) => term.includes(" x "));
    expect(pairs).toHaveLength(6);
    expect(pairs.find(({ term }) => term === "a x b")!.effect).toBeCloseTo(0.12, 1);
    for (const { low, high, pValue } of pairs) expect([low, high, pValue]).toEqual([null, null, null]);
  });

  test("finds the pair that does more than its two, where there are more mixtures than terms", () => {
    const folder = mkdtempSync(join(tmpdir(), "mixtune-report-"));
    recordStudy(folder, { ...STUDY, evaluatedOnly: [], design: "[singles, pairs, leave-one-out, all]", seeds: [1, 2] });
    const onA = reported(folder).effects.find(({ task }) => task === "a")!;
    rmSync(folder, { recursive: true });
    const pair = (term: string) => onA.effects.find((one) => one.term === term)!;
    expect(pair("a x b").low!).toBeGreaterThan(0);
    expect(pair("a x b").effect).toBeCloseTo(0.12, 1);
    expect(pair("c x d").low!).toBeLessThan(0);
    expect(pair("c x d").high!).toBeGreaterThan(0);
  });

  test("says what tuning cost in general ability", () => {
    const { retention, rows } = reported(dir);
    expect(retention.map(({ task }) => task)).toEqual(Array(retention.length).fill("general"));
    const marks = Object.fromEntries(retention.map(({ row, mark }) => [rows[row]!.name, mark]));
    for (const [name, mark] of Object.entries(marks)) {
      expect([name, mark]).toEqual([name, /^(.*__)?b(__.*)?$|^all$/.test(name) ? "below" : "none"]);
    }
    for (const { row, difference, low, high } of retention) {
      if (rows[row]!.ingredients.b === undefined) continue;
      expect(difference).toBeCloseTo(-0.15, 1);
      expect(low!).toBeLessThan(difference);
      expect(high!).toBeGreaterThan(difference);
    }
  });

  test("gives chances that add up, a corrected family of all fields, and one line an arm of trials", () => {
    const { answers, differences, expectedMaximum } = reported(dir);
    for (const { chanceOfBest } of answers) {
      const sum = chanceOfBest.reduce((total, { chance }) => total + chance, 0);
      expect(sum).toBeGreaterThan(0.9);
      expect(sum).toBeLessThanOrEqual(1 + 1e-9);
    }
    // every mixture but the reference, for each of the four trained tasks
    expect(differences).toHaveLength(4 * 10);
    expect(differences[0]!.familySize).toBe(40);
    expect(expectedMaximum.find(({ task }) => task === "a")!.curves.map(({ points }) => points.length)).toEqual([
      33, 3,
    ]);
  });

  test("sets trials of the task alone against as many of the mixtures that hold more", () => {
    const { expectedMaximum, rows } = reported(dir);
    const { equalTrials } = expectedMaximum.find(({ task }) => task === "a")!;
    expect(equalTrials).toMatchObject({ numAlone: 3, numMixtures: 30 });
    expect(equalTrials.tries.map(({ k }) => k)).toEqual([1, 2, 3]);
    const alone = rows.find(({ kind, name }) => kind === "mixture" && name === "a")!.cells.a!;
    expect(equalTrials.tries[0]!.alone).toBeCloseTo(alone.test.mean!, 12);
    const best = alone.dev.values.indexOf(Math.max(...alone.dev.values));
    expect(equalTrials.tries[2]!.alone).toBeCloseTo(alone.test.values[best]!, 12);
    // Of three mixtures one often holds the helper; the task alone never does.
    expect(equalTrials.tries[2]!.mixtures).toBeGreaterThan(equalTrials.tries[0]!.mixtures + 0.02);
  });

  test("is the same from the same files, plain JSON without numbers that do not exist", () => {
    const text = JSON.stringify(reported(dir));
    expect(JSON.stringify(reported(dir))).toBe(text);
    expect(text).not.toMatch(/NaN|Infinity/);
    expect(JSON.parse(text)).toEqual(reported(dir));
  });
});

test("answers that differ are shown for 200 items in all, and the others are counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-report-"));
  const tasks = ["a", "b", "c", "d", "e", "f"];
  const chance: RecordedStudy["chance"] = (_, mixture) => (mixture?.name === "all" ? 0.9 : 0.5);
  recordStudy(folder, { tasks, design: "[singles, all]", seeds: [1], numItems: 150, chance });
  const { disagreements } = reported(folder);
  rmSync(folder, { recursive: true });
  expect(disagreements.map(({ task }) => task)).toEqual(tasks);
  for (const { items, leftOut, onlyA, onlyB } of disagreements) {
    expect(items.length + leftOut).toBe(onlyA + onlyB);
    expect(items.filter(({ aRight }) => aRight).length).toBeGreaterThanOrEqual(Math.min(onlyA, 16));
    expect(items.filter(({ aRight }) => !aRight).length).toBeGreaterThanOrEqual(Math.min(onlyB, 16));
  }
  expect(disagreements.reduce((sum, { items }) => sum + items.length, 0)).toBe(200);
});

describe("what is wrong with the files", () => {
  const remarks = () => reported(dir).remarks.join("\n");

  test("damaged, foreign or otherwise judged: said, and n stays", () => {
    const run = runDir(dir, lock.runs[0]!.id);
    const whole = new Map(
      [runPaths.predictionsOf(run, "a", "test"), runPaths.scores(run)].map((path) => [
        path,
        readFileSync(path, "utf8"),
      ]),
    );
    expect(remarks()).toBe("");
    const [predictions, scores] = [...whole.keys()] as [string, string];
    rmSync(predictions);
    expect(remarks()).toContain(`${predictions}: expected the predictions behind its scores, got no file`);
    writeFileSync(predictions, whole.get(predictions)!);
    appendFileSync(predictions, "{ torn");
    expect(remarks()).toContain(predictions);
    writeFileSync(predictions, whole.get(predictions)!.split("\n").slice(1).join("\n"));
    expect(remarks()).toMatch(/a: .* has predictions of other test items/);
    expect(reported(dir).tasks[0]!.n.test).toBe(400);
    writeFileSync(predictions, whole.get(predictions)!);
    writeFileSync(
      scores,
      whole
        .get(scores)!
        .replace('"scorers": 1', '"scorers": 7')
        .replace(/,\s+"digest".*/, ""),
    );
    expect(remarks()).toMatch(/scorers of different numbers \(1, 7\)/);
    writeFileSync(scores, "{");
    expect(remarks()).toContain(scores);
    writeFileSync(scores, whole.get(scores)!);
    writeFileSync(join(dir, "runs", "notes.txt"), "mine");
    expect(remarks()).toContain("notes.txt");
  });
});
