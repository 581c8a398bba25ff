/** @file What becomes of the keys of another tool's configuration, as a table: the form of llama-factory-keys.ts and axolotl-keys.ts. */

import { strict as assert } from "node:assert";

/**
 * - `carried`: read by the importer; where a configuration makes it idle (an adapter's rank under full fine-tuning) it has no bearing;
 * - `cannot`: changes what is learned and has no place in a study, unless its value is neutral;
 * - `no_bearing`: logging, speed, memory, files: the same weights come out.
 */
export type Fate = "carried" | "cannot" | "no_bearing";

/** Keys that share a fate and its reason. */
export interface KeyGroup {
  fate: Fate;
  /** Of `carried`: what it becomes. Of the others: what it would have meant, and what mixtune does instead. */
  why: string;
  /** Separated by white space. */
  keys: string;
  /** Values that ask for what mixtune does anyway. */
  neutral?: readonly unknown[];
}

/** Off, in the words of YAML 1.1 and 1.2. */
const OFF: readonly unknown[] = [false, 0, "", "no", "none", "false", "off"];

/** A key as the table has it. */
export interface KnownKey {
  fate: Fate;
  why: string;
  neutral: readonly unknown[];
}

/** The groups by key; a key has one fate. */
export function keyTable(groups: readonly KeyGroup[]): ReadonlyMap<string, KnownKey> {
  const table = new Map<string, KnownKey>();
  for (const { fate, why, keys, neutral = OFF } of groups) {
    for (const key of keys.trim().split(/\s+/)) {
      assert(!table.has(key), `${key} has two fates`);
      table.set(key, { fate, why, neutral });
    }
  }
  return table;
}
