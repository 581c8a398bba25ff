import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { reportOf } from "./report-of.ts";
import { studyResults } from "./results.ts";
import { sideNamed } from "./sides.ts";
import { takenText } from "./take.ts";

const dir = mkdtempSync(join(tmpdir(), "mixtune-take-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("what to take is named by a word that compare and predict read as the very runs, beside what is there for nothing", () => {
  recordStudy(dir, {
    tasks: ["a", "b"],
    design: "[singles, all]",
    seeds: [1],
    numItems: 40,
    chance: (_, mixture) => (mixture?.name === "all" ? 0.95 : 0.6),
    ngram: () => 0.7,
  });
  const report = reportOf(studyResults(dir));
  expect(report.take.map(({ task, name }) => [task, name])).toEqual([
    ["a", "all"],
    ["b", "all"],
  ]);
  for (const { name, runs } of report.take) {
    expect(sideNamed(`${dir}:${name}`).dirs).toEqual(runs.map((id) => join(dir, "runs", id)));
  }
  const text = takenText(report, "studies/x");
  expect(text).toMatch(/^a: .*\ball\b/);
  expect(text).toMatch(
    /On test it has accuracy 0\.\d{3}.*; the most frequent answer 0\.500, the n-gram baseline 0\.\d{3}/,
  );
  expect(text).toContain(`It is studies/x:all; its files are in studies/x/runs/: ${report.take[0]!.runs[0]}.`);
});
