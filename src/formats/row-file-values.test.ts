/** @file Values of files written by pyarrow and pandas have the text that Python gives them, in every format. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readAllRows } from "./row-file.ts";
import { readZip } from "./zip.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-values-"));
afterAll(() => rmSync(folder, { recursive: true }));

const files = readZip(join(import.meta.dirname, "../../test/golden/formats/tables/tables.zip"));
const expected = JSON.parse(files.get("expected.json")!.toString()) as Record<
  string,
  { columns: string[]; rows: (string | { hex: string } | null)[][] }
>;

/** A value as the golden has it. */
function shown(value: unknown): string | { hex: string } | null {
  if (value === null || value === undefined) return null;
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : String(value);
}

describe.each(["jsonl", "csv", "tsv", "parquet"])("500 tables as .%s", (ending) => {
  const names = Object.keys(expected).filter((name) => name.endsWith(`.${ending}`));

  test("are there", () => expect(names).toHaveLength(500));

  test("have the same text in every cell", async () => {
    for (const name of names) {
      const path = join(folder, name);
      writeFileSync(path, files.get(name)!);
      const { columns, rows } = expected[name]!;
      const read = await readAllRows(path);
      const cells = read.map(({ fields }) => columns.map((column) => shown(fields[column])));
      expect({ name, columns, cells }).toEqual({ name, columns, cells: rows });
    }
  });
});
