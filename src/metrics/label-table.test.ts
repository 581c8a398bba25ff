import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { confusionCells, countCells } from "./confusion.ts";
import { type LabelRow, labelTable } from "./label-table.ts";

interface GoldenCase {
  name: string;
  labels: string[];
  gold: string[];
  pred: (string | null)[];
  /** null: not defined. */
  table: { label: string; precision: number | null; recall: number | null; f1: number | null; support: number }[];
}
const { cases }: { cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/label-table/expected.json", import.meta.url), "utf8"),
);

test.each(cases)("the table of labels agrees with scikit-learn: $name", ({ labels, gold, pred, table }) => {
  const items = gold.map((g, i) => ({ gold: g, pred: pred[i] ?? null }));
  const rows = labelTable(countCells(confusionCells(items, labels), items.keys(), labels.length), labels);
  expect(rows.map(({ label }) => label)).toEqual(labels);
  rows.forEach((row, k) => {
    const wanted = table[k]!;
    expect(row.support).toBe(wanted.support);
    expect(row.predicted).toBe(pred.filter((label) => label === row.label).length);
    for (const name of ["precision", "recall", "f1"] as const satisfies (keyof LabelRow)[]) {
      if (wanted[name] === null) expect(row[name], `${row.label} ${name}`).toBeNaN();
      else expect(row[name], `${row.label} ${name}`).toBeCloseTo(wanted[name], 12);
    }
  });
});
