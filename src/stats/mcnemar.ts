/** @file Exact McNemar: are two trained models right equally often on the same independent items? */

import { incompleteBeta } from "./special.ts";

/** Items that only one of the two has right, and the two-sided p value. */
export interface McNemar {
  onlyA: number;
  onlyB: number;
  pValue: number;
}

/**
 * Two-sided binomial test that a discordant item is as likely to be A's as B's: p = min(1, 2 P(X <= min(onlyA, onlyB))), X ~ B(n, 1/2).
 * Speaks of these two checkpoints, not of retraining them; the items must not depend on each other (else: approximate randomisation).
 * No discordant item: p = 1. Below its level with few discordant items, as any exact test of counts is.
 *
 * @param a  [n] 1 right, 0 wrong; any other value gives NaN
 * @param b  [n] on the same items
 * @source McNemar 1947; golden test/golden/stats/tests (statsmodels mcnemar, exact)
 */
export function mcnemarExact(a: readonly number[], b: readonly number[]): McNemar {
  let onlyA = 0;
  let onlyB = 0;
  let isBinary = true;
  a.forEach((inA, i) => {
    const inB = b[i];
    isBinary &&= (inA === 0 || inA === 1) && (inB === 0 || inB === 1);
    if (inA === 1 && inB === 0) onlyA++;
    if (inA === 0 && inB === 1) onlyB++;
  });
  const few = Math.min(onlyA, onlyB);
  // P(X <= few) = I_1/2(n - few, few + 1)
  const tail = onlyA === onlyB ? 1 : incompleteBeta(0.5, 0.5, onlyA + onlyB - few, few + 1);
  return { onlyA, onlyB, pValue: isBinary ? Math.min(1, 2 * tail) : Number.NaN };
}
