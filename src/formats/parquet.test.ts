import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseJson } from "../base/json-text.ts";
import { readParquet } from "./parquet.ts";
import { UnreadableValue } from "./row.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/formats/parquet");
const { files, rows } = parseJson(readFileSync(join(GOLDEN, "expected.json"), "utf8")) as {
  files: string[];
  rows: Record<string, unknown>[];
};

const folder = mkdtempSync(join(tmpdir(), "mixtune-parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("readParquet", () => {
  test.each(files)("gives the rows that pyarrow wrote: %s", async (file) => {
    const read = await readParquet(join(GOLDEN, file));
    expect(read.map(({ value }) => value)).toEqual(rows);
    expect(read.map(({ row }) => row)).toEqual(rows.map((_, i) => i + 1));
  });

  test("reads the columns asked for, as far as they are there", async () => {
    const path = join(GOLDEN, "snappy.parquet");
    const read = await readParquet(path, { columns: ["label", "turns", "lable"] });
    expect(read.map(({ value }) => value)).toEqual(rows.map(({ label, turns }) => ({ label, turns })));
  });

  test("gives no rows of a file without any", async () => {
    expect(await readParquet(join(GOLDEN, "empty.parquet"))).toEqual([]);
  });

  // The regression: one column of bytes that no task used made the whole file unreadable.
  test("leaves bytes that are not UTF-8 as they are instead of changing letters", async () => {
    const rows = await readParquet(join(GOLDEN, "not-utf8.parquet"));
    expect(rows.map(({ value }) => value.text)).toEqual(
      ["fine", "\xff\xfe bad"].map((text) => Uint8Array.from(Buffer.from(text, "latin1"))),
    );
  });

  test("gives classes the names that the footer has for them", async () => {
    const rows = await readParquet(join(GOLDEN, "classes.parquet"));
    expect(rows.map(({ value }) => value.label)).toEqual(["pos", "neg", null, -1]);
  });

  test("hands on what is wrong with a column to whoever uses it, and refuses it where it is asked for", async () => {
    const path = join(GOLDEN, "bad-text.parquet");
    const unreadable = new UnreadableValue("bytes that are not UTF-8 in a column of text");
    expect((await readParquet(path)).map(({ value }) => value)).toEqual([
      { text: "fine", note: unreadable },
      { text: "too", note: unreadable },
    ]);
    expect((await readParquet(path, { columns: ["text"] })).map(({ value }) => value)).toEqual([
      { text: "fine" },
      { text: "too" },
    ]);
    await expect(readParquet(path, { columns: ["note"] })).rejects.toThrow(
      /bad-text\.parquet: rows 1 to 2 of column note: .*not UTF-8/,
    );
  });

  test("refuses runs and pages that say they hold more than there is, before anything is made for them", async () => {
    const bytes = readFileSync(join(GOLDEN, "one-run.parquet"));
    const length = Buffer.from([0xc0, 0xb8, 0x02]); // 2 * 20,000: a run's header, and a page's number of values
    const messages: string[] = [];
    for (let at = bytes.indexOf(length); at >= 0; at = bytes.indexOf(length, at + 1)) {
      const lie = Buffer.from(bytes);
      lie.set([0xfe, 0xff, 0x7f], at);
      const path = join(folder, "lie.parquet");
      writeFileSync(path, lie);
      const message = await readParquet(path).then(
        () => "read",
        (error: Error) => error.message,
      );
      messages.push(message);
    }
    expect(messages.filter((message) => /a run of 1048575 values where 20000 are left/.test(message))).not.toEqual([]);
    const refused = messages.filter((message) => /lie\.parquet: (its footer|rows 1 to)/.test(message));
    // The size of the row group, which nothing depends on, may be anything.
    expect([messages.length - refused.length, messages.filter((message) => message === "read").length]).toEqual([1, 1]);
  });
});
