import { describe, expect, test } from "vitest";
import { type ZipEntry, zipOf } from "../../test/support/zip.ts";
import { DataError } from "../base/errors.ts";
import { unzip, ZIP_LIMITS } from "./zip.ts";

const files = (entries: readonly ZipEntry[]) =>
  [...unzip(zipOf(entries), "a.zip")].map(([name, content]) => [name, content.toString()]);

function refused(archive: Buffer, limits = ZIP_LIMITS): string {
  try {
    unzip(archive, "a.zip", limits);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  throw new Error("not refused");
}

test("gives files by name in the archive's order, deflated and stored, without folders", () => {
  expect(
    files([
      { name: "b.csv", content: "1,2" },
      { name: "dir/", content: "" },
      { name: "dir/é.txt", content: "stored", method: 0 },
      { name: "empty", content: "" },
    ]),
  ).toEqual([
    ["b.csv", "1,2"],
    ["dir/é.txt", "stored"],
    ["empty", ""],
  ]);
  expect(files([])).toEqual([]);
});

test("finds the directory before a comment", () => {
  const archive = Buffer.concat([zipOf([{ name: "a", content: "x" }]), Buffer.from("hello")]);
  archive.writeUInt16LE(5, archive.length - 5 - 2);
  expect([...unzip(archive, "a.zip").keys()]).toEqual(["a"]);
});

describe("refuses", () => {
  test.each(["../up.csv", "a/../../b", "/etc/passwd", "C:\\x", "\\x", "a\\..\\b", "nul\0", ""])(
    "the name %j",
    (name) => {
      expect(refused(zipOf([{ name, content: "x" }]))).toMatch(/leads out of it/);
    },
  );

  test.each<[string, ZipEntry, RegExp]>([
    ["a link", { name: "a", content: "/etc", mode: 0o120777 }, /got a link/],
    ["an encrypted entry", { name: "a", content: "x", flags: 1 }, /password/],
    ["another checksum", { name: "a", content: "x", crc: 1 }, /checksum/],
    ["a size that is too small", { name: "a", content: "xyz", size: 2 }, /a: expected a whole zip archive/],
    ["a size that is too large", { name: "a", content: "xyz", size: 4 }, /3 bytes where the directory says 4/],
    ["a method it does not know", { name: "a", content: "x", method: 12 }, /method 12/],
  ])("%s", (_, entry, message) => expect(refused(zipOf([entry]))).toMatch(message));

  test("a name that comes twice", () => {
    const twice = { name: "a", content: "x" };
    expect(refused(zipOf([twice, twice]))).toMatch(/comes twice/);
  });

  test("a bomb, before it is unpacked", () => {
    const bomb = zipOf([{ name: "zeros", content: Buffer.alloc(50e6) }]);
    expect(bomb.length).toBeLessThan(60_000);
    expect(refused(bomb)).toMatch(/zeros: expected at most 200 bytes unpacked for one packed, got \d{3,}/);
  });

  test("more than the limits", () => {
    const three = zipOf(["a", "b", "c"].map((name) => ({ name, content: "12345" })));
    expect(refused(three, { ...ZIP_LIMITS, entries: 2 })).toMatch(/at most 2 entries, got 3/);
    expect(refused(three, { ...ZIP_LIMITS, entryBytes: 4 })).toMatch(/a: expected at most 4 bytes/);
    expect(refused(three, { ...ZIP_LIMITS, totalBytes: 10 })).toMatch(
      /c: expected at most 10 bytes unpacked in the whole/,
    );
  });

  test("an archive cut at any byte, and bytes that are none", () => {
    const whole = zipOf([{ name: "a.txt", content: "some text" }]);
    for (let cut = 0; cut < whole.length; cut++) expect(refused(whole.subarray(0, cut))).toMatch(/a whole zip archive/);
    expect(refused(Buffer.from("PK\x03\x04 no archive at all, only its first bytes"))).toMatch(/no end/);
  });
});
