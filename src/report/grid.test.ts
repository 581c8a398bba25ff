import { describe, expect, test } from "vitest";
import { csvLines, latexTable, markdownTable } from "./grid.ts";

describe("cells as CSV", () => {
  test("are quoted where they hold commas, quotes or line ends", () => {
    expect(csvLines([["a,b", 'say "x"', "two\nlines", "plain"]])).toBe('"a,b","say ""x""","two\nlines",plain\r\n');
  });

  test("are no formulas for a spreadsheet, and numbers stay numbers", () => {
    expect(csvLines([["=1+1", "+x", "@y", "-z", "-0.5", "-1e-7"]])).toBe("'=1+1,'+x,'@y,'-z,-0.5,-1e-7\r\n");
  });
});

describe("cells as Markdown", () => {
  test("break neither their row nor out into HTML", () => {
    expect(markdownTable([["name"], ["a|b\nc <img src=x>"]])).toBe("| name |\n| --- |\n| a\\|b c \\<img src=x> |");
  });
});

describe("cells as LaTeX", () => {
  test("hold no command of their own", () => {
    const line = latexTable([
      ["name", "x"],
      ["\\input{a}_50%~^", "−0.5 ± 1"],
    ]).split("\n")[4];
    expect(line).toBe(
      "\\textbackslash{}input\\{a\\}\\_50\\%\\textasciitilde{}\\textasciicircum{} & $-$0.5 $\\pm$ 1 \\\\",
    );
  });
});
