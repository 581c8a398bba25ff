/**
 * @file Do the statistics keep their promises? Simulated studies with known truth; writes docs/calibration.md.
 *
 *     nice node --import ./test/support/run-typescript.js scripts/calibrate/calibrate.ts [STUDIES [TABLE…]]
 *
 * 2,000 studies a row by default, seeded. With tables named it makes those only.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decisionsTable } from "./decisions.ts";
import { aggregateTable, factorialTable } from "./ingredients.ts";
import { pairedTable, partsTable, powerTable, proportionTable } from "./items.ts";
import { meansTable, seededPartsTable, statisticsTable, unlikeTable } from "./seeds.ts";
import { chanceTable, maximumTable, selectionTable } from "./selection.ts";

const [count = "2000", ...only] = process.argv.slice(2);
const numStudies = Number(count);

/** Slow ones take fewer studies. */
const TABLES: Record<string, () => string> = {
  means: () => meansTable(numStudies),
  unlike: () => unlikeTable(numStudies),
  statistics: () => statisticsTable(Math.ceil(numStudies / 4)),
  decisions: () => decisionsTable(Math.ceil(numStudies / 40)),
  parts: () => partsTable(numStudies),
  "parts-seeds": () => seededPartsTable(Math.ceil(numStudies / 2)),
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
for (const name of only.length > 0 ? only : Object.keys(TABLES)) {
  const make = TABLES[name];
  if (make === undefined) throw new Error(`no table ${name}; there are ${Object.keys(TABLES).join(", ")}`);
  const text = make();
  console.log(`\n## ${name}\n\n${text}`);
  // The words of the page are written by hand; what stands between its marks is not.
  const page = readFileSync(PAGE, "utf8");
  const [start, end] = [`<!-- ${name} -->`, "<!-- end -->"];
  const from = page.indexOf(start);
  if (from < 0) throw new Error(`docs/calibration.md has no mark ${start}`);
  writeFileSync(PAGE, `${page.slice(0, from + start.length)}\n${text}\n${page.slice(page.indexOf(end, from))}`);
}
