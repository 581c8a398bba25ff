import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordKnownStudy, wrongStatements } from "../../test/support/known-study.ts";
import { adviceText } from "../report/recommend-text.ts";
import { recommend } from "./recommend.ts";
import { reportOf } from "./report-of.ts";
import { studyResults } from "./results.ts";
import { takenText } from "./take.ts";

const root = mkdtempSync(join(tmpdir(), "mixtune-offer-"));
afterAll(() => rmSync(root, { recursive: true }));

/** docs/calibration.md has 50 seeds. */
describe("of a study whose right answers are known", () => {
  let dir: string;
  beforeAll(() => {
    dir = join(root, "1");
    recordKnownStudy(dir, 1);
  }, 60_000);

  test("report, recommend and compare say what is so", () => {
    const wrong = wrongStatements(dir);
    expect(wrong.filter(({ isByChance }) => !isByChance)).toEqual([]);
    expect(wrong.length).toBeLessThan(4);
  });

  test("each verdict is a sentence, the same in recommend and in the report", () => {
    const results = studyResults(dir);
    const [advice, report] = [adviceText(recommend(results)), takenText(reportOf(results), "studies/x")];
    for (const text of [advice, report]) {
      expect(text).toMatch(
        /helped: take (both|all) \(weighted_f1 0\.\d+ on 200 dev rows, 2 seeds\)\. It is significantly better than/,
      );
      expect(text).toMatch(
        /useless: take none of these mixtures\. \S+, the best on dev \(.*\), gives answers that do not depend on/,
      );
      expect(text).toMatch(
        /stuck: take none of these mixtures\. \S+, the best on dev \(.*\), answers every row with up\./,
      );
      expect(text).toMatch(
        /counted: use the n-gram baseline \(weighted_f1 0\.\d+ on 200 dev rows\): it is better than every mixture/,
      );
      expect(text).toMatch(/Dev can tell apart \d+ points or more \(200 rows\)/);
    }
  });
});
