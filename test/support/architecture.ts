/**
 * @file The house as a table: which folder may import which, who owns which door, and a checker over sources.
 * test/architecture.test.ts runs it over src/ and over planted violations; docs/ARCHITECTURE.md shows the picture it draws.
 */

import ts from "typescript";

/** Imports go down only, and only along this table. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[] | "everything">> = {
  base: [],
  formats: ["base"],
  specs: ["base"],
  stats: ["base"],
  hub: ["base"],
  http: ["base"],
  data: ["hub", "specs", "formats", "base"],
  engine: ["formats", "base"],
  metrics: ["stats", "specs", "base"],
  runs: ["specs", "formats", "base"],
  models: ["engine", "hub", "specs", "formats", "base"],
  optim: ["engine", "specs", "base"],
  study: ["runs", "metrics", "stats", "specs", "formats", "base"],
  train: ["data", "models", "optim", "engine", "runs", "specs", "formats", "base"],
  eval: ["data", "models", "engine", "metrics", "runs", "http", "stats", "specs", "formats", "base"],
  report: ["study", "runs", "metrics", "http", "stats", "specs", "formats", "base"],
  workers: ["train", "eval", "study", "models", "optim", "runs", "data", "specs", "formats", "base"],
  app: [
    ...["workers", "train", "eval", "study", "models", "optim", "engine", "data"],
    ...["metrics", "runs", "hub", "specs", "stats", "formats", "base"],
  ],
  cli: ["app", "report", "eval", "study", "runs", "hub", "http", "specs", "formats", "base"],
  index: [
    "app",
    "workers",
    "metrics",
    "report",
    "study",
    "runs",
    "hub",
    "specs",
    "formats",
    "models",
    "optim",
    "engine",
    "data",
    "eval",
    "stats",
    "base",
  ],
};

/** A source file under src/, by its path there: `data/tasks/fpb.ts`. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Modules that only some folders (or files, by prefix) may import. */
const OWNED_MODULES: readonly { modules: RegExp; owners: readonly string[] }[] = [
  { modules: /^onnxruntime-/, owners: ["engine/runtime/"] },
  { modules: /^@huggingface\/hub$/, owners: ["hub/"] },
  { modules: /^openai$/, owners: ["eval/hosted/"] },
  { modules: /^node:(child_process|worker_threads|cluster)$/, owners: ["workers/", "engine/runtime/"] },
  { modules: /^(hono|@hono\/)/, owners: ["eval/serve/"] },
  {
    modules: /^node:(https?|http2|net|tls|dgram)$/,
    owners: ["hub/", "http/", "eval/serve/listen.ts", "report/serve.ts", "workers/"],
  },
];

/** Folders that never touch the disk. */
const NO_DISK = ["base/", "specs/", "stats/", "engine/graph/", "engine/autodiff/", "optim/"];

/** Names that reach out of the program's arguments, and who may use them. */
const OWNED_NAMES: readonly { name: string; owners: readonly string[] }[] = [
  { name: "Math.random", owners: ["app/workspace.ts", "workers/"] },
  { name: "Date.now", owners: ["app/workspace.ts", "workers/"] },
  { name: "new Date()", owners: ["app/workspace.ts", "workers/"] },
  { name: "process.env", owners: ["app/settings.ts", "workers/", "engine/runtime/onnxruntime.ts"] },
  { name: "fetch", owners: ["hub/", "eval/hosted/", "workers/"] },
];

/**
 * Floors within a folder, from the ground up: a file imports from lower floors and from its own part, never from above or from beside it.
 * A file that no floor names stands on top.
 */
const INNER_FLOORS: readonly (readonly (readonly string[])[])[] = [
  [["engine/graph/"], ["engine/autodiff/"], ["engine/runtime/"]],
  [
    ["data/types.ts", "data/answers.ts"],
    ["data/splits/", "data/batches/"],
    ["data/readers/", "data/own/"],
    ["data/tokens/", "data/tasks/"],
    ["data/checks/"],
  ],
  [
    ["app/settings.ts", "app/package.ts"],
    ["app/workspace.ts"],
    ["app/models/", "app/hosted/"],
    ["app/tasks/"],
    ["app/study/", "app/export/"],
    ["app/evaluate/", "app/predict/", "app/judge/", "app/doctor.ts", "app/setup-torch.ts"],
  ],
  [["cli/options/"], ["cli/screen/"]],
];

