import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const FOLDERS = "src|web|python|protocol|recipes|examples|test|bench|docs|scripts|assets|\\.ci|\\.github";

/** Pages that lead to files of the repository by their whole paths. */
const MAPS = ["docs/ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];
const PAGES = [
  ...[".", "docs", "docs/decisions", "docs/example-study", "python"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  ),
];

/** Paths in backticks, braces written out; a file without its folder counts as a path too. Patterns such as `<name>.ts` are no paths. */
function pathsIn(text: string): string[] {
  const inBackticks = [...text.matchAll(/`([^`\s<>*…]+)`/g)].map(([, word]) => word!);
  return inBackticks
    .filter((word) => new RegExp(`^(${FOLDERS})(/|$)`).test(word) || /^[\w{},-]+\.(ts|py)$/.test(word))
    .flatMap((word) => {
      const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(word) ?? [];
      return names === undefined ? [word] : names.split(",").map((name) => `${before}${name}${after}`);
    });
}

/** Targets of links that are no addresses, without the part behind #. */
function linksIn(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!.replace(/#.*$/, ""));
  return targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

/** Paths and links of a page that lead nowhere. */
function deadEnds(page: string, text: string): string[] {
  const paths = MAPS.includes(page) ? pathsIn(text) : [];
  return [
    ...paths.filter((path) => !existsSync(join(ROOT, path))),
    ...linksIn(text).filter((target) => !existsSync(join(ROOT, dirname(page), target))),
  ];
}

describe("the documents", () => {
  test(`name files that exist: ${PAGES.length} pages`, () => {
    expect(PAGES.length).toBeGreaterThan(20);
    for (const map of MAPS) expect(pathsIn(readFileSync(join(ROOT, map), "utf8")).length, map).toBeGreaterThan(0);
    const dead = PAGES.flatMap((page) =>
      deadEnds(page, readFileSync(join(ROOT, page), "utf8")).map((end) => [page, end]),
    );
    expect(dead).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    ["a file that moved", "see `src/base/rng.ts` and `src/cli/open-model.ts`", ["src/cli/open-model.ts"]],
    ["one of several", "in `src/base/{rng,gone}.ts`", ["src/base/gone.ts"]],
    ["a file without its folder", "a line in `rng.ts`", ["rng.ts"]],
    ["a link", "[words](GLOSSARY.md#step), [more](gone.md), [web](https://example.org)", ["gone.md"]],
    ["and nothing else", "`src/data/tasks/<name>.ts`, `npm run check`, `train.lr`, [code](../src/index.ts)", []],
  ])("a planted dead end is caught: %s", (_, text, ends) => {
    expect(deadEnds("docs/ARCHITECTURE.md", text)).toEqual(ends);
  });
});
