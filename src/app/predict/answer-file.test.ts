import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseJson } from "../../base/json-text.ts";
import { parseCsv } from "../../formats/csv.ts";
import { parseJsonl } from "../../formats/jsonl.ts";
import { readParquet } from "../../formats/parquet.ts";
import { readAllRows } from "../../formats/row-file.ts";
import { type AnsweredRows, openAnswerFile } from "./answer-file.ts";
import { addedColumns, type Predicted } from "./predicted.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-answer-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const added = addedColumns({ kind: "spans", field: "" }, "");
const rows = [
  { text: "=1+1", n: 3, note: null },
  { text: 'two\nlines, "quoted"\t', n: -2.5, list: [1, { a: "ü" }] },
  { text: "", n: 0.1 },
  { text: "😀", n: 7, note: "-5%" },
];
const answers: Predicted[] = [
  { answer: "person: Ada", probability: 0.5, parsed: [{ type: "person", text: "Ada" }], finish_reason: "stop" },
  { answer: '@SUM(1) "\n', probability: 0.25, parsed: null, finish_reason: "length" },
  { answer: "none", probability: 1, parsed: [], finish_reason: "stop" },
  { answer: "€", probability: 1e-7, parsed: null, finish_reason: "stop" },
];
const ENDINGS = ["jsonl", "csv", "tsv", "parquet"] as const;
const content: AnsweredRows = { rows, added };

/** Writes what is missing, so many rows at a time, as a call does. */
async function write(path: string, all: AnsweredRows = content, step = 1, until = all.rows.length): Promise<number> {
  const file = await openAnswerFile(path, all);
  for (let from = file.numDone; from < until; from += step) file.add(answers.slice(from, Math.min(from + step, until)));
  if (until === all.rows.length) file.finish();
  return file.numDone;
}

describe("the rows and their answers are in", () => {
  const named = rows.map((row, i) => ({ ...row, ...answers[i] }));

  test(".jsonl as they are", async () => {
    await write(join(folder, "o.jsonl"));
    expect(parseJsonl(readFileSync(join(folder, "o.jsonl"), "utf8"), "o").map(({ value }) => value)).toEqual(named);
  });

  test.each([
    ["csv", ","],
    ["tsv", "\t"],
  ])(".%s with every column of any row, objects as JSON, and no formula", async (ending, delimiter) => {
    await write(join(folder, `o.${ending}`));
    const read = parseCsv(readFileSync(join(folder, `o.${ending}`), "utf8"), "o", { delimiter }).map(({ row }) => row);
    expect(Object.keys(read[0]!)).toEqual(["text", "n", "note", "list", ...added.map(({ name }) => name)]);
    expect(read[0]).toEqual({
      text: "'=1+1",
      n: "3",
      note: "",
      list: "",
      answer: "person: Ada",
      probability: "0.5",
      parsed: '[{"type":"person","text":"Ada"}]',
      finish_reason: "stop",
    });
    expect(read[1]).toMatchObject({
      text: rows[1]!.text,
      n: "-2.5",
      list: '[1,{"a":"ü"}]',
      answer: `'@SUM(1) "\n`,
      parsed: "",
    });
    expect(read[3]).toMatchObject({ note: "-5%" });
  });

  test(".parquet, with null for what a row does not have, and nothing beside it", async () => {
    await write(join(folder, "o.parquet"));
    const read = (await readParquet(join(folder, "o.parquet"), { asNumbers: true })).map(({ value }) => value);
    expect(read).toEqual(named.map((row) => ({ note: null, list: null, ...row })));
    expect(readdirSync(folder)).toEqual(["o.parquet"]);
  });
});

test("numbers are in every format as the input writes them", async () => {
  const numbers = ["1790000000000000001", "9007199254740993", "1.0", "5.10", "1e5", "-0", "0.30000000000000004"];
  const list = numbers
    .slice(0, 2)
    .map(
      (id) => parseJson(`{"id": ${id}, "any": [${numbers.join()}], "price": 5.10, "score": 1.0, "odd": 1e5}`) as object,
    );
  const some = { rows: list as AnsweredRows["rows"], added };
  const texts = async (ending: string) => {
    const path = join(folder, `numbers.${ending}`);
    const file = await openAnswerFile(path, some);
    file.add(answers.slice(0, 2));
    file.finish();
    expect((await openAnswerFile(path, some)).numDone).toBe(2);
    const read = (await readAllRows(path)).map(({ fields }) => fields);
    return read.map(({ id, any, price, score, odd }) =>
      [id, typeof any === "string" ? parseJson(any) : any, price, score, odd].map(String),
    );
  };
  const expected = numbers.slice(0, 2).map((id) => [id, numbers.join(), "5.10", "1.0", "1e5"]);
  for (const ending of ENDINGS) expect([ending, await texts(ending)]).toEqual([ending, expected]);
});

