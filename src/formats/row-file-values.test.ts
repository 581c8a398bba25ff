/** @file Values of files written by pyarrow and pandas have the text that Python gives them, in every format. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isNested } from "../base/written-number.ts";
import { readAllRows } from "./row-file.ts";
import { readZip } from "./zip.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-values-"));
afterAll(() => rmSync(folder, { recursive: true }));

const files = readZip(join(import.meta.dirname, "../../test/golden/formats/tables/tables.zip"));
type Shown = string | null | { [key: string]: Shown } | Shown[];

const expected = JSON.parse(files.get("expected.json")!.toString()) as Record<
  string,
  { columns: string[]; rows: Shown[][] }
>;

/** A value as the golden has it. */
function shown(value: unknown): Shown {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(shown);
  if (!isNested(value)) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

async function expectSame(name: string): Promise<void> {
  const path = join(folder, name);
  writeFileSync(path, files.get(name)!);
  const { columns, rows } = expected[name]!;
  const read = await readAllRows(path);
  const cells = read.map(({ fields }) => columns.map((column) => shown(fields[column])));
  expect({ name, columns, cells }).toEqual({ name, columns, cells: rows });
}

describe.each(["jsonl", "csv", "tsv", "parquet"])("500 tables as .%s", (ending) => {
  const names = Object.keys(expected).filter((name) => /^\d/.test(name) && name.endsWith(`.${ending}`));

  test("are there", () => expect(names).toHaveLength(500));

  test("have the same text in every cell", async () => {
    for (const name of names) await expectSame(name);
  });
});

describe("every type of column, full, with gaps and empty, and nested, as Parquet with", () => {
  const codecs = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"];
  test.each(codecs.flatMap((codec) => [1, 2].map((version) => [codec, version])))(
    "%s, pages of version %d",
    (codec, version) => expectSame(`wide-${codec}-v${version}.parquet`),
  );
});
