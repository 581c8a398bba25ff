/** @file What a task makes of a row is what the file says: numbers of any length, 1.0, decimals, dates, names of classes, quotes in .tsv. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { expectConformingTask } from "../../../test/conformance/task.ts";
import { readRows } from "../../formats/row-file.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { loadTask } from "../load-task.ts";
import type { LoadedTask } from "../types.ts";
import { addRow, noFacts } from "./file-facts.ts";
import { proposeTask } from "./propose.ts";

const PARQUET = join(import.meta.dirname, "../../../test/golden/formats/parquet");
const folder = mkdtempSync(join(tmpdir(), "mixtune-file-values-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const many = (row: (i: number) => string) => `${Array.from({ length: 40 }, (_, i) => row(i)).join("\n")}\n`;
const load = (train: string, more: Partial<TaskSpec>) => loadTask({ name: "own", data: { train }, ...more }, {});
const examples = ({ splits }: LoadedTask) => Object.values(splits).flat();
const label = (labels: string[]) => ({ kind: "label" as const, field: "y", labels });

describe("whole numbers of more digits than a double holds", () => {
  const id = (i: number) => `${1790000000000000000n + BigInt(i)}`;

  // The regression: 39 of these 40 rows were said to have an id that an earlier row has too.
  test("are ids of their own", async () => {
    const rows = many((i) => `{"id": ${id(i)}, "text": "Order ${i} came with a torn box", "y": "${i % 2}"}`);
    const task = await load(file("ids.jsonl", rows), { prompt: "{text}", answer: label(["0", "1"]) });
    expect(examples(task)).toHaveLength(40);
    const twice = `${rows}{"id": ${id(7)}, "text": "again", "y": "0"}\n`;
    await expect(load(file("twice.jsonl", twice), { prompt: "{text}", answer: label(["0", "1"]) })).rejects.toThrow(
      "twice.jsonl:41: expected a row that the task can use, got id 1790000000000000007, which an earlier row has too",
    );
  });

  test.each(["jsonl", "json", "csv"])("are groups, prompts, labels and numbers of their own in .%s", async (ending) => {
    const line = (i: number) => `{"no": ${id(i)}, "y": ${id(i % 2)}}`;
    const content = {
      jsonl: many(line),
      json: `[${Array.from({ length: 40 }, (_, i) => line(i)).join()}]`,
      csv: `no,y\n${many((i) => `${id(i)},${id(i % 2)}`)}`,
    }[ending as "jsonl"];
    const path = file(`groups.${ending}`, content);
    const task = await load(path, { prompt: "{no}", group: "no", answer: label([id(0), id(1)]) });
    expectConformingTask(task);
    expect(new Set(examples(task).map(({ group }) => group))).toEqual(
      new Set(Array.from({ length: 40 }, (_, i) => id(i))),
    );
    for (const { prompt, answer, group } of examples(task)) {
      expect(prompt).toBe(group);
      expect(answer).toBe(id(Number(prompt.slice(-2)) % 2));
    }
    const numbers = await load(path, { prompt: "{no}", answer: { kind: "number", field: "no" } });
    for (const { prompt, answer } of examples(numbers)) expect(answer).toBe(prompt);
  });
});

test("1.0 is a label that 1 is not, and is proposed so", async () => {
  const path = file(
    "floats.jsonl",
    many((i) => `{"text": "Rate this matter with number ${i} please", "y": ${(i % 2) + 1}.0}`),
  );
  const task = await load(path, { prompt: "{text}", answer: label(["1.0", "2.0"]) });
  expect(new Set(examples(task).map(({ answer }) => answer))).toEqual(new Set(["1.0", "2.0"]));
  await expect(load(path, { prompt: "{text}", answer: label(["3", "4"]) })).rejects.toThrow(
    /expected the labels of the files: 1\.0 \(20 rows\), 2\.0 \(20 rows\), got 3, 4, which never occur/,
  );
  const facts = noFacts();
  for await (const rows of readRows(path)) for (const row of rows) if ("fields" in row) addRow(facts, row.fields);
  expect(proposeTask(facts)).toMatchObject({ answer: { kind: "label", labels: ["1.0", "2.0"] } });
});

test("a class that the Parquet file names is its name, in the rows and in what is proposed", async () => {
  const facts = noFacts();
  const labels: unknown[] = [];
  for await (const rows of readRows(join(PARQUET, "classes.parquet"))) {
    for (const row of rows) if ("fields" in row) labels.push(row.fields.label);
    for (const row of rows)
      if ("fields" in row)
        for (let i = 0; i < 9; i++) addRow(facts, { ...row.fields, label: row.fields.label ?? "pos" });
  }
  expect(labels).toEqual(["pos", "neg", null, -1]);
  expect(proposeTask(facts)).toMatchObject({ answer: { field: "label", labels: ["-1", "neg", "pos"] } });
});

test("a column that cannot be read stops nobody who does not use it, and is named to who does", async () => {
  const train = join(PARQUET, "bad-text.parquet");
  const answer = { kind: "text", field: "text" } as const;
  await expect(load(train, { prompt: "{text}", answer, on_bad_row: "skip" })).rejects.toThrow(/groups to carve/);
  await expect(load(train, { prompt: "{note}", answer, on_bad_row: "skip" })).rejects.toThrow(/column note.*not UTF-8/);
});

describe("quotes in .tsv", () => {
  const swallowing = many((i) => (i === 3 ? `"Not mine\tshop` : i === 17 ? `a return"\tshop` : `parcel ${i}\tpost`));
  const train = file("rows.tsv", `text\ty\n${swallowing}`);
  const spec = { prompt: "{text}", answer: label(["post", "shop"]) };
  const said = /in 1 of 26 rows, first at line 5, a cell holds tabs and line breaks\. .*data\.quotes: false/;

  test("may swallow rows, which is said", async () => {
    const task = await load(train, spec);
    expect(examples(task)).toHaveLength(26);
    expect(task.notes.join()).toMatch(said);
  });

  test("are characters like any other where the task says so", async () => {
    const task = await loadTask({ name: "own", data: { train, quotes: false }, ...spec }, {});
    expect(examples(task)).toHaveLength(40);
    expect(task.notes.join()).not.toMatch(said);
    expect(examples(task).map(({ prompt }) => prompt)).toContain('"Not mine');
  });

  test("that are refused name the option", () =>
    expect(load(file("inch.tsv", 'text\ty\na 5" box\tpost\n'), spec)).rejects.toThrow(
      /inch\.tsv:2: .*\n.*data\.quotes: false/,
    ));
});

test("one letter of one or two characters is one letter in labels, groups and texts", async () => {
  const forms = ["NFC", "NFD"] as const;
  const rows = many((i) =>
    JSON.stringify({
      text: `Größe ${i % 20} à Zürich`.normalize(forms[i < 20 ? 0 : 1]),
      who: `Zoë ${i % 20}`.normalize(forms[i < 20 ? 1 : 0]),
      y: (i % 2 ? "oui" : "très").normalize(forms[i % 3 ? 0 : 1]),
    }),
  );
  const path = file("forms.jsonl", rows);
  const labels = ["oui", "très".normalize("NFD")];
  const byGroup = await load(path, { prompt: "{text}", group: "who", answer: label(labels) });
  const byText = await load(path, { prompt: "{text}", answer: label(labels) });
  for (const task of [byGroup, byText]) {
    expect(new Set(examples(task).map(({ group }) => group)).size).toBe(20);
    expect(new Set(examples(task).map(({ answer }) => answer))).toEqual(new Set(labels));
  }
  // Shown as it came.
  expect(examples(byText).some(({ prompt }) => prompt !== prompt.normalize("NFC"))).toBe(true);
});
