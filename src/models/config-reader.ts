/** @file Reads a config.json field by field, with errors that name the file and the key. */

import { CheckpointError } from "../base/errors.ts";

type Json = Readonly<Record<string, unknown>>;

/** A config.json (or an object inside it) that is hostile until each field was read. */
export class ConfigReader {
  readonly place: string;
  private readonly json: Json;

  constructor(json: unknown, place: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new CheckpointError({ place, expected: "a JSON object", got: JSON.stringify(json), remedy: REMEDY });
    }
    this.json = json as Json;
    this.place = place;
  }

  has(key: string): boolean {
    return this.json[key] !== undefined && this.json[key] !== null;
  }

  /** A whole number from 1 to `most`. */
  count(key: string, fallback?: number, most = MAX_COUNT): number {
    const is = (value: unknown): value is number => isCount(value) && value <= most;
    return this.read(
      key,
      fallback,
      most === MAX_COUNT ? "a whole number above 0" : `a whole number from 1 to ${most}`,
      is,
    );
  }

  /** A whole number, 0 included. */
  whole(key: string, fallback: number): number {
    return this.read(key, fallback, "a whole number", (v): v is number => v === 0 || isCount(v));
  }

  /** A whole number above 0, or null where the file says null; `fallback` only where it says nothing. */
  countOrNull(key: string, fallback: number | null): number | null {
    if (this.json[key] === null || (this.json[key] === undefined && fallback === null)) return null;
    return this.count(key, fallback ?? undefined);
  }

  positive(key: string, fallback?: number): number {
    return this.read(key, fallback, "a number above 0", isPositive);
  }

  /** As {@link countOrNull}, of any number above 0. */
  positiveOrNull(key: string, fallback: number): number | null {
    return this.json[key] === null ? null : this.positive(key, fallback);
  }

  /** A list of `length` numbers above 0. */
  positives(key: string, length: number): readonly number[] {
    const is = (value: unknown): value is number[] =>
      Array.isArray(value) && value.length === length && value.every(isPositive);
    return this.read(key, undefined, `a list of ${length} numbers above 0`, is);
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.read(key, fallback, "true or false", (v): v is boolean => typeof v === "boolean");
  }

  text(key: string, fallback?: string): string {
    return this.read(key, fallback, "a text", (v): v is string => typeof v === "string");
  }

  /** A list whose members are among `known`. */
  names<T extends string>(key: string, length: number, known: readonly T[]): readonly T[] {
    const is = (value: unknown): value is T[] =>
      Array.isArray(value) && value.length === length && value.every((one) => known.includes(one));
    return this.read(key, undefined, `a list of ${length} of ${known.join(", ")}`, is);
  }

  object(key: string): ConfigReader {
    return new ConfigReader(this.json[key], `${this.place}: ${key}`);
  }

  /** Stands for an object that is not there. */
  empty(key: string): ConfigReader {
    return new ConfigReader({}, `${this.place}: ${key}`);
  }

  /** Stops when a feature that we do not have is switched on. */
  refuse(key: string, value: unknown): void {
    if (this.json[key] === value) this.unsupported(key);
  }

  /** Stops when a field is there with another value than the one that we have. */
  demand(key: string, value: unknown): void {
    if (this.has(key) && this.json[key] !== value) this.unsupported(key, value);
  }

  unsupported(key: string, value?: unknown): never {
    throw new CheckpointError({
      place: `${this.place}: ${key}`,
      expected: value === undefined ? "a feature that this engine has" : JSON.stringify(value),
      got: JSON.stringify(this.json[key]),
      remedy: "The embedded engine cannot run this model: choose another.",
    });
  }

  private read<T>(key: string, fallback: T | undefined, expected: string, is: (value: unknown) => value is T): T {
    const value = this.has(key) ? this.json[key] : fallback;
    if (is(value)) return value;
    const got = value === undefined ? "nothing" : JSON.stringify(value);
    throw new CheckpointError({ place: `${this.place}: ${key}`, expected, got, remedy: REMEDY });
  }
}

/** Larger than any size of a model. */
const MAX_COUNT = 2 ** 40;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isPositive = (value: unknown): value is number => Number.isFinite(value) && (value as number) > 0;

const REMEDY = "The folder's config.json is damaged or of another kind of model: fetch the model again.";
