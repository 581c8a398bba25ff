/** @file Readers against arbitrary bytes and against damaged copies of good files: whatever comes, rows or an error for people. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { zipOf } from "../../test/support/zip.ts";
import { DataError, MixtuneError } from "../base/errors.ts";
import { readText } from "./files.ts";
import { readParquet } from "./parquet.ts";
import { readRows } from "./row-file.ts";
import { parseXml } from "./xml.ts";
import { readZip } from "./zip.ts";

const PARQUET = join(import.meta.dirname, "../../test/golden/formats/parquet");
const folder = mkdtempSync(join(tmpdir(), "mixtune-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function rowsOf(path: string): Promise<void> {
  for await (const rows of readRows(path)) {
    for (const row of rows) if ("error" in row) expect(row.error).toBeInstanceOf(DataError);
  }
}

const JSONL = Buffer.from(
  '{"text": "a “quoted” word", "n": [1, 2.5e3, null], "o": {"x": true}}\n\n{"text": "é\\u00e9"}\r\n',
);
const CSV = Buffer.from('\ufefftext,label\r\n"a ""b"", c\nd",1\r\n\r\ne,2\n');
const READERS: Record<string, { file: string; seeds: Buffer[]; read(path: string): Promise<unknown> | unknown }> = {
  "JSON Lines": { file: "f.jsonl", seeds: [JSONL], read: rowsOf },
  "JSON Lines, packed": { file: "f.jsonl.gz", seeds: [gzipSync(JSONL)], read: rowsOf },
  JSON: { file: "f.json", seeds: [Buffer.from('[{"a": [1, {"b": "c"}]}, {"a": null}]')], read: rowsOf },
  CSV: { file: "f.csv", seeds: [CSV], read: rowsOf },
  "CSV, packed": { file: "f.csv.gz", seeds: [gzipSync(CSV)], read: rowsOf },
  TSV: { file: "f.tsv", seeds: [Buffer.from("text\tlabel\na b\t1\n")], read: rowsOf },
  Parquet: {
    file: "f.parquet",
    seeds: readdirSync(PARQUET)
      .filter((name) => name.endsWith(".parquet"))
      .map((name) => readFileSync(join(PARQUET, name))),
    read: (path) => readParquet(path),
  },
  zip: {
    file: "f.zip",
    seeds: [
      zipOf([
        { name: "a.txt", content: "some text ".repeat(20) },
        { name: "d/b", content: "stored", method: 0 },
      ]),
    ],
    read: (path) => readZip(path),
  },
  XML: {
    file: "f.xml",
    seeds: [Buffer.from('<?xml version="1.0"?><a x="1&lt;"><!-- c --><b>t &amp; u<![CDATA[ <v> ]]></b>&#65;</a>')],
    read: (path) => parseXml(readText(path), path),
  },
};

/** Bytes changed, cut out, put in, repeated, and the end cut off. */
const damage = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(6), put: fc.uint8Array({ maxLength: 6 }) }),
  { minLength: 1, maxLength: 6 },
);

function damaged(seed: Buffer, changes: readonly { at: number; cut: number; put: Uint8Array }[], end: number): Buffer {
  let bytes = seed;
  for (const { at, cut, put } of changes) {
    const from = Math.floor(at * bytes.length);
    bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]);
  }
  return end < 0.2 ? bytes.subarray(0, Math.floor(end * 5 * bytes.length)) : bytes;
}

/** As above, but keeping the length: formats with offsets break deeper inside. */
function overwritten(seed: Buffer, changes: readonly { at: number; put: Uint8Array }[]): Buffer {
  const bytes = Buffer.from(seed);
  for (const { at, put } of changes)
    bytes.set(put.subarray(0, bytes.length), Math.floor(at * Math.max(0, bytes.length - put.length)));
  return bytes;
}

describe.each(Object.entries(READERS))("%s", (_, { file, seeds, read }) => {
  const path = join(folder, file);
  const survives = async (bytes: Uint8Array): Promise<void> => {
    writeFileSync(path, bytes);
    try {
      await read(path);
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
    }
  };

  test("reads its seeds", async () => {
    for (const seed of seeds) {
      writeFileSync(path, seed);
      // One of Parquet's is bad by purpose.
      if (!seed.includes(Buffer.from([0xff, 0xfe, 0x20, 0x62]))) await read(path);
    }
  });

  test("arbitrary bytes", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), survives), { numRuns: 200 });
  });

  test("damaged files", async () => {
    const file = fc.constantFrom(...seeds);
    await fc.assert(
      fc.asyncProperty(file, damage, fc.double({ min: 0, max: 1, noNaN: true }), (seed, changes, end) =>
        survives(damaged(seed, changes, end)),
      ),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(file, damage, (seed, changes) => survives(overwritten(seed, changes))),
      { numRuns: 500 },
    );
  });
});
