/** @file Reads the keys of a configuration one by one and keeps the account: what was carried where, what was not, what nobody read. */

import { SpecError } from "../../base/errors.ts";
import { didYouMean, nearest } from "../nearest.ts";
import { describeValue } from "../validate.ts";
import type { KeyPath, YamlFile } from "../yaml-file.ts";
import type { KnownKey } from "./known-keys.ts";
import type { Carried, Remark, RemarkKind, Tool } from "./types.ts";

/** The account of an import; several readers may write into one. */
export interface Account {
  carried: Carried[];
  remarks: Remark[];
}

/** Bounds of a number. */
interface Bounds {
  above?: number;
  atLeast?: number;
  below?: number;
  atMost?: number;
  whole?: boolean;
}

/** Reads one mapping of a configuration. `undefined` is a key that is absent or empty (`key:`, `key: []`). */
export interface KeyReader {
  tool: Tool;
  has(key: string): boolean;
  raw(key: string): unknown;
  /** Numbers may stand as text, as YAML 1.1 has `1e-4`. */
  number(key: string, bounds?: Bounds): number | undefined;
  text(key: string): string | undefined;
  /** Also yes, no, on, off. */
  boolean(key: string): boolean | undefined;
  /** A list of texts, or one text with commas. */
  list(key: string): string[] | undefined;
  mapping(key: string): Record<string, unknown> | undefined;
  place(key: string): string;
  /** Accounts for a key as standing in the study, if it is given. */
  carry(key: string, ...to: string[]): void;
  /** Accounts for a key by a remark, if it is given. */
  say(kind: RemarkKind, key: string, why: string): void;
  /** A remark about what the configuration leaves to the tool. */
  assume(key: string, why: string): void;
  refuse(key: string, expected: string, remedy: string): SpecError;
  /** Accounts for the keys that were not read, by the table. */
  finish(): void;
}

/** Names of keys whose values are not shown. */
const SECRET = /(token|api_key|apikey|secret|password|webhook(_url)?)$/i;

/** A mapping of a file: its path there, and its value. */
interface Place {
  file: YamlFile;
  at: KeyPath;
  value: unknown;
}

/** The tool whose configuration is read, and what becomes of the keys that it has there. */
interface Known {
  tool: Tool;
  keys: ReadonlyMap<string, KnownKey>;
}

/** @throws {SpecError} not a mapping, a merge key */
export function keyReader({ file, at, value }: Place, known: Known, account: Account): KeyReader {
  const { tool } = known;
  const place = (key: string) => file.place([...at, key]);
  const mapping = mappingIn({ file, at, value }, tool);
  const accounted = new Set<string>();
  const raw = (key: string): unknown => {
    const found = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
    return found === null || (Array.isArray(found) && found.length === 0) ? undefined : found;
  };
  const refuse = (key: string, expected: string, remedy: string) =>
    new SpecError({ place: place(key), expected, got: describeValue(shown(key, raw(key))), remedy });
  const remark = (kind: RemarkKind, key: string, why: string) => {
    accounted.add(key);
    const given = shown(key, raw(key));
    const shownValue = given === undefined ? {} : { value: given };
    account.remarks.push({ kind, key: pathOf(at, key), place: place(key), ...shownValue, why });
  };
  const read = <T>(
    key: string,
    valueIn: (given: unknown) => T | undefined,
    expected: string,
    remedy = `Change ${key}.`,
  ): T | undefined => {
    const given = raw(key);
    if (given === undefined) return undefined;
    const value = valueIn(given);
    if (value === undefined) throw refuse(key, expected, remedy);
    return value;
  };
  return {
    tool,
    has: (key) => raw(key) !== undefined,
    raw,
    number: (key, bounds = {}) => read(key, (given) => numberIn(given, bounds), numberText(bounds)),
    text: (key) => read(key, textIn, "text", "Put it in quotes.") || undefined,
    boolean: (key) => read(key, booleanIn, "true or false"),
    list: (key) => (raw(key) === "" ? undefined : read(key, textsIn, "a text with commas, or a list of texts")),
    mapping: (key) => read(key, (given) => (isMapping(given) ? given : undefined), "a mapping"),
    place,
    carry(key, ...to) {
      if (raw(key) === undefined) return;
      accounted.add(key);
      account.carried.push({ key: pathOf(at, key), place: place(key), to });
    },
    say(kind, key, why) {
      if (raw(key) !== undefined) remark(kind, key, why);
    },
    assume: (key, why) => account.remarks.push({ kind: "default", key: pathOf(at, key), place: tool, why }),
    refuse,
    finish() {
      for (const key of Object.keys(mapping).filter((one) => !accounted.has(one))) {
        remark(...unreadRemark(key, raw(key), known));
      }
    },
  };
}

