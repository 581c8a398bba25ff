import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import type { Cell, Row, StudyTable } from "../study/study-table.ts";
import { aligned, formatStudyTable, legend } from "./tables.ts";

function cell(...values: number[]): Cell {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const sd = values.length < 2 ? Number.NaN : Math.abs(values[0]! - values[1]!) / Math.SQRT2;
  return { mean, sd, values, n: values.length === 0 ? 0 : 300 };
}

function row(kind: Row["kind"], name: string, a: Cell, b: Cell): Row {
  return {
    kind,
    name,
    ...(kind === "mixture" ? { model: "m" } : {}),
    factors: {},
    combinations: [{}],
    runs: ["1", "2"],
    cells: { a: { dev: a, test: a }, b: { dev: b, test: b } },
  };
}

const TABLE: StudyTable = {
  name: "s",
  tasks: [
    { name: "a", metric: "accuracy" },
    { name: "b", metric: "weighted_f1" },
  ],
  rows: [
    row("ngram", "ngram", cell(0.5), cell(0.25)),
    row("mixture", "a__b", cell(0.75, 0.77), cell()),
    row("mixture", '=evil,"x"', cell(0.1, 0.1), cell(0.2, 0.2)),
  ],
  chosen: { m: { a: 1, b: 2 } },
  comparisons: [],
  scoring: "constrained",
  numRuns: 4,
  numDone: 3,
  sentence: "All is well.",
};

describe("a study's table", () => {
  test("on a terminal is aligned, marks what dev chose, and shows a missing value as missing", () => {
    expect(formatStudyTable(TABLE, "text")).toBe(
      [
        "mixture      a (accuracy)  b (weighted_f1)",
        "ngram               0.500            0.250",
        "a__b       *0.760 ± 0.014                -",
        '=evil,"x"   0.100 ± 0.000   *0.200 ± 0.000',
        "",
        "test: n = a 300, b 300; mean ± standard deviation over 2 seeds; * chosen on dev; labels read by log-probability (constrained).",
        "",
      ].join("\n"),
    );
  });

  test("says what metrics mean whose names do not", () => {
    const tasks: StudyTable["tasks"] = [
      { name: "a", metric: "number_accuracy" },
      { name: "b", metric: "number_accuracy" },
    ];
    expect(legend({ ...TABLE, tasks }, "test")).toMatch(
      /\* chosen on dev; number_accuracy: the answer is one number, equal to gold at gold's precision; majority and ngram answer with labels alone\.$/,
    );
  });

  test("in Markdown is a table with the sentence under it", () => {
    const text = formatStudyTable(TABLE, "md", "dev");
    expect(text).toContain("| ngram | 0.500 | 0.250 |");
    expect(text).toContain("| --- | ---: | ---: |");
    expect(text).toMatch(/dev: n = .*\n\nAll is well\.\n$/);
  });

  test("in CSV is a line per cell that another reader reads back, with formulas disarmed", () => {
    const rows = parse(formatStudyTable(TABLE, "csv"), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(3 * 2 * 2);
    expect(rows.find((r) => r.mixture === "a__b" && r.task === "a")).toMatchObject({
      mean: "0.76",
      num_seeds: "2",
      chosen_on_dev: "1",
      n: "300",
    });
    expect(rows.find((r) => r.mixture === "a__b" && r.task === "b")).toMatchObject({
      mean: "",
      sd: "",
      num_seeds: "0",
    });
    expect(rows.at(-1)?.mixture).toBe('\'=evil,"x"');
  });

  test("in JSON leaves out what does not exist", () => {
    const { rows } = JSON.parse(formatStudyTable(TABLE, "json")) as StudyTable;
    expect(rows[1]!.cells.b!.test).toEqual({ values: [], n: 0 });
    expect(rows[1]!.cells.a!.test.mean).toBe(0.76);
  });

  test("in LaTeX escapes what is special there", () => {
    expect(formatStudyTable(TABLE, "latex")).toContain("a\\_\\_b & *0.760 $\\pm$ 0.014 & - \\\\");
  });
});

test("aligned columns can stand to the left", () => {
  expect(
    aligned(
      [
        ["x", "yy"],
        ["long", "z"],
      ],
      "left",
    ),
  ).toBe("x     yy\nlong  z");
});
