/** @file Do report, recommend and compare say what is so? Studies whose right answers are known (test/support/known-study.ts). */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordKnownStudy, wrongStatements } from "../../test/support/known-study.ts";
import { table } from "./tables.ts";

/** Wrong statements by kind, over studies of so many seeds. */
export function decisionsTable(numStudies: number): string {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= numStudies; seed++) {
    const dir = mkdtempSync(join(tmpdir(), "mixtune-decisions-"));
    recordKnownStudy(dir, seed);
    for (const { what } of wrongStatements(dir)) counts.set(what, (counts.get(what) ?? 0) + 1);
    rmSync(dir, { recursive: true });
  }
  const rows = [...counts].toSorted(([, a], [, b]) => b - a);
  return table(
    [`of ${numStudies} studies`, "wrong statement"],
    rows.length > 0 ? rows.map(([what, n]) => [n, what]) : [[0, "none"]],
  );
}