function mappingIn({ file, at, value }: Place, tool: Tool): Record<string, unknown> {
  if (!isMapping(value)) {
    throw new SpecError({
      place: file.place(at),
      expected: "a mapping of keys to values",
      got: describeValue(value),
      remedy: `Give the YAML file that ${tool} is called with.`,
    });
  }
  if (Object.hasOwn(value, "<<")) {
    throw new SpecError({
      place: file.place([...at, "<<"]),
      expected: "keys written out",
      got: "a merge key",
      remedy: "Write the merged keys out.",
    });
  }
  return value;
}

/** What is said of a key that nobody read. */
function unreadRemark(
  key: string,
  value: unknown,
  { tool, keys }: Known,
): [kind: RemarkKind, key: string, why: string] {
  const known = keys.get(key);
  if (known === undefined) {
    const near = nearest(key, [...keys.keys()]);
    const hint = near === undefined ? "" : ` ${didYouMean(key, [near])}`;
    return ["unknown", key, `in no documentation of ${tool} that mixtune knows.${hint}`];
  }
  if (value === undefined || value === "") return ["no_bearing", key, "empty"];
  if (known.fate === "carried") return ["no_bearing", key, "without effect beside the other settings"];
  if (known.fate !== "cannot") return ["no_bearing", key, known.why];
  return known.neutral.includes(value)
    ? ["no_bearing", key, "asks for what mixtune does anyway"]
    : ["not_carried", key, known.why];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function numberIn(given: unknown, { above, atLeast, below, atMost, whole }: Bounds): number | undefined {
  const number = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  const isGood =
    typeof number === "number" &&
    Number.isFinite(number) &&
    (above === undefined || number > above) &&
    (atLeast === undefined || number >= atLeast) &&
    (below === undefined || number < below) &&
    (atMost === undefined || number <= atMost) &&
    (!whole || Number.isSafeInteger(number));
  return isGood ? number : undefined;
}

function numberText({ above, atLeast, below, atMost, whole }: Bounds): string {
  const bounds = [
    above === undefined ? "" : ` above ${above}`,
    atLeast === undefined ? "" : ` of at least ${atLeast}`,
    below === undefined ? "" : ` below ${below}`,
    atMost === undefined ? "" : ` and at most ${atMost}`,
  ];
  return `a ${whole ? "whole " : ""}number${bounds.join("")}`;
}

function textIn(given: unknown): string | undefined {
  return typeof given === "string" ? given : undefined;
}

function booleanIn(given: unknown): boolean | undefined {
  if (typeof given === "boolean") return given;
  const word = typeof given === "string" ? given.toLowerCase() : "";
  if (["true", "yes", "on"].includes(word)) return true;
  return ["false", "no", "off"].includes(word) ? false : undefined;
}

function textsIn(given: unknown): string[] | undefined {
  const parts = typeof given === "string" ? given.split(",") : given;
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string" || typeof part === "number")) {
    return undefined;
  }
  return parts.map((part) => String(part).trim()).filter((part) => part !== "");
}

function shown(key: string, value: unknown): unknown {
  return SECRET.test(key) && value !== undefined ? "(not shown)" : value;
}

function pathOf(at: KeyPath, key: string): string {
  return at.reduceRight<string>(
    (inner, outer) =>
      typeof outer === "number" ? `[${outer}].${inner}` : `${String(outer)}${inner.startsWith("[") ? "" : "."}${inner}`,
    key,
  );
}