describe.each(ENDINGS)("a call with .%s that was killed", (ending) => {
  test("at any byte goes on behind the last whole row, to the same file", async () => {
    const whole = join(folder, `whole.${ending}`);
    await write(whole);
    const growing = (path: string) => (ending === "parquet" ? `${path}.partial.jsonl` : path);
    await write(join(folder, `part.${ending}`), content, 1, 3);
    const bytes = readFileSync(growing(join(folder, `part.${ending}`)));
    const path = join(folder, `again.${ending}`);
    let most = 0;
    for (let size = 0; size <= bytes.length; size++) {
      rmSync(path, { force: true });
      writeFileSync(growing(path), bytes.subarray(0, size));
      const numDone = await write(path, content, 2);
      expect(numDone).toBeGreaterThanOrEqual(most);
      most = numDone;
      expect(readFileSync(path).equals(readFileSync(whole))).toBe(true);
    }
    expect(most).toBe(3);
  });

  test("after its last row, or again, leaves the file as it is", async () => {
    const path = join(folder, `o.${ending}`);
    await write(path);
    const before = readFileSync(path);
    expect(await write(path)).toBe(rows.length);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

test("a Parquet file that was written but not yet tidied up is tidied up", async () => {
  const path = join(folder, "o.parquet");
  await write(path);
  const before = readFileSync(path);
  const file = await openAnswerFile(join(folder, "p.parquet"), content);
  file.add(answers);
  writeFileSync(`${path}.partial.jsonl`, readFileSync(join(folder, "p.parquet.partial.jsonl")));
  expect(await write(path)).toBe(rows.length);
  expect(existsSync(`${path}.partial.jsonl`)).toBe(false);
  expect(readFileSync(path).equals(before)).toBe(true);
});

describe.each(ENDINGS)(
  "an output in .%s that is not the beginning of this one is refused, and not touched:",
  (ending) => {
    const changed = (i: number, fields: object) => rows.map((row, k) => (k === i ? { ...row, ...fields } : row));

    test.each([
      ["another row", { rows: changed(1, { n: 2.5 }), added }, /another row 2/],
      ["more rows", { rows: rows.slice(0, 3), added }, /more than 3 rows|4 rows|header|columns/],
      [
        "other columns",
        { rows, added: addedColumns({ kind: "spans", field: "" }, "m_") },
        /another row 1|header|columns/,
      ],
    ])("%s", async (_, other, message) => {
      const path = join(folder, `o.${ending}`);
      await write(path);
      const before = readFileSync(path);
      await expect(openAnswerFile(path, other)).rejects.toThrow(message);
      expect(readFileSync(path).equals(before)).toBe(true);
    });

    test("a foreign file without a line break", async () => {
      const path = join(folder, `o.${ending}`);
      writeFileSync(path, '{"text": 1}');
      await expect(openAnswerFile(path, content)).rejects.toThrow(/o\.\w+/);
      expect(readFileSync(path, "utf8")).toBe('{"text": 1}');
    });
  },
);

test("whatever the rows hold, a file of them is known again", async () => {
  const name = fc.oneof(fc.string({ unit: "grapheme", maxLength: 4 }), fc.constantFrom("constructor", "7"));
  const row = fc.dictionary(name, fc.jsonValue(), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 4, maxLength: 4 }),
      fc.constantFrom(...ENDINGS),
      async (list, ending) => {
        fc.pre(!JSON.stringify(list).includes("__proto__"));
        const path = join(folder, `any.${ending}`);
        for (const old of [path, `${path}.partial.jsonl`]) rmSync(old, { force: true });
        const any = { rows: list, added: addedColumns({ kind: "spans", field: "" }, "mixtune ") };
        await write(path, any);
        expect(await write(path, any)).toBe(4);
      },
    ),
    { numRuns: 200 },
  );
});

test("a field that a Parquet file would lose is refused before any work, and kept by the others", async () => {
  const rows = [{ a: 1 }, { a: JSON.parse('{"b": {"__proto__": 1}}') }];
  const odd = { rows, added: addedColumns({ kind: "spans", field: "" }, "m_") };
  await expect(openAnswerFile(join(folder, "odd.parquet"), odd)).rejects.toThrow(/row 2 of the input/);
  expect(await write(join(folder, "odd.jsonl"), odd)).toBe(0);
  expect(readFileSync(join(folder, "odd.jsonl"), "utf8")).toContain('"__proto__":1');
});

test("another ending is refused", () =>
  expect(openAnswerFile("answers.xlsx", content)).rejects.toThrow(
    /ends in \.jsonl, \.csv, \.tsv or \.parquet, got answers\.xlsx/,
  ));
