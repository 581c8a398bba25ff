/** @file Order of numbers that may not exist. */

/** The larger first, what does not exist last. */
export function comesFirst(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return b - a;
}
