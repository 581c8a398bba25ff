import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areSamePrograms, programIn, scoreProgram } from "./program.ts";

const TABLE = [
  ["", "2019", "2018"],
  ["net sales", "$ 1,200", "900"],
];

describe("a program in a text", () => {
  test.each<[string, string | null]>([
    ["subtract(5829, 5735)", "subtract(5829, 5735)"],
    ["  subtract(5829, 5735), divide(#0, 5735)\n", "subtract(5829, 5735), divide(#0, 5735)"],
    ["subtract(5829, 5735),\ndivide(#0, 5735)", "subtract(5829, 5735), divide(#0, 5735)"],
    ["First I subtract.\nProgram: `subtract(3, 2)`", "subtract(3, 2)"],
    ["The program is subtract(3, 2).", "subtract(3, 2)"],
    ["```\nadd(1, 2)\n```", "add(1, 2)"],
    ["add(1, 2), EOF", "add(1, 2)"],
    ["add(1, 2)\nadd(3, 4)", "add(3, 4)"],
    ["table_max(net sales, none)", "table_max(net sales, none)"],
    ["94", null],
    ["add(1, 2", null],
    ["add(1, 2) is what I would do", null],
    ["root(4, 2)", null],
    ["", null],
  ])("%j is %j", (text, wanted) => {
    expect(programIn(text)).toBe(wanted);
  });
});

describe("programs are one formula", () => {
  test.each<[string, string, boolean]>([
    ["add(1, 2)", "add(2, 1)", true],
    ["subtract(1, 2)", "subtract(2, 1)", false],
    ["multiply(1, 2), divide(#0, 3)", "divide(1, 3), multiply(#0, 2)", true],
    ["subtract(5, 3), divide(#0, 3)", "divide(5, 3), subtract(#0, const_1)", false], // const_1 is not in gold the other way round
    ["subtract(5, 3), divide(#0, 3)", "divide(5, 3), subtract(#0, 1)", false],
    ["add(2, 2)", "multiply(2, 2)", false], // right by chance of the numbers
    ["add(4, 4)", "multiply(4, const_2)", false],
    ["divide(9, 3)", "add(1, 2)", false],
    ["greater(1, 2)", "greater(1, 2)", true],
    ["greater(2, 1)", "greater(1, 2)", false],
    ["greater(1, 2)", "subtract(1, 2)", false],
    ["exp(1, 2)", "exp(2, 1)", false],
    ["table_max(net, none)", "table_min(net, none)", false],
    ["table_max(net, none)", "table_max(net, none)", true],
    ["add(1, 2), add(1, 2)", "add(1, 2)", true],
    ["add(9, 9), add(1, 2)", "add(1, 2)", false], // 9 is not in gold, even where nothing comes of it
    ["nonsense", "add(1, 2)", false],
    ["add(#5, 1)", "add(1, 1)", false],
  ])("%s and %s: %j", (program, gold, same) => {
    expect(areSamePrograms(program, gold)).toBe(same);
  });

  test("sums and products in any order of their arguments are the same", () => {
    const names = fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { minLength: 2, maxLength: 6 });
    const chain = (op: string, args: number[]) =>
      args
        .slice(1)
        .map((arg, i) => (i === 0 ? `${op}(${args[0]}, ${arg})` : `${op}(${arg}, #${i - 1})`))
        .join(", ");
    fc.assert(
      fc.property(names, fc.constantFrom("add", "multiply"), (args, op) => {
        expect(areSamePrograms(chain(op, args), chain(op, args.toReversed()))).toBe(true);
        expect(areSamePrograms(chain("subtract", args), chain(op, args))).toBe(false);
      }),
    );
  });
});

test("a root that most points make negative still tells programs apart", () => {
  const growth = "subtract(208.14, 100), divide(#0, 100), divide(const_1, const_5), exp(#1, #2), subtract(#3, const_1)";
  expect(areSamePrograms(growth, growth)).toBe(true);
  expect(areSamePrograms(growth.replace("subtract(#3", "add(#3"), growth)).toBe(false);
});

describe("the score of a program", () => {
  const gold = { program: "subtract(1200, 900), divide(#0, 900)", value: 0.33333, table: TABLE };

  test("is right by execution where it runs to the gold value, exactly", () => {
    expect(scoreProgram("subtract(1200, 900), divide(#0, 900)", gold)).toMatchObject({
      isExecutionRight: true,
      isProgramRight: true,
    });
    expect(scoreProgram("divide(1, 3)", gold)).toMatchObject({ isExecutionRight: true, isProgramRight: false });
    expect(scoreProgram("divide(3333, 10000)", gold).isExecutionRight).toBe(false);
    expect(scoreProgram("divide(1, 0)", gold)).toMatchObject({ program: "divide(1, 0)", isExecutionRight: false });
  });

  test("is nothing where no program was written", () => {
    expect(scoreProgram("0.33333", gold)).toEqual({ program: null, isExecutionRight: false, isProgramRight: false });
  });

  test("reads the question's table", () => {
    const sums = { program: "table_sum(net sales, none)", value: 2100, table: TABLE };
    expect(scoreProgram("table_sum(net sales, none)", sums).isExecutionRight).toBe(true);
    expect(scoreProgram("table_sum(net sales, none)", { ...sums, table: [] }).isExecutionRight).toBe(false);
  });
});
