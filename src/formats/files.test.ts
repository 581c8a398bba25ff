import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { DataError, WorkerError } from "../base/errors.ts";
import { appendBehind, readText, sha256OfFile, writeAll, writeWhole, writeWholeWith } from "./files.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "mixtune-files-"));

describe("readText", () => {
  test("reads UTF-8, drops a byte order mark and unpacks .gz", () => {
    const dir = folder();
    writeFileSync(join(dir, "a.txt"), "\ufeffcafé\n");
    writeFileSync(join(dir, "b.txt.gz"), gzipSync("café\n"));
    expect(readText(join(dir, "a.txt"))).toBe("café\n");
    expect(readText(join(dir, "b.txt.gz"))).toBe("café\n");
  });

  test("reads latin1 when told, and refuses it as UTF-8", () => {
    const path = join(folder(), "l.txt");
    writeFileSync(path, Buffer.from([0x63, 0xe9]));
    expect(readText(path, "latin1")).toBe("cé");
    expect(() => readText(path)).toThrow(/expected UTF-8 text/);
  });

  test("names a missing file, a folder and a broken gzip with a remedy", () => {
    const dir = folder();
    expect(() => readText(join(dir, "none.txt"))).toThrow(
      /none\.txt: expected a readable file, got no such file\.\n {2}Check the path/,
    );
    expect(() => readText(dir)).toThrow(/got a folder/);
    writeFileSync(join(dir, "x.gz"), gzipSync("hello hello hello").subarray(0, 20));
    expect(() => readText(join(dir, "x.gz"))).toThrow(DataError);
  });
});

describe("writeWhole", () => {
  test("replaces the content and leaves only the file", () => {
    const dir = folder();
    writeWhole(join(dir, "a"), "one");
    writeWhole(join(dir, "a"), new Uint8Array([1, 2]));
    expect([...readFileSync(join(dir, "a"))]).toEqual([1, 2]);
    expect(readdirSync(dir)).toEqual(["a"]);
  });

  test("a second writer of the same file, in the middle of the first, harms neither", () => {
    const path = join(folder(), "a");
    writeWholeWith(path, (fd) => {
      writeWhole(path, "second");
      writeAll(fd, Buffer.from("first"));
    });
    expect(readText(path)).toBe("first");
  });

  test("a disk that fills up while writing leaves the old file and no temp file", () => {
    const dir = folder();
    const path = join(dir, "a");
    writeWhole(path, "old");
    const full = openSync("/dev/full", "w");
    expect(() =>
      writeWholeWith(path, (fd) => {
        writeSync(fd, "half of the new");
        writeSync(full, "the device refuses with ENOSPC");
      }),
    ).toThrow(WorkerError);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(dir)).toEqual(["a"]);
  });

  test("a missing folder and a file in a folder's place are said so", () => {
    const dir = folder();
    expect(() => writeWhole(join(dir, "no", "a"), "x")).toThrow(/no such folder/);
    writeFileSync(join(dir, "f"), "");
    expect(() => writeWhole(join(dir, "f", "a"), "x")).toThrow(/a file where the folder should be/);
  });

  test("a folder in the file's place is not replaced", () => {
    const dir = folder();
    mkdirSync(join(dir, "sub", "inner"), { recursive: true });
    expect(() => writeWhole(join(dir, "sub"), "x")).toThrow(WorkerError);
    expect(readdirSync(dir)).toEqual(["sub"]);
  });
});

test("what a killed writer left behind a size is cut off before more is appended", () => {
  const path = join(folder(), "log");
  appendBehind(path, 0, Buffer.from("one\n"));
  writeFileSync(path, "one\ntw");
  appendBehind(path, 4, Buffer.from("two\n"));
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(() => appendBehind(join(path, "x"), 0, Buffer.from("1"))).toThrow(/a file where the folder should be/);
});

test("the digest of a file is the digest of its bytes, whatever its size", () => {
  const path = join(folder(), "big");
  const bytes = new Uint8Array(9_000_001).map((_, i) => i * 31);
  writeFileSync(path, bytes);
  expect(sha256OfFile(path)).toBe(sha256(bytes));
});
