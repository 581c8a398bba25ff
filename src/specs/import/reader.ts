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

/**
 * @param at  the mapping's path in the file
 * @throws {SpecError} not a mapping, a merge key
 */
export function keyReader(
  file: YamlFile,
  at: KeyPath,
  value: unknown,
  table: ReadonlyMap<string, KnownKey>,
  tool: Tool,
  account: Account,
): KeyReader {
  const place = (key: string) => file.place([...at, key]);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new SpecError({
      place: file.place(at),
      expected: "a mapping of keys to values",
      got: describeValue(value),
      remedy: `Give the YAML file that ${tool} is called with.`,
    });
  }
  const mapping = value as Record<string, unknown>;
  if (Object.hasOwn(mapping, "<<")) {
    throw new SpecError({
      place: place("<<"),
      expected: "keys written out",
      got: "a merge key",
      remedy: "Write the merged keys out.",
    });
  }
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
    account.remarks.push({
      kind,
      key: pathOf(at, key),
      place: place(key),
      ...(given === undefined ? {} : { value: given }),
      why,
    });
  };
  const reader: KeyReader = {
    tool,
    has: (key) => raw(key) !== undefined,
    raw,
    number(key, { above, atLeast, below, atMost, whole } = {}) {
      const given = raw(key);
      if (given === undefined) return undefined;
      const number = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
      const isGood =
        typeof number === "number" &&
        Number.isFinite(number) &&
        (above === undefined || number > above) &&
        (atLeast === undefined || number >= atLeast) &&
        (below === undefined || number < below) &&
        (atMost === undefined || number <= atMost) &&
        (!whole || Number.isSafeInteger(number));
      if (isGood) return number;
      const bounds = [
        above === undefined ? "" : ` above ${above}`,
        atLeast === undefined ? "" : ` of at least ${atLeast}`,
        below === undefined ? "" : ` below ${below}`,
        atMost === undefined ? "" : ` and at most ${atMost}`,
      ].join("");
      throw refuse(key, `a ${whole ? "whole " : ""}number${bounds}`, `Change ${key}.`);
    },
    text(key) {
      const given = raw(key);
      if (given === undefined || typeof given === "string") return given === "" ? undefined : given;
      throw refuse(key, "text", "Put it in quotes.");
    },
    boolean(key) {
      const given = raw(key);
      if (given === undefined || typeof given === "boolean") return given;
      const word = typeof given === "string" ? given.toLowerCase() : "";
      if (["true", "yes", "on"].includes(word)) return true;
      if (["false", "no", "off"].includes(word)) return false;
      throw refuse(key, "true or false", `Change ${key}.`);
    },
    list(key) {
      const given = raw(key);
      if (given === undefined || given === "") return undefined;
      const parts = typeof given === "string" ? given.split(",") : given;
      if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string" || typeof part === "number")) {
        throw refuse(key, "a text with commas, or a list of texts", `Change ${key}.`);
      }
      return parts.map((part) => String(part).trim()).filter((part) => part !== "");
    },
    mapping(key) {
      const given = raw(key);
      if (given === undefined) return undefined;
      if (typeof given === "object" && !Array.isArray(given)) return given as Record<string, unknown>;
      throw refuse(key, "a mapping", `Change ${key}.`);
    },
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
      for (const key of Object.keys(mapping)) {
        if (accounted.has(key)) continue;
        const known = table.get(key);
        if (known === undefined) {
          const near = nearest(key, [...table.keys()]);
          const hint = near === undefined ? "" : ` ${didYouMean(key, [near])}`;
          remark("unknown", key, `in no documentation of ${tool} that mixtune knows.${hint}`);
        } else if (raw(key) === undefined || raw(key) === "") remark("no_bearing", key, "empty");
        else if (known.fate === "carried") remark("no_bearing", key, "without effect beside the other settings");
        else if (known.fate === "cannot" && known.neutral.includes(raw(key)))
          remark("no_bearing", key, "asks for what mixtune does anyway");
        else remark(known.fate === "cannot" ? "not_carried" : "no_bearing", key, known.why);
      }
    },
  };
  return reader;
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
