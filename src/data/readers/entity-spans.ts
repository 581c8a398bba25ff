/** @file Runs of tagged tokens as spans. */

/** Tokens [from, to) of one type. */
export interface Run {
  from: number;
  to: number;
  type: string;
}

/** Longest runs of one type; null is outside. A token for which `begins` is true starts a new run even after its own type. */
export function runsOf(types: readonly (string | null)[], begins: (at: number) => boolean = () => false): Run[] {
  const runs: Run[] = [];
  for (const [at, type] of types.entries()) {
    const last = runs.at(-1);
    if (type === null) continue;
    if (last !== undefined && last.to === at && last.type === type && !begins(at)) last.to = at + 1;
    else runs.push({ from: at, to: at + 1, type });
  }
  return runs;
}
