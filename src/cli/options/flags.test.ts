import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { commandLine } from "../program.ts";
import { FLAG_OF, recordWithFlags, withFlags } from "./flags.ts";

const SRC = join(import.meta.dirname, "..", "..");

/** Sources below the command. */
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /(?<!\.test)\.ts$/.test(path) && !path.startsWith("cli"))
  .map((path) => readFileSync(join(SRC, path), "utf8"));

/** Texts of a source: strings, and the parts of templates. */
function textsOf(source: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest));
  return texts;
}

const named = new Set(sources.flatMap(textsOf).flatMap((text) => text.match(/\boptions(\.[a-zA-Z]+)+/g) ?? []));

function flagsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long!), ...command.commands.flatMap(flagsOf)];
}

describe("the table from options to flags", () => {
  test("has every option that a text below the command names", () => {
    expect(named.size).toBeGreaterThan(20);
    expect([...named].filter((key) => !Object.hasOwn(FLAG_OF, key))).toEqual([]);
  });

  test("has no option that nothing names", () => {
    const composing = sources.filter((source) => source.includes("`options.${"));
    expect(composing.length).toBeGreaterThan(0);
    const isComposed = (key: string) => {
      const name = new RegExp(`\\b${key.replace("options.", "").replaceAll(".", "\\.")}\\b`);
      return composing.some((source) => name.test(source));
    };
    expect(Object.keys(FLAG_OF).filter((key) => !named.has(key) && !isComposed(key))).toEqual([]);
  });

  test("leads to flags that exist", async () => {
    const flags = flagsOf(await commandLine(async () => {}));
    expect(Object.values(FLAG_OF).filter((flag) => !flags.includes(flag))).toEqual([]);
  });
});

test("a text names the flag in place of the option, whatever stands behind it", () => {
  expect(withFlags("Give options.out, or options.budget.money. See model options.")).toBe(
    "Give --out, or --max-cost. See model options.",
  );
  expect(withFlags("options.unheardOf stays")).toBe("options.unheardOf stays");
  expect(recordWithFlags({ remedy: "Add options.worker torch.", n: 1 })).toEqual({
    remedy: "Add --worker torch.",
    n: 1,
  });
});
