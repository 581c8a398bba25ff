import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { DataError, MixtuneError } from "../base/errors.ts";
import { parseCsv } from "./csv.ts";
import { formatJsonl } from "./jsonl.ts";
import { MAX_ROW_BYTES } from "./pieces.ts";
import type { FileRow } from "./row.ts";
import { hasPlainQuotes, readAllRows, readRows } from "./row-file.ts";

const PARQUET = join(import.meta.dirname, "../../test/golden/formats/parquet");
const folder = mkdtempSync(join(tmpdir(), "mixtune-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function rowsIn(path: string): Promise<FileRow[]> {
  const all: FileRow[] = [];
  for await (const rows of readRows(path)) all.push(...rows);
  return all;
}

/** What is said of a file, as a whole or of its rows. */
async function complaints(path: string): Promise<string[]> {
  try {
    return (await rowsIn(path)).flatMap((row) => ("error" in row ? [row.error.message] : []));
  } catch (error) {
    expect(error).toBeInstanceOf(MixtuneError);
    return [(error as MixtuneError).message];
  }
}

describe("readRows", () => {
  test("gives the same rows from every format", async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => ({ text: `row ${i}, "${i}"`, label: `é${i % 3}` }));
    const csv = (delimiter: string) =>
      [["text", "label"], ...rows.map(({ text, label }) => [`"${text.replaceAll('"', '""')}"`, label])]
        .map((cells) => cells.join(delimiter))
        .join("\r\n");
    const paths = [
      file("a.jsonl", formatJsonl(rows)),
      file("a.ndjson.gz", gzipSync(formatJsonl(rows).trimEnd())),
      file("a.json", JSON.stringify(rows)),
      file("a.csv", `\ufeff${csv(",")}`),
      file("a.TSV.gz", gzipSync(csv("\t"))),
    ];
    for (const path of paths) expect((await readAllRows(path)).map(({ fields }) => fields)).toEqual(rows);
    expect((await rowsIn(paths[0]!)).at(-1)?.line).toBe(2500);
    expect((await rowsIn(paths[3]!)).at(-1)?.line).toBe(2501);
  });

  // The regression: a European spreadsheet's .csv was "expected 1 cells, as the header has, got 4".
  test.each([
    ["semicolons", '\ufeffno;text;amount\r\n1;"a, b; c";50,92\r\n2;d, e;1.051,05\r\n', ["1", "a, b; c", "50,92"]],
    ["tabs", "no\ttext\tamount\n1\ta, b\t3;4\n2\tc, d\t5\n", ["1", "a, b", "3;4"]],
    ["commas beside semicolons in the text", "text,no,amount\na; b,1,2\nc; d,3,4\n", ["a; b", "1", "2"]],
    ["semicolons and a comma in the header", "no;text, short;amount\n1;a;3,5\n2;b;4,5\n", ["1", "a", "3,5"]],
  ])("reads a .csv with %s", async (_, content, first) => {
    const [row] = await readAllRows(file("european.csv", content));
    expect(Object.values(row!.fields)).toEqual(first);
  });

  test("names a ragged row of a .csv by its own delimiter", async () => {
    expect(await complaints(file("ragged.csv", "a;b;c\n1;2;3\n1;2\n"))).toEqual([
      expect.stringContaining("ragged.csv:3: expected 3 cells, as the header has, got 2"),
    ]);
  });

  test("reads Parquet row by row", async () => {
    const rows = await readAllRows(join(PARQUET, "tickets.parquet"));
    expect(rows).toHaveLength(60);
    expect(rows[59]).toEqual({
      line: 60,
      fields: { text: "customer number 59 writes about matter 413", team: "cards" },
    });
  });

  test("reads gzip of several members, as joined files are", async () => {
    const path = file("two.jsonl.gz", Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]));
    expect((await readAllRows(path)).map(({ fields }) => fields.a)).toEqual([1, 2]);
  });

  test("gives every character whole, wherever the pieces of a file end", async () => {
    // Pieces are of a megabyte: a line of four-byte characters and odd lengths crosses many of their ends.
    const texts = Array.from({ length: 9 }, (_, i) => "x".repeat(i) + "😀é".repeat(i === 4 ? 600_000 : 120_000));
    expect(
      (await readAllRows(file("long.jsonl", formatJsonl(texts.map((text) => ({ text })))))).map(
        ({ fields }) => fields.text,
      ),
    ).toEqual(texts);
    const csv = await readAllRows(file("long.csv", ["text", ...texts].join("\n")));
    expect(csv.map(({ fields }) => fields.text)).toEqual(texts);
  });

  test("streams CSV as it reads CSV whole", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r\n", "é", " ", "\t") });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell)), async (rows) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = ["a,b", ...rows.map((cells) => cells.map(quote).join(","))].join("\n");
        const whole = parseCsv(text, "f").map(({ line, row }) => ({ line, fields: row }));
        expect(await rowsIn(file("p.csv", text))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });
});

const parquet = readFileSync(join(PARQUET, "snappy.parquet"));
const jsonl = Buffer.from('{"a":1}\n{"a":2}\n');
const long = Buffer.concat([
  Buffer.from('{"a":1}\n{"a":"'),
  Buffer.alloc(MAX_ROW_BYTES + 1, "x"),
  Buffer.from('"}\n{"a":3}'),
]);

