import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";
import {
  circlesIn,
  commandPartsImported,
  drawFloors,
  flagsNamedIn,
  folderOf,
  importsOf,
  longFunctionsIn,
  MAY_IMPORT,
  type Project,
  type SourceFile,
  violationsIn,
} from "./support/architecture.ts";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

function sourcesIn(folder: string, kind = /(?<!\.test)\.ts$/): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && kind.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(folder, path).split(sep).join("/"), text: readFileSync(path, "utf8") }));
}

const files = sourcesIn(SRC);
const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

/** Paths of files that each describe one of a kind, and may not know of one another. */
function siblingsIn(folder: string, mark: RegExp): string[] {
  return files.filter(({ path, text }) => path.startsWith(folder) && mark.test(text)).map(({ path }) => path);
}

const tasks = siblingsIn("data/tasks/", /export const \w+ = defineTask\b/);
const families = siblingsIn("models/", /export function read\w+Config\(/).filter(
  (path) => path !== "models/families.ts",
);
const project: Project = { packages: Object.keys(dependencies), siblings: [tasks, families] };

describe("the house", () => {
  test(`is in order: ${files.length} files`, () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(100);
    expect(tasks.length).toBeGreaterThan(5);
    expect(families).toContain("models/llama.ts");
    expect(violationsIn(files, project)).toEqual([]);
  });

  test("has no folder that is not in the table, and no folder in the table that is not there", () => {
    const there = new Set(files.map(({ path }) => folderOf(path)));
    expect([...there].filter((folder) => !Object.hasOwn(MAY_IMPORT, folder))).toEqual([]);
    expect(Object.keys(MAY_IMPORT).filter((folder) => !there.has(folder))).toEqual([]);
  });

  test("imports go down only: no two folders may import each other", () => {
    // drawFloors would not end on a circle.
    expect(drawFloors().split("\n")).toHaveLength(Object.keys(MAY_IMPORT).length);
  });

  test("has no files that import one another in a circle, for types neither", () => {
    expect(circlesIn(files)).toEqual([]);
  });

  test("names no flag of the command below the command", () => {
    expect(files.flatMap(flagsNamedIn)).toEqual([]);
  });

  test("is used by benches, scripts and tests through src/app and the command alone", () => {
    const outside = ["bench", "scripts", "test", "examples"].flatMap((folder) =>
      sourcesIn(join(ROOT, folder), /\.(ts|js)$/).map(({ path, text }) => ({ path: `${folder}/${path}`, text })),
    );
    expect(outside.length).toBeGreaterThan(50);
    expect(commandPartsImported(outside)).toEqual([]);
  });

  test("has few files in cli beside its three folders", () => {
    expect(files.filter(({ path }) => /^cli\/[^/]+$/.test(path)).length).toBeLessThanOrEqual(6);
  });

  test("has no function of more than 80 lines", () => {
    expect(files.flatMap(longFunctionsIn)).toEqual([]);
  });

  test("is drawn in docs/ARCHITECTURE.md as the table has it", () => {
    const page = readFileSync(join(ROOT, "docs", "ARCHITECTURE.md"), "utf8");
    const picture = /<!-- floors -->\n```\n([\s\S]*?)\n```/.exec(page)?.[1];
    expect(picture).toBe(drawFloors());
  });
});

