import { posix, win32 } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkedPath, checkRef, inAddress, isRepoId } from "./names.ts";

/** Text in which what is dangerous in a path is common. */
const pathLike = fc
  .array(
    fc.oneof(
      fc.constantFrom("..", ".", "/", "\\", "C:", "~", "\u0000", "\n", "a", "%2e", " ", "//", "nul", "\u2025"),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("a path that a server told", () => {
  test("is refused, or stays below the folder that it is joined to, by the rules of Windows too", () => {
    let numKept = 0;
    fc.assert(
      fc.property(pathLike, (path) => {
        try {
          checkedPath(path, "list");
        } catch {
          return;
        }
        numKept++;
        for (const { join, relative, isAbsolute, sep } of [posix, win32]) {
          const root = sep === "/" ? "/cache/x" : "D:\\cache\\x";
          const inside = relative(root, join(root, ...path.split("/")));
          expect(inside).not.toBe("");
          expect(inside.split(sep)[0]).not.toBe("..");
          expect(isAbsolute(inside)).toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
    expect(numKept).toBeGreaterThan(50);
  });

  test("survives as part of an address", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[^\\/\p{C}]{1,20}$/u), (name) => {
        if (name === "." || name === "..") return;
        const url = new URL(`http://h/org/toy/resolve/main/${inAddress(`sub/${name}`)}`);
        expect(decodeURIComponent(url.pathname)).toBe(`/org/toy/resolve/main/sub/${name}`);
        expect(url.search + url.hash).toBe("");
      }),
    );
  });
});

describe("a name", () => {
  test.each([
    "microsoft/Phi-3-mini-4k-instruct",
    "Qwen/Qwen2.5-0.5B",
    "a/b",
    "TheFinAI/flare_x.y",
    "01-ai/Yi-6B",
    "x/_private",
  ])("%s is one of the hub", (id) => expect(isRepoId(id)).toBe(true));

  test("has a revision that may be a branch with slashes, a tag or a commit", () => {
    for (const revision of ["main", "refs/convert/parquet", "refs/pr/1", "v1.0", "a".repeat(40)])
      expect(() => checkRef({ kind: "dataset", id: "a/b", revision })).not.toThrow();
  });
});
