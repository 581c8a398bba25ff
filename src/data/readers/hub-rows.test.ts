import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import type { HubSource } from "./definition.ts";
import { readHubRecords } from "./hub-rows.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-hub-rows-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE: HubSource<string> = {
  id: "org/rows",
  splits: { train: "train", test: "validation" },
  columns: ["text"],
  seenIn: "org/code load.py",
  records: ({ text }, place) =>
    String(text)
      .split("|")
      .map((part) => `${part}@${place}`),
};

function read(files: Record<string, string>, source = SOURCE, notes: string[] = []) {
  const paths = Object.entries(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return [name.split("-")[0]!, join(folder, name)] as const;
  });
  const splits = { train: paths.filter(([split]) => split === "train").map(([, path]) => path) };
  const validation = paths.filter(([split]) => split === "validation").map(([, path]) => path);
  return readHubRecords(
    source,
    { repo: "org/rows", revision: "c", splits: { ...splits, validation } },
    { variant: "", notes },
  );
}

test("rows are numbered through the files of a split, and the records of a row by a point", async () => {
  const records = await read({
    "train-0.csv": "text\na\nb|c\n",
    "train-1.jsonl": '{"text": "d"}\n',
    "validation-0.tsv": "text\tmore\ne\tf\n",
  });
  expect(records).toEqual({
    train: [
      { number: 1, record: "a@org/rows train#1" },
      { number: "2.1", record: "b@org/rows train#2" },
      { number: "2.2", record: "c@org/rows train#2" },
      { number: 3, record: "d@org/rows train#3" },
    ],
    test: [{ number: 1, record: "e@org/rows validation#1" }],
  });
});

test("a column that is not there is named, with those there are", async () => {
  const failure = read({ "train-0.csv": "sentence,label\na,1\n" });
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow(/org\/rows train: expected the columns text, got sentence, label/);
});

test("a row that cannot be read stops the load", async () => {
  await expect(read({ "train-0.jsonl": '{"text": "a"}\nnonsense\n' })).rejects.toThrow(/train-0\.jsonl:2/);
});

test("a column is found under each of its names, in any case, file by file", async () => {
  const source: HubSource<string> = { ...SOURCE, columns: [["text", "sentence"]] };
  const records = await read(
    { "train-0.csv": "Text\na\n", "train-1.csv": "more,sentence\nx,b\n", "validation-0.csv": "TEXT,text\nx,c\n" },
    source,
  );
  expect(records.train?.map(({ record }) => record)).toEqual(["a@org/rows train#1", "b@org/rows train#2"]);
  expect(records.test?.map(({ record }) => record)).toEqual(["c@org/rows validation#1"]);
  await expect(read({ "train-0.csv": "words\na\n" }, source)).rejects.toThrow(
    /expected the columns text or sentence, got words/,
  );
});

test("rows of a repetitive source that are one record are kept once where they stand together, and counted", async () => {
  const notes: string[] = [];
  const files = { "train-0.csv": "text\na\na\nb\na\n", "validation-0.csv": "text\nc\n" };
  const source: HubSource<string> = { ...SOURCE, isRepetitive: true, records: ({ text }) => [String(text)] };
  const { train } = await read(files, source, notes);
  expect(train?.map(({ number, record }) => [number, record])).toEqual([
    [1, "a"],
    [3, "b"],
    [4, "a"],
  ]);
  expect(notes).toEqual(["org/rows train: 4 rows ask 3 things in several wordings; each is kept once."]);
  expect((await read(files, { ...source, isRepetitive: false })).train).toHaveLength(4);
});

test("what is to be said of a copy of the data is said", async () => {
  const notes: string[] = [];
  await read({ "train-0.csv": "text\na\n" }, { ...SOURCE, caveat: "its labels are guesses." }, notes);
  expect(notes).toEqual(["org/rows: its labels are guesses."]);
});