/** What the checker needs to know of the project besides its files. */
export interface Project {
  /** Packages of `dependencies`. */
  packages: readonly string[];
  /** Paths of files that are siblings and may not import one another: tasks, model families. */
  siblings: readonly (readonly string[])[];
}

/** Every violation in a sentence; empty for a house in order. */
export function violationsIn(files: readonly SourceFile[], project: Project): string[] {
  return files.flatMap((file) => [...importViolations(file, project), ...nameViolations(file)]);
}

function importViolations({ path, text }: SourceFile, { packages, siblings }: Project): string[] {
  const folder = folderOf(path);
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined) return [`${path}: folder ${folder} is not in the table`];
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName: name }) => {
    if (name.startsWith("node:")) return doorViolations(path, name);
    if (!name.startsWith(".")) {
      return packages.includes(packageOf(name))
        ? doorViolations(path, name)
        : [`${path}: ${name} is not a dependency of the package`];
    }
    const target = resolve(path, name);
    const other = folderOf(target);
    if (target.startsWith("..")) return [`${path}: ${name} lies outside src`];
    if (other !== folder && allowed !== "everything" && !allowed.includes(other))
      return [`${path}: ${folder} may not import ${target}`];
    if (INNER_FLOORS.some((floors) => isBackwards(path, target, floors))) return [`${path}: goes back up to ${target}`];
    if (siblings.some((group) => group.includes(path) && group.includes(target)))
      return [`${path}: imports its sibling ${target}`];
    return [];
  });
}

/** Whether an import within a folder leads to a higher floor, or to another part of the same one. */
function isBackwards(path: string, target: string, floors: readonly (readonly string[])[]): boolean {
  const folder = `${folderOf(floors[0]![0]!)}/`;
  if (!path.startsWith(folder) || !target.startsWith(folder)) return false;
  const partOf = (file: string) => floors.flat().find((part) => file.startsWith(part));
  const floorOf = (file: string) => {
    const floor = floors.findIndex((parts) => parts.includes(partOf(file) ?? ""));
    return floor < 0 ? floors.length : floor;
  };
  const [from, to] = [floorOf(path), floorOf(target)];
  return to > from || (to === from && partOf(path) !== partOf(target));
}

/** Files outside src that import a part of the command: only the command itself, cli/main.ts, is theirs. Paths are from the project's root. */
export function commandPartsImported(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((name) => name.startsWith("."))
      .map((name) => resolve(path, name))
      .filter((target) => target.startsWith("src/cli/") && target !== "src/cli/main.ts")
      .map((target) => `${path}: imports ${target}`),
  );
}

function doorViolations(path: string, name: string): string[] {
  const door = OWNED_MODULES.find(({ modules }) => modules.test(name));
  if (door !== undefined && !ownedBy(path, door.owners))
    return [`${path}: ${name} belongs to ${door.owners.join(" ")}`];
  if (/^node:fs(\/|$)/.test(name) && ownedBy(path, NO_DISK))
    return [`${path}: ${name} in a folder that never touches the disk`];
  return [];
}

function nameViolations({ path, text }: SourceFile): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) found.add(node.getText());
    if (ts.isNewExpression(node) && node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0)
      found.add("new Date()");
    if (ts.isCallExpression(node) && /^(globalThis\.)?fetch$/.test(node.expression.getText())) found.add("fetch");
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return OWNED_NAMES.filter(({ name, owners }) => found.has(name) && !ownedBy(path, owners)).map(
    ({ name, owners }) => `${path}: ${name} belongs to ${owners.join(" ")}`,
  );
}

