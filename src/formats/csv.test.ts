import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRowEnd, formatCsv, parseCsv } from "./csv.ts";

describe("parseCsv", () => {
  test("gives rows by column with the line they begin on", () => {
    expect(parseCsv('\ufeffa,b\r\n1,"two\nlines, ""quoted"""\r\n\r\n3,4', "f")).toEqual([
      { line: 2, row: { a: "1", b: 'two\nlines, "quoted"' } },
      { line: 5, row: { a: "3", b: "4" } },
    ]);
  });

  test("reads tabs", () =>
    expect(parseCsv("a\tb\n1,5\t2", "f", { delimiter: "\t" })[0]?.row).toEqual({ a: "1,5", b: "2" }));

  test("names a ragged row by the line it begins on", () => {
    expect(() => parseCsv('a,b\n1,"2\n2"\n1,2,3\n', "t.csv")).toThrow(
      /t\.csv:4: expected 2 cells, as the header has, got 3/,
    );
  });

  test("refuses an empty file, a column named twice and an open quote", () => {
    expect(() => parseCsv("", "f")).toThrow(/an empty file/);
    expect(() => parseCsv("a,a\n1,2", "f")).toThrow(/two columns named "a"/);
    expect(() => parseCsv('a\n"open\n', "f")).toThrow(/balanced quotes/);
  });

  test("a column named like a property of every object is a column", () => {
    const row = parseCsv("__proto__,constructor\n1,2", "f")[0]?.row;
    expect(Object.entries(row ?? {})).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });
});

describe("formatCsv", () => {
  test("is undone by parseCsv for text that is no formula", () => {
    const cell = fc.string({ minLength: 1 }).filter((text) => !/^[=+\-@\t\r]/.test(text) && !text.includes("\r"));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell)), (rows) => {
        expect(parseCsv(formatCsv(["a", "b"], rows), "f").map(({ row }) => [row.a, row.b])).toEqual(rows);
      }),
    );
  });

  test("guards text that a spreadsheet would run, and only text", () => {
    expect(formatCsv(["a", "b", "c", "d", "e"], [["=1+1", "+x", "-x", "@x", -0.5]])).toBe(
      "a,b,c,d,e\n'=1+1,'+x,'-x,'@x,-0.5\n",
    );
  });

  test("writes a number that does not exist as an empty cell", () => {
    expect(formatCsv(["a", "b"], [[Number.NaN, 0]])).toBe("a,b\n,0\n");
  });

  test("leaves signed numbers as they are, which are no formulas", () => {
    const cells = ["-3.5", "+1", "-.5e-3", "-5%", "-5+1", "+cmd|x", "-", "-1,000"];
    expect(
      formatCsv(
        ["a"],
        cells.map((cell) => [cell]),
      ),
    ).toBe("a\n-3.5\n+1\n-.5e-3\n-5%\n'-5+1\n'+cmd|x\n'-\n\"'-1,000\"\n");
  });

  test("quotes what holds the delimiter, whichever that is", () =>
    expect(formatCsv(["a", "b"], [["1,5", "x\ty"]], "\t")).toBe('a\tb\n1,5\t"x\ty"\n'));
});

test("where a row ends is known whatever its cells hold", () => {
  const cell = fc.string({ unit: fc.constantFrom('"', "\n", "\r", ",", "a", "é") });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const bytes = Buffer.from(formatCsv(["a", "b"], rows));
      const ends: number[] = [];
      for (let at = 0; at < bytes.length; at = ends.at(-1)!) ends.push(csvRowEnd(bytes, at));
      const lines = rows.map((_, i) => Buffer.byteLength(formatCsv(["a", "b"], rows.slice(0, i + 1))));
      expect(ends).toEqual([4, ...lines]);
      expect(csvRowEnd(bytes.subarray(0, -1), ends.at(-2)!)).toBe(-1);
    }),
  );
});
