/** @file Bad files of a person's own, through the command: file and row are named, exit status 2, nothing is written, no stack. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

const PARQUET = readFileSync(fileURLToPath(new URL("../golden/formats/parquet/tickets.parquet", import.meta.url)));

let folder: string;
let remove: () => void;
beforeEach(() => ({ folder, remove } = temporaryFolder()));
afterEach(() => remove());

const study = (file: string, more = "") => `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: ${file}}
    prompt: "Which team?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
${more}design: [all]
train: {max_steps: 1, train_batch_size: 4}
`;

const rows = Array.from({ length: 40 }, (_, i) => ({
  id: i,
  text: `customer ${i} asks`,
  team: i % 2 ? "cards" : "loans",
}));
const good = rows.map((row) => JSON.stringify(row)).join("\n");
const jsonl = (row: string) => `${good}\n${row}\n`;
const csv = (row: string) => `text,team\n${rows.map(({ text, team }) => `${text},${team}`).join("\n")}\n${row}\n`;

const BAD: [what: string, file: string, content: string | Buffer, says: RegExp][] = [
  ["gzip cut off", "a.jsonl.gz", gzipSync(good).subarray(0, 100), /a\.jsonl\.gz: expected a whole gzip file/],
  ["bytes that are not UTF-8", "a.csv", Buffer.from(csv("caf\xe9,cards"), "latin1"), /a\.csv:42: expected UTF-8 text/],
  ["a ragged row", "a.csv", csv("x,y,cards"), /a\.csv:42: expected 2 cells, as the header has, got 3/],
  ["a quote never closed", "a.csv", csv('"x,cards'), /a\.csv:\d+: expected CSV with balanced quotes/],
  [
    "NaN as a label in JSON",
    "a.jsonl",
    jsonl('{"id": 50, "text": "x", "team": NaN}'),
    /a\.jsonl:41: .* got NaN, which JSON/,
  ],
  ["nan as a label in CSV", "a.csv", csv("x,nan"), /a\.csv:42: expected team to be one of the labels .*, got "nan"/],
  ["an empty label", "a.csv", csv("x,"), /a\.csv:42: .* got team is empty/],
  [
    "an id that comes twice",
    "a.jsonl",
    jsonl('{"id": 3, "text": "x", "team": "cards"}'),
    /a\.jsonl:41: .* got id 3, which/,
  ],
  [
    "nested JSON as text",
    "a.jsonl",
    jsonl('{"id": 50, "text": {"a": 1}, "team": "cards"}'),
    /a\.jsonl:41: .* text is a nested/,
  ],
  [
    "a line of 100 MB",
    "a.jsonl",
    jsonl(`{"id": 50, "text": "${"x".repeat(100e6)}"}`),
    /a\.jsonl:41: expected at most 67108864/,
  ],
  ["a line that is cut off", "a.jsonl", jsonl('{"id": 50, "te'), /a\.jsonl:41: expected one JSON value on the line/],
  [
    "Parquet with a wrong footer",
    "a.parquet",
    Buffer.concat([PARQUET.subarray(0, -4), Buffer.from("PAR2")]),
    /a\.parquet: its footer/,
  ],
  ["Parquet cut off", "a.parquet", PARQUET.subarray(0, 900), /a\.parquet: its footer/],
  ["Parquet with a damaged page", "a.parquet", Buffer.from(PARQUET).fill(0xff, 60, 90), /a\.parquet: rows 1 to 25/],
  ["an empty file", "a.jsonl", "", /a\.jsonl: expected at least one row/],
];

describe("refused by plan, with status 2", () => {
  test.each(BAD)("%s", async (_, file, content, says) => {
    writeFileSync(join(folder, file), content);
    writeFileSync(join(folder, "study.yaml"), study(file));
    const { status, stdout, stderr } = await mixtune(["plan", "study.yaml"], { cwd: folder });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^.+: expected .+, got .+\.\n {2}\S.+\n$/m);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder).sort()).toEqual([file, "study.yaml"]);
  });
});

describe("skipped where asked, counted and listed", () => {
  test.each(BAD.filter(([, , , says]) => /:4[12]: (?!expected UTF-8 text)/.test(says.source.replaceAll("\\", ""))))(
    "%s",
    async (_, file, content) => {
      writeFileSync(join(folder, file), content);
      writeFileSync(join(folder, "study.yaml"), study(file, "    on_bad_row: skip\n"));
      const { status, stderr } = await mixtune(["plan", "study.yaml"], { cwd: folder });
      expect(stderr).toMatch(/1 of 41 rows skipped: line 4[12] \(.+\)\./);
      expect(status).toBe(0);
    },
  );
});

test("init names the file and the row too", async () => {
  writeFileSync(join(folder, "a.csv"), csv("x,y,cards"));
  const { status, stderr } = await mixtune(["init", "--data", "a.csv"], { cwd: folder });
  expect([status, stderr]).toEqual([2, expect.stringContaining("a.csv:42: expected 2 cells")]);
  expect(readdirSync(folder)).toEqual(["a.csv"]);
});