/** Modules that a source imports, statically, dynamically or for types only. */
export function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Lines that a function may have, its docstring not counted. */
const MAX_LINES = 80;

/** Functions with too many lines, as `path: name has N lines`. */
export function longFunctionsIn({ path, text }: SourceFile): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
      const { name } = node.name !== undefined ? node : (node.parent as { name?: ts.Node });
      if (lines > MAX_LINES)
        found.push(`${path}: ${name?.getText() ?? "a function without a name"} has ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Folders and files whose texts may name flags: the command, files for people, and arguments of other programs. */
const NAMES_FLAGS = ["cli/", "app/export/card-commands.ts", "report/write-report.ts", "workers/torch-setup.ts"];

/** A whole command line that a text quotes, up to the end of its clause. */
const COMMAND_LINE = /\b(mixtune|ray) [a-z]+\b((?![.;:,](\s|$)).)*/g;

/** Texts below the command that name a flag, which a program has none of: they name `options.KEY`, and the command says which flag that is. */
export function flagsNamedIn({ path, text }: SourceFile): string[] {
  if (ownedBy(path, NAMES_FLAGS)) return [];
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const flag = /(?<![\w-])--[a-z][\w-]*/.exec(textOf(node).replaceAll(COMMAND_LINE, ""));
    if (flag !== null) found.push(`${path}: names ${flag[0]}`);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** What a literal says, with an ellipsis for each value in a template; empty for what is no literal. */
function textOf(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return "";
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("");
}

/** Files that import one another in a circle, types included, each circle as its sorted paths; empty where there is none. */
export function circlesIn(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map(({ path, text }) => [path, importsOf(text).map((name) => resolve(path, name))]));
  const reachable = (from: string): Set<string> => {
    const seen = new Set<string>();
    const queue = [from];
    for (const path of queue) {
      const next = (imports.get(path) ?? []).filter((target) => !seen.has(target));
      for (const target of next) seen.add(target);
      queue.push(...next);
    }
    return seen;
  };
  const all = new Map(files.map(({ path }) => [path, reachable(path)]));
  const reaches = (a: string, b: string) => all.get(a)?.has(b) === true;
  const circles = files
    .filter(({ path }) => reaches(path, path))
    .map(({ path }) => [...all.keys()].filter((other) => reaches(path, other) && reaches(other, path)));
  return [...new Set(circles.map((paths) => paths.sort().join(" ")))];
}

/** The entry points, index.ts, train.ts and stats.ts, are a folder of their own: `index`. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "index";
}

function ownedBy(path: string, owners: readonly string[]): boolean {
  return owners.some((owner) => path.startsWith(owner));
}

function packageOf(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

function resolve(from: string, to: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of to.split("/")) {
    if (part === "..") parts.length > 0 && parts.at(-1) !== ".." ? parts.pop() : parts.push("..");
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The floors of the house, drawn from the table: a folder stands one above the highest that it imports. */
export function drawFloors(): string {
  const folders = Object.keys(MAY_IMPORT);
  const floorOf = (folder: string): number => {
    const below = MAY_IMPORT[folder];
    if (below === undefined) throw new Error(`${folder} is not in the table`);
    const names = below === "everything" ? folders.filter((name) => MAY_IMPORT[name] !== "everything") : below;
    return names.length === 0 ? 0 : 1 + Math.max(...names.map(floorOf));
  };
  const floors = new Map<number, string[]>();
  for (const folder of folders) floors.set(floorOf(folder), [...(floors.get(floorOf(folder)) ?? []), folder]);
  return [...floors.entries()]
    .sort(([a], [b]) => b - a)
    .flatMap(([floor, names]) =>
      names.map((name, i) => `${i === 0 ? floor : " "}  ${name.padEnd(8)} ${arrow(name)}`.trimEnd()),
    )
    .join("\n");
}

function arrow(folder: string): string {
  const below = MAY_IMPORT[folder];
  return below === "everything"
    ? "→ everything"
    : below === undefined || below.length === 0
      ? ""
      : `→ ${below.join(" ")}`;
}
