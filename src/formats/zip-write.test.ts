import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unzip } from "./zip.ts";
import { writeZip } from "./zip-write.ts";

describe("a written zip", () => {
  test("holds what was put in, whatever it is", () => {
    const name = fc.stringMatching(/^[a-zé0-9_]{1,9}(\/[a-z.]{1,9}x)?$/);
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, fc.uint8Array()), { selector: ([one]) => one }), (pairs) => {
        const files = new Map(pairs);
        const read = unzip(writeZip(files), "made");
        expect([...read].map(([one, content]) => [one, [...content]])).toEqual(
          [...files].map(([one, content]) => [one, [...content]]),
        );
      }),
    );
  });

  test("is one to Python, which checks headers and sums", () => {
    const zip = writeZip(
      new Map([
        ["package/__init__.py", Buffer.from("x = 1\n".repeat(999))],
        ["naïve.txt", Buffer.alloc(0)],
      ]),
    );
    const script =
      "import io, sys, zipfile; z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); print(z.testzip(), sorted(z.namelist()), len(z.read('package/__init__.py')))";
    const { stdout, error } = spawnSync("python3", ["-X", "utf8", "-c", script], { input: zip, encoding: "utf8" });
    if (error === undefined) expect(stdout.trim()).toBe("None ['naïve.txt', 'package/__init__.py'] 5994");
  });
});