describe("a planted violation is caught", () => {
  const toy: Project = {
    packages: ["zod", "onnxruntime-node", "@huggingface/hub", "openai", "hono"],
    siblings: [["models/llama.ts", "models/qwen2.ts"]],
  };
  const caught = (path: string, text: string): string => violationsIn([{ path, text }], toy).join("\n");

  test.each<[string, string, string, RegExp]>([
    [
      "an import upwards",
      "data/batches/packing.ts",
      'import { train } from "../../train/trainer.ts";',
      /data may not import train\/trainer\.ts/,
    ],
    ["for types only", "study/plan.ts", 'import type { Loss } from "../train/loss.ts";', /study may not import train/],
    [
      "a dynamic import",
      "report/tables.ts",
      'const x = await import("../train/trainer.ts");',
      /report may not import train/,
    ],
    ["a re-export", "base/errors.ts", 'export * from "../formats/csv.ts";', /base may not import formats/],
    [
      "across the first wall",
      "data/batches/batches.ts",
      'import { matmul } from "../../engine/graph/ops.ts";',
      /data may not import engine/,
    ],
    ["out of src", "base/rng.ts", 'import x from "../../test/support/x.ts";', /outside src/],
    ["an unknown folder", "utils/misc.ts", "export const x = 1;", /utils is not in the table/],
    ["a package nobody declared", "base/x.ts", 'import _ from "lodash";', /lodash is not a dependency/],
    [
      "the library's door",
      "models/llama.ts",
      'import * as ort from "onnxruntime-node";',
      /onnxruntime-node belongs to engine\/runtime/,
    ],
    [
      "the hub's door",
      "data/load-task.ts",
      'import { listFiles } from "@huggingface/hub";',
      /@huggingface\/hub belongs to hub/,
    ],
    ["the hosted models' door", "eval/score.ts", 'import OpenAI from "openai";', /openai belongs to eval\/hosted/],
    ["a server's library", "cli/main.ts", 'import { Hono } from "hono";', /hono belongs to eval\/serve/],
    ["a process", "train/trainer.ts", 'import { spawn } from "node:child_process";', /belongs to workers/],
    ["a server", "study/plan.ts", 'import { createServer } from "node:http";', /belongs to hub/],
    ["the disk", "stats/interval.ts", 'import { readFileSync } from "node:fs";', /never touches the disk/],
    [
      "the disk by promises",
      "engine/graph/ops.ts",
      'import { readFile } from "node:fs/promises";',
      /never touches the disk/,
    ],
    ["chance", "data/batches/mixture.ts", "const x = Math.random();", /Math\.random belongs to/],
    ["the clock", "train/trainer.ts", "const t = new Date();", /new Date\(\) belongs to/],
    ["the clock in milliseconds", "runs/run-dir.ts", "const t = Date.now();", /Date\.now belongs to/],
    ["the environment", "hub/cache.ts", "const home = process.env.HF_HOME;", /process\.env belongs to/],
    ["the network", "models/weights.ts", 'await fetch("https://example.org");', /fetch belongs to/],
    ["back up in the engine", "engine/graph/ops.ts", 'import { lower } from "../runtime/lower.ts";', /goes back up/],
    ["back up in data", "data/splits/splits.ts", 'import { x } from "../readers/hub-rows.ts";', /goes back up/],
    ["a reader's tokens", "data/readers/x.ts", 'import { fit } from "../tokens/fit.ts";', /goes back up/],
    ["beside it in data", "data/own/shapes.ts", 'import { x } from "../readers/definition.ts";', /goes back up/],
    ["from below into the catalogue", "data/checks/x.ts", 'import { C } from "../catalogue.ts";', /goes back up/],
    ["back up in app", "app/models/memory.ts", 'import { x } from "../study/estimate.ts";', /goes back up/],
    ["from a verb to another", "app/judge/judge.ts", 'import { e } from "../evaluate/evaluate.ts";', /goes back up/],
    [
      "the report from app",
      "app/evaluate/rescore.ts",
      'import { a } from "../../report/tables.ts";',
      /app may not import/,
    ],
    ["the command from app", "app/doctor.ts", 'import type { C } from "../cli/context.ts";', /app may not import cli/],
    ["the engine from the command", "cli/commands/x.ts", 'import "../../engine/graph/ops.ts";', /cli may not import/],
    ["back up in the command", "cli/screen/x.ts", 'import { C } from "../context.ts";', /goes back up/],
    ["a sibling", "models/qwen2.ts", 'import { llama } from "./llama.ts";', /imports its sibling/],
  ])("%s", (_, path, text, message) => expect(caught(path, text)).toMatch(message));

  test("a circle of files", () => {
    const plan = { path: "study/plan.ts", text: 'import { a } from "./budget.ts";' };
    const budget = { path: "study/budget.ts", text: 'import type { B } from "./types.ts";' };
    const types = { path: "study/types.ts", text: 'export type { P } from "./plan.ts";' };
    expect(circlesIn([plan, budget, types])).toEqual(["study/budget.ts study/plan.ts study/types.ts"]);
    expect(circlesIn([plan, budget])).toEqual([]);
  });

  test("a flag in a text below the command", () => {
    const named = (text: string) => flagsNamedIn({ path: "study/claim.ts", text });
    expect(named('const remedy = "Use another --out.";')).toEqual(["study/claim.ts: names --out"]);
    expect(named('const place = "--out";')).toEqual(["study/claim.ts: names --out"]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a source with a template in it
    expect(named("const remedy = `Give ${x} with --out.`;")).toEqual(["study/claim.ts: names --out"]);
    expect(named('const remedy = "Start mixtune eval MODEL --out DIR, then raise --max-cost.";')).toEqual([
      "study/claim.ts: names --max-cost",
    ]);
    expect(named('const remedy = "Use another options.out; mixtune eval MODEL --out DIR scores a model.";')).toEqual(
      [],
    );
    expect(flagsNamedIn({ path: "cli/main.ts", text: 'const flag = "--out";' })).toEqual([]);
  });

  test("a part of the command, outside src", () => {
    const file = (text: string) => [{ path: "bench/study.ts", text }];
    expect(commandPartsImported(file('import { x } from "../src/cli/context.ts";'))).toEqual([
      "bench/study.ts: imports src/cli/context.ts",
    ]);
    expect(commandPartsImported(file('import "../src/cli/main.ts";\nimport "../src/app/doctor.ts";'))).toEqual([]);
  });

  test("a function of more than 80 lines", () => {
    const long = (head: string, lines: number, tail: string) =>
      longFunctionsIn({ path: "study/plan.ts", text: `${head}${"  f();\n".repeat(lines - 2)}${tail}` });
    expect(long("/** Long. */\nfunction plan() {\n", 81, "}\n")).toEqual(["study/plan.ts: plan has 81 lines"]);
    expect(long("const plan = () => {\n", 81, "};\n")).toEqual(["study/plan.ts: plan has 81 lines"]);
    expect(long("/** Long. */\nfunction plan() {\n", 80, "}\n")).toEqual([]);
  });

  test("and what is allowed is not", () => {
    expect(caught("train/trainer.ts", 'import { readSpec } from "../runs/run-dir.ts";\nimport { z } from "zod";')).toBe(
      "",
    );
    expect(caught("engine/runtime/session.ts", 'import * as ort from "onnxruntime-node";')).toBe("");
    expect(caught("runs/run-dir.ts", 'const t = new Date(0); // not Math.random\nconst s = "process.env";')).toBe("");
    expect(caught("app/workspace.ts", "Date.now();")).toBe("");
    expect(caught("data/catalogue.ts", 'import { x } from "./tasks/fpb.ts";')).toBe("");
    expect(caught("app/study/jobs.ts", 'import { x } from "./hosted/bill.ts";')).toBe("");
  });
});
