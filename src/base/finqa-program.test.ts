import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readJsonList } from "../data/readers/json-rows.ts";
import { contradicts, type ProgramValue, resultText, runProgram, valueText } from "./finqa-program.ts";

const TABLE = [
  ["", "2019", "2018"],
  ["net sales ( in millions , all regions )", "$ 1,200", "900 ( restated )"],
  ["margin", "12.5%", "10%"],
  ["loss", "-32 ( 32 )", "-8 ( 8 )"],
  ["remark", "n/a", "none"],
  ["net", "1", "2"],
  ["net", "3", "5"],
];

describe("a program", () => {
  test.each<[string, ProgramValue | null]>([
    ["subtract(5829, 5735)", 94],
    ["subtract(153.7, 139.9), divide(#0, 139.9)", 0.09864],
    ["divide(10, 3), multiply(#0, const_100)", 333.33333],
    ["add(1,200, const_m1)", 1199],
    ["multiply(12.5%, const_1000)", 125],
    ["exp(2, 10)", 1024],
    ["greater(3, 2)", "yes"],
    ["greater(2, 3)", "no"],
    ["table_max(margin, none)", 0.125],
    ["table_min(loss, none)", -32],
    ["table_sum(net, none)", 8], // of rows that begin alike the last
    ["table_average(net sales ( in millions , all regions ), none)", 1050],
    ["table_max(margin, none), table_min(margin, none), subtract(#0, #1)", 0.025],
    ["divide(1, 64), multiply(#0, const_1)", 0.01562], // 0.015625: halves to even, as Python rounds
    ["divide(-1, 64), multiply(#0, const_1)", -0.01562],
    ["divide(3, 64), multiply(#0, const_1)", 0.04688],
  ])("%s comes to %s", (program, value) => {
    expect(runProgram(program, TABLE)).toBe(value);
  });

  test.each([
    "",
    "5829",
    "root(4, 2)",
    "add(1, two)",
    "add(1, #0)",
    "add(1, 2) and more",
    "divide(1, 0)",
    "divide(0, 0)",
    "greater(1, two)",
    "greater(1, 2), add(#0, 1)",
    "table_max(remark, none)",
    "table_max(no such row, none)",
  ])("%j cannot be run", (program) => {
    expect(runProgram(program, TABLE)).toBeNull();
  });
});

test("values become answers without exponent, separators or a negative zero", () => {
  expect([94, -0, 0.00001, 123456789.5, "yes" as const].map(valueText)).toEqual([
    "94",
    "0",
    "0.00001",
    "123456789.5",
    "yes",
  ]);
  expect(["94.0", 0.5, "1,234", "no", "", null, "about 5"].map(resultText)).toEqual([
    "94",
    "0.5",
    "1234",
    "no",
    null,
    null,
    null,
  ]);
});

test("a written answer contradicts the result only beyond the decimals it states", () => {
  const agree: [string, ProgramValue][] = [
    ["34.7%", 0.34719],
    ["35%", 0.34719],
    ["7.22", 7.22222],
    ["$ 1,357,500", 1357500],
    ["-3.2%", -0.032],
    ["( 12 )", -12],
    [".0751", 0.07513],
    ["yes", "yes"],
    ["", 1393],
  ];
  for (const [written, value] of agree) expect([written, contradicts(written, value)]).toEqual([written, false]);
  const differ: [string, ProgramValue][] = [
    ["10%", -0.09709],
    ["-22%", 0.29167],
    ["1877", 18770],
    ["44%", 1.25],
    ["no", "yes"],
  ];
  for (const [written, value] of differ) expect([written, contradicts(written, value)]).toEqual([written, true]);
});

const dataRoot = process.env.MIXTUNE_DATA;

// The oracle: results that the publication's own evaluation stored beside 800 programs.
describe.skipIf(dataRoot === undefined)("published programs (skipped without MIXTUNE_DATA)", () => {
  test.each(["train_100.json.gz", "dev_200.json.gz", "test_500.json.gz"])(
    "of %s all come to the published result",
    (file) => {
      const path = join(dataRoot!, "finqa", file);
      expect(existsSync(path)).toBe(true);
      const wrong = readJsonList(path).flatMap(({ row }) => {
        const { program, exe_ans, answer } = (row.qa ?? row) as Record<string, unknown>;
        const value = runProgram(String(program), row.table as string[][]);
        return value === (exe_ans ?? answer) ? [] : [{ program, value, published: exe_ans ?? answer }];
      });
      expect(wrong).toEqual([]);
    },
  );
});
