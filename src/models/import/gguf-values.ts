/** @file The named values of a GGUF file, read key by key, with errors that name file and key. */

import { CheckpointError } from "../../base/errors.ts";
import type { GgufFile, GgufScalar, GgufValue } from "../../formats/gguf.ts";

type Is<T> = (value: unknown) => value is T;

/** Values of a file that is hostile until each one was read. */
export class GgufValues {
  readonly place: string;
  private readonly values: GgufFile["values"];

  constructor({ values }: Pick<GgufFile, "values">, place: string) {
    this.values = values;
    this.place = place;
  }

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** A whole number of at least `least`. @param fallback  where the file says nothing; without one that is an error */
  whole(key: string, fallback?: number, least = 1): number {
    const is: Is<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= least;
    return this.read(key, fallback, `a whole number of at least ${least}`, is);
  }

  /** A number above 0, as the shortest decimal that is the same float32. */
  real(key: string, fallback?: number): number {
    const is: Is<number> = (value): value is number => Number.isFinite(value) && (value as number) > 0;
    return shortest(this.read(key, fallback, "a number above 0", is));
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.read(key, fallback, "true or false", (value): value is boolean => typeof value === "boolean");
  }

  text(key: string, fallback?: string): string {
    return this.read(key, fallback, "a text", (value): value is string => typeof value === "string");
  }

  texts(key: string): readonly string[] {
    return this.list(key, "string") as readonly string[];
  }

  numbers(key: string): readonly number[] {
    return this.list(key, "number") as readonly number[];
  }

  /** An error about one key. */
  refuse(key: string, expected: string, remedy = DAMAGED): never {
    throw new CheckpointError({
      place: `${this.place}: ${key}`,
      expected,
      got: written(this.values.get(key)),
      remedy,
    });
  }

  private list(key: string, kind: "string" | "number"): readonly GgufScalar[] {
    const value = this.values.get(key);
    if (value !== undefined && "values" in value && value.values.every((one) => typeof one === kind))
      return value.values;
    return this.refuse(key, `a list of ${kind}s`);
  }

  private read<T extends GgufScalar>(key: string, fallback: T | undefined, expected: string, is: Is<T>): T {
    const found = this.values.get(key);
    const value = found === undefined ? fallback : "value" in found ? found.value : undefined;
    return is(value) ? value : this.refuse(key, expected);
  }
}

const DAMAGED = "The file is damaged, or written by a program that leaves this out: take another one of the model.";

function written(value: GgufValue | undefined): string {
  if (value === undefined) return "nothing";
  return "values" in value ? `a list of ${value.values.length}` : JSON.stringify(value.value).slice(0, 100);
}

/** Files hold float32: 1e-5 stands there as 0.00000999999974…; models' own files say 1e-5. */
function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
