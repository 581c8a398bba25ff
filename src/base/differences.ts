/** @file What two plain records say differently. */

import { canonicalJson } from "./canonical-json.ts";

/** A key, dotted, with both its values; undefined where it is absent. */
export interface KeyDifference {
  key: string;
  before: unknown;
  after: unknown;
}

/** Keys whose values differ, in the order of the records; inside records each key for itself, lists as a whole. Null and absent are the same. */
export function differences(before: unknown, after: unknown, path = ""): KeyDifference[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  return canonicalJson([before ?? null]) === canonicalJson([after ?? null]) ? [] : [{ key: path, before, after }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
