/** @file A mirror, not a gate: lines per folder, the longest files, the longest functions. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dirname, "..");
const files = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, "utf8"), isTest: path.endsWith(".test.ts") }));

const folders = new Map();
for (const { path, text, isTest } of files) {
  const folder = path.split(/[/\\]/)[1] ?? "";
  const sum = folders.get(folder) ?? { files: 0, lines: 0, testLines: 0 };
  if (isTest) sum.testLines += numLines(text);
  else {
    sum.files++;
    sum.lines += numLines(text);
  }
  folders.set(folder, sum);
}
const sources = files.filter(({ isTest }) => !isTest);
console.table(Object.fromEntries([...folders].sort()));
console.log("longest files");
print(sources.map(({ path, text }) => [numLines(text), path]));
console.log("longest functions");
print(sources.flatMap(functionsOf));

function print(rows) {
  for (const [lines, what] of rows.sort(([a], [b]) => b - a).slice(0, 10))
    console.log(`${String(lines).padStart(5)}  ${what}`);
}

function functionsOf({ path, text }) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body !== undefined) {
      const line = (position) => source.getLineAndCharacterOfPosition(position).line;
      const name = node.name?.getText() ?? node.parent.name?.getText() ?? "(anonymous)";
      found.push([line(node.end) - line(node.getStart()) + 1, `${name}  ${path}`]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function numLines(text) {
  return text.split("\n").length - 1;
}
