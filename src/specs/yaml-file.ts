/** @file A YAML text as a plain value that remembers where each key stands, with `key=value` overrides from the command line laid over it. */

import { dirname } from "node:path";
import { type Document, isNode, LineCounter, parse, parseDocument } from "yaml";
import { SpecError } from "../base/errors.ts";

/** Larger texts are refused: a study file is written by hand. */
const MAX_CHARACTERS = 1_000_000;
/** Aliases may multiply a text's size; more than this many resolved nodes per alias are refused. */
const MAX_ALIAS_COUNT = 100;

/** `key=value` words of a command line, and the folder that paths in them are relative to. */
export interface Overrides {
  assignments: string[];
  cwd: string;
}

export type KeyPath = readonly PropertyKey[];

/** A parsed YAML file. */
export interface YamlFile {
  value: unknown;
  /** `file:line:column: a.b.c`, or the command line for an overridden key. */
  place(path: KeyPath): string;
  /** Folder that a relative path at this key is relative to. */
  baseDir(path: KeyPath): string;
}

/**
 * Parses YAML 1.2 and applies overrides; values of overrides are YAML too (`seeds=[1,2]`).
 * @param path absolute path of the file: for messages and as base of relative paths
 * @throws {SpecError} not YAML, too large, too many aliases, an override that is no `key=value` or goes through a value that is no mapping
 */
export function parseYamlFile(text: string, path: string, overrides: Overrides): YamlFile {
  if (text.length > MAX_CHARACTERS) {
    throw new SpecError({
      place: path,
      expected: `at most ${MAX_CHARACTERS} characters`,
      got: `${text.length}`,
      remedy: "Check that this is the right file.",
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new SpecError({
      place: `${path}:${line}:${col}`,
      expected: "YAML",
      got: error.message.replace(/\.$/, ""),
      remedy: "Correct the line.",
    });
  }
  let value = toPlain(document, path);
  const overridden = new Map<string, string>();
  for (const assignment of overrides.assignments) {
    const { keys, parsed } = parseAssignment(assignment);
    value = withValueAt(value, keys, parsed, assignment);
    overridden.set(keys.join("."), assignment);
  }
  const assignmentFor = (keyPath: KeyPath): string | undefined => {
    for (let length = keyPath.length; length > 0; length--) {
      const assignment = overridden.get(keyPath.slice(0, length).join("."));
      if (assignment !== undefined) return assignment;
    }
    return undefined;
  };
  return {
    value,
    place: (keyPath) => {
      const name = keyPath.length > 0 ? `: ${formatKeyPath(keyPath)}` : "";
      const assignment = assignmentFor(keyPath);
      if (assignment !== undefined) return `command line ${assignment}${name}`;
      const { line, col } = lines.linePos(offsetOf(document, keyPath));
      return `${path}:${line}:${col}${name}`;
    },
    baseDir: (keyPath) => (assignmentFor(keyPath) === undefined ? dirname(path) : overrides.cwd),
  };
}

/** `design[0].tasks.fpb` */
export function formatKeyPath(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === "object" ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** True for the words of a command line that are overrides: a dotted key, then `=`. */
export function isAssignment(word: string): boolean {
  return /^[A-Za-z_][\w.-]*=/.test(word);
}

function toPlain(document: Document.Parsed, path: string): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    JSON.stringify(value);
    return value;
  } catch (cause) {
    throw new SpecError({
      place: path,
      expected: "few YAML aliases",
      got: cause instanceof TypeError ? "one inside its own anchor" : (cause as Error).message,
      remedy: "Write the repeated parts out.",
      cause,
    });
  }
}

/** Offset of the deepest part of the path that exists; of its key where it has one. */
function offsetOf(document: Document.Parsed, path: KeyPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function parseAssignment(assignment: string): { keys: string[]; parsed: unknown } {
  const refuse = (expected: string, got: string, cause?: unknown): never => {
    throw new SpecError({
      place: `command line ${assignment}`,
      expected,
      got,
      remedy: "Write for example train.learning_rate=1e-4 or seeds=[1,2].",
      cause,
    });
  };
  const at = assignment.indexOf("=");
  const keys = assignment.slice(0, at).split(".");
  if (at < 1 || keys.some((key) => key === "")) return refuse("key=value", JSON.stringify(assignment));
  if (keys.some((key) => ["__proto__", "constructor", "prototype"].includes(key)))
    return refuse("a key of the file", keys.join("."));
  const source = assignment.slice(at + 1);
  try {
    return { keys, parsed: parse(source, { maxAliasCount: MAX_ALIAS_COUNT }) };
  } catch (cause) {
    return refuse("a YAML value", JSON.stringify(source), cause);
  }
}

function withValueAt(value: unknown, keys: string[], replacement: unknown, assignment: string): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return replacement;
  if (value !== undefined && value !== null && (typeof value !== "object" || Array.isArray(value))) {
    throw new SpecError({
      place: `command line ${assignment}`,
      expected: `a mapping that holds ${key}`,
      got: JSON.stringify(value),
      remedy: "Override the whole value instead.",
    });
  }
  const mapping = (value ?? {}) as Record<string, unknown>;
  const inner = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  return { ...mapping, [key]: withValueAt(inner, rest, replacement, assignment) };
}
