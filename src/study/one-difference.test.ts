import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { compareSides } from "./compare.ts";
import type { PairDifference } from "./pair-difference.ts";
import { recommend } from "./recommend.ts";
import { reportOf } from "./report-of.ts";
import { type StudyResults, studyResults } from "./results.ts";
import { readSide } from "./side-answers.ts";
import { sideNamed } from "./sides.ts";

const root = mkdtempSync(join(tmpdir(), "mixtune-one-difference-"));
afterAll(() => rmSync(root, { recursive: true }));

const chance = fc.double({ min: 0.2, max: 0.95, noNaN: true });
const study = fc.record({
  metric: fc.constantFrom("weighted_f1", "macro_f1", "mcc", "accuracy"),
  labels: fc.constantFrom({ yes: 1, no: 1 }, { a: 5, b: 2, c: 1 }, { a: 1, b: 1, c: 1, d: 1 }),
  seeds: fc.constant([1, 2]),
  numItems: fc.integer({ min: 30, max: 90 }),
  numDevItems: fc.integer({ min: 20, max: 60 }),
  chances: fc.record({ alone: chance, both: chance, none: chance }),
  constant: fc.boolean(),
  seed: fc.nat(1000),
});

type Found = Pick<PairDifference, "difference"> & { low: number | null; high: number | null; pValue: number | null };

/** Every pair of rows that report and recommend compare, by the names that compare takes. */
function pairsIn(results: StudyResults): { split: "dev" | "test"; task: string; a: string; b: string; found: Found }[] {
  const { rows, answers, differences, retention } = reportOf(results);
  const name = (row: number) => (rows[row]!.kind === "base" ? "untuned" : rows[row]!.name);
  return [
    ...answers.flatMap(({ task, chosen, reference, difference, ...found }) =>
      reference === null || reference === chosen || difference === null
        ? []
        : [{ split: "test" as const, task, a: name(chosen), b: name(reference), found: { ...found, difference } }],
    ),
    ...[...differences, ...retention].map(({ task, row, reference, ...found }) => {
      return { split: "test" as const, task, a: name(row), b: name(reference), found };
    }),
    ...recommend(results).tasks.flatMap(({ task, best, rival }) =>
      rival === undefined ? [] : [{ split: "dev" as const, task, a: best.name, b: rival.name, found: rival }],
    ),
  ];
}

test("report, recommend and compare give the same difference, interval and p for the same two rows", () => {
  let [count, numPairs] = [0, 0];
  fc.assert(
    fc.property(study, ({ chances, constant, ...drawn }) => {
      const dir = join(root, `${count++}`);
      recordStudy(dir, {
        ...drawn,
        tasks: ["t", "u"],
        evaluatedOnly: ["general"],
        design: "[singles, pairs]",
        spread: 0.05,
        ngram: () => 0.6,
        chance: (task, mixture) => {
          if (mixture?.ingredients[task] === undefined) return chances.none;
          return Object.keys(mixture.ingredients).length > 1 ? chances.both : chances.alone;
        },
        constant: (task, mixture) =>
          constant && mixture?.ingredients[task] === undefined ? Object.keys(drawn.labels)[0] : undefined,
      });
      const pairs = pairsIn(studyResults(dir));
      for (const { split, task, a, b, found } of pairs) {
        const [sideA, sideB] = [a, b].map((row) => readSide(sideNamed(`${dir}:${row}`), expect.fail));
        const [compared] = compareSides(sideA!, sideB!, { split, tasks: [task] }).tasks;
        for (const key of ["difference", "low", "high", "pValue"] as const) {
          const there = found[key] ?? Number.NaN; // null in a report: two models that answer alike have no spread
          const place = `${split} ${task}: ${a} - ${b}, ${key}`;
          if (Number.isNaN(there)) expect(compared![key], place).toBeNaN();
          else expect(compared![key], place).toBeCloseTo(there, 9);
        }
      }
      numPairs += pairs.length;
    }),
    { numRuns: 4, endOnFailure: true },
  );
  expect(numPairs).toBeGreaterThan(8);
});
