/** @file All combinations of several lists of values. */

/** All ways to take one value for each key, the last key's changing fastest; one empty way where there are no keys. */
export function product<T>(entries: readonly (readonly [string, readonly T[]])[]): Record<string, T>[] {
  return entries.reduce<Record<string, T>[]>(
    (taken, [key, values]) => taken.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}
