import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openStorage, storageUri } from "./storage.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-storage-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a folder as storage", () => {
  const storage = openStorage(storageUri(join(folder, "here")), { python: "none", environment: {} });

  test("gives back what was put, and nothing for what was not", async () => {
    expect([await storage.read("a/b.json"), await storage.names("a")]).toEqual([undefined, []]);
    await storage.write("a/b.json", "one");
    await storage.write("a/b.json", "two");
    writeFileSync(join(folder, "file"), Buffer.from([0, 255]));
    await storage.put(join(folder, "file"), "a/c/d");
    await storage.get("a/c/d", join(folder, "there", "again"));
    expect((await storage.read("a/b.json"))?.toString()).toBe("two");
    expect(readFileSync(join(folder, "there", "again"))).toEqual(Buffer.from([0, 255]));
    expect(await storage.names("a")).toEqual(["b.json", "c"]);
    await storage.remove("a");
    await storage.remove("a");
    expect(await storage.names("")).toEqual([]);
  });

  test("shows no half-written file, and leaves none where writing failed", async () => {
    mkdirSync(join(folder, "here", "x", "taken"), { recursive: true });
    await expect(storage.write("x/taken", "text")).rejects.toThrow(
      /expected room and permission to write it, got EISDIR/,
    );
    expect(readdirSync(join(folder, "here", "x"))).toEqual(["taken"]);
    writeFileSync(join(folder, "here", "x", ".y.tmp"), "half");
    expect(await storage.names("x")).toEqual(["taken"]);
  });
});

describe("the URI of storage", () => {
  test("is a folder's, or any that fsspec may open", () => {
    expect(storageUri("/shared/x/")).toBe("file:///shared/x");
    expect(storageUri("x")).toBe(`file://${process.cwd()}/x`);
    expect(storageUri("s3://bucket/a/b/")).toBe("s3://bucket/a/b");
  });

  test.each(["/a b", "/a'b", "s3://bucket/$(id)", "s3://bucket/a;b", "s3://bucket/a`b`", "s3://"])(
    "of letters that need quoting is refused: %s",
    (text) => {
      expect(() => storageUri(text)).toThrow(/^options\.storage: expected a folder/);
    },
  );

  test("with a password is refused, and the password not repeated", () => {
    expect(() => storageUri("s3://key:secret@bucket/a")).toThrow(/got one with a name or password in it\./);
    expect(() => storageUri("s3://key:secret@bucket/a")).not.toThrow(/secret/);
  });
});
