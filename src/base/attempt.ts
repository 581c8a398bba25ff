/** @file A look at what may be damaged. */

import { MixtuneError } from "./errors.ts";

/** What a look at files gives; a damaged one is told of, and gives nothing. */
export function attempt<T>(look: () => T, onProblem: (message: string) => void = () => {}): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    onProblem(error.message);
    return undefined;
  }
}
