/**
 * @file Do the statistics keep their promises? Simulated studies with known truth; writes docs/calibration.md.
 *
 *     nice node --import ./test/support/run-typescript.js scripts/calibrate/calibrate.ts [STUDIES [TABLE…]]
 *
 * 2,000 studies a row by default, seeded. With tables named it prints those only and writes nothing.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aggregateTable, factorialTable } from "./ingredients.ts";
import { pairedTable, powerTable, proportionTable } from "./items.ts";
import { meansTable, statisticsTable } from "./seeds.ts";
import { chanceTable, maximumTable, selectionTable } from "./selection.ts";

const [count = "2000", ...only] = process.argv.slice(2);
const numStudies = Number(count);

/** Slow ones take fewer studies. */
const TABLES: Record<string, () => string> = {
  means: () => meansTable(numStudies),
  statistics: () => statisticsTable(Math.ceil(numStudies / 4)),
  paired: () => pairedTable(Math.ceil(numStudies / 2)),
  proportion: () => proportionTable(numStudies),
  power: () => powerTable(numStudies),
  selection: () => selectionTable(Math.ceil(numStudies / 2)),
  chance: () => chanceTable(Math.ceil(numStudies / 2)),
  maximum: () => maximumTable(numStudies),
  factorial: () => factorialTable(numStudies),
  aggregate: () => aggregateTable(Math.ceil(numStudies / 4)),
};

const PAGE = join(import.meta.dirname, "..", "..", "docs", "calibration.md");
let page = readFileSync(PAGE, "utf8");
for (const name of only.length > 0 ? only : Object.keys(TABLES)) {
  const text = TABLES[name]?.() ?? `no table ${name}`;
  console.log(`\n## ${name}\n\n${text}`);
  // The words of the page are written by hand; the tables between its marks are not.
  const [start, end] = [`<!-- ${name} -->`, "<!-- end -->"];
  const from = page.indexOf(start);
  if (from < 0) throw new Error(`docs/calibration.md has no mark ${start}`);
  page = `${page.slice(0, from + start.length)}\n${text}\n${page.slice(page.indexOf(end, from))}`;
}
if (only.length === 0) writeFileSync(PAGE, page);
