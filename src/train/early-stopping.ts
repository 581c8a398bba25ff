/** @file What dev losses decide: which checkpoint is the best, and when a run stops early. Cases: protocol/cases/early-stopping.json. */

/**
 * Whether a dev loss is better than all before it. An equal one is not.
 * @param evaluations  earlier dev losses of the run, in nats per token, in order
 */
export function isBest(evaluations: readonly number[], loss: number): boolean {
  return evaluations.every((earlier) => loss < earlier);
}

/**
 * Whether the last `patience` evaluations brought nothing better than what was before them.
 *
 * @param evaluations  dev losses of the run so far, in nats per token, in order
 * @param patience     train.early_stopping_patience; 0: never stops early
 */
export function hasStopped(evaluations: readonly number[], patience: number): boolean {
  if (patience === 0 || evaluations.length <= patience) return false;
  const before = Math.min(...evaluations.slice(0, -patience));
  return Math.min(...evaluations.slice(-patience)) >= before;
}