/** File, its bytes, what is said. */
const BAD: [what: string, name: string, content: string | Buffer, says: RegExp][] = [
  [
    "gzip cut off",
    "x.jsonl.gz",
    gzipSync(Buffer.alloc(5000, "y")).subarray(0, 20),
    /x\.jsonl\.gz: expected a whole gzip/,
  ],
  ["gzip with a wrong checksum", "x.csv.gz", wrong(gzipSync("a,b\n1,2\n"), -6), /a whole gzip file/],
  ["text named .gz", "x.json.gz", "[]", /a whole gzip file.*take \.gz off/s],
  ["bytes that are not UTF-8, in a line", "x.jsonl", wrong(jsonl, 13), /x\.jsonl:2: expected UTF-8/],
  [
    "bytes that are not UTF-8, in CSV",
    "x.csv",
    Buffer.from("a,b\n1,2\nn\xe9,3\n", "latin1"),
    /x\.csv:3: expected UTF-8/,
  ],
  ["a character cut off at the end", "x.csv", Buffer.from("a,b\n1,\xc3", "latin1"), /x\.csv:2: expected UTF-8/],
  ["a ragged row", "x.csv", "a,b\n1,2\n1,2,3\n4\n", /x\.csv:3: expected 2 cells, as the header has, got 3/],
  ["a quote never closed", "x.csv", 'a,b\n1,2\n"3,4\n5,6\n', /x\.csv:\d+: expected CSV with balanced quotes/],
  ["a quote inside a cell", "x.csv", 'a,b\n1,2\n3,4"5"\n', /x\.csv:3: expected CSV with balanced quotes/],
  ["a column named twice", "x.tsv", "a\ta\n1\t2\n", /x\.tsv:1: expected each column named once/],
  ["no header", "x.csv", "", /x\.csv: expected a header row/],
  [
    "NaN in JSON",
    "x.jsonl",
    '{"label": 1}\n{"label": NaN}\n',
    /x\.jsonl:2: expected one JSON value.*got NaN, which JSON does not have/,
  ],
  ["a line cut off", "x.jsonl", '{"a":1}\n{"a":', /x\.jsonl:2: expected one JSON value/],
  ["a row that is a list", "x.jsonl", "[1]\n", /x\.jsonl:1: expected an object with named fields, got a list/],
  ["a row that is null", "x.json", '[{"a":1}, null]', /x\.json:2: expected an object with named fields, got null/],
  ["nesting without end", "x.json", "[".repeat(200_000), /x\.json: expected a JSON list of rows/],
  ["nested rows without end", "x.jsonl", `${"[".repeat(200_000)}${"]".repeat(200_000)}\n`, /got a list/],
  ["JSON Lines named .json", "x.json", '{"a":1}\n{"a":2}\n', /x\.json: expected a JSON list.*\.jsonl/s],
  ["a line of more than 64 MiB", "x.jsonl", long, /x\.jsonl:2: expected at most 67108864 bytes in a row/],
  [
    "a Parquet file cut off",
    "x.parquet",
    parquet.subarray(0, 3000),
    /x\.parquet: its footer: expected a whole Parquet/,
  ],
  ["a wrong footer", "x.parquet", wrong(parquet, -20), /x\.parquet: (its footer|rows 1 to 3)/],
  ["a wrong length of the footer", "x.parquet", wrong(parquet, -6), /its footer.*metadata length/],
  ["no Parquet at all", "x.parquet", "text,label\n", /its footer/],
  ["an empty Parquet file", "x.parquet", "", /its footer/],
  ["another ending", "x.xlsx", "", /x\.xlsx: expected a file that ends in/],
  ["packed Parquet", "x.parquet.gz", gzipSync(parquet), /expected a file that ends in .*or in \.parquet/],
];

/** A copy with one byte changed; a negative place counts from the end. */
function wrong(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = at < 0 ? copy.length + at : at;
  copy[place] = copy[place]! ^ 0xff;
  return copy;
}

test("quotes of a .tsv are characters where as quotes they take in rows, or stand where none may, and none is lost without them", async () => {
  const plain = (content: string, name = "q.tsv") => hasPlainQuotes(file(name, `a\tb\n${content}`));
  expect(await plain('"x\t1\ny\t2\nz"\t3\n')).toBe(true);
  expect(await plain('5" box\t1\n')).toBe(true);
  expect(await plain('"open\t1\n')).toBe(true);
  expect(await plain('"x"\t1\n"two\nlines"\t2\n')).toBe(false);
  expect(await plain('"two\nlines\tand a tab"\t1\n')).toBe(false);
  expect(await plain('"x\t1\ny\t2\nz"\t3\n', "q.csv")).toBe(false);
});

describe("a bad file is said with its place", () => {
  test.each(BAD)("%s", async (_, name, content, says) =>
    expect((await complaints(file(name, content)))[0]).toMatch(says),
  );

  test("and so are a missing file and a folder", async () => {
    expect(await complaints(join(folder, "none.jsonl"))).toEqual([expect.stringContaining("none.jsonl")]);
    expect(await complaints(join(folder, "none.parquet"))).toEqual([expect.stringContaining("no such file")]);
    const inside = mkdtempSync(join(folder, "d"));
    rmSync(`${inside}.csv`, { force: true });
    expect(await complaints(folder)).toEqual([expect.stringContaining("ends in")]);
  });

  test("one bad row does not hide the rows after it", async () => {
    const rows = await rowsIn(file("x.jsonl", long));
    expect(rows.map((row) => ("error" in row ? "bad" : row.fields.a))).toEqual([1, "bad", 3]);
    const ragged = await rowsIn(file("r.csv", "a,b\n1,2\n1\n3,4\n"));
    expect(ragged.map((row) => ("error" in row ? row.error.message.includes("r.csv:3") : row.fields.a))).toEqual([
      "1",
      true,
      "3",
    ]);
  });

  test("every bad row is an error of the data", async () => {
    for (const row of await rowsIn(file("e.jsonl", "1\n[\n")))
      expect("error" in row && row.error).toBeInstanceOf(DataError);
  });
});
