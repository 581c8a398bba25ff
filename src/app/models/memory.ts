/** @file Whether this machine can hold a model, with the arithmetic. */

import { totalmem } from "node:os";
import { SpecError } from "../../base/errors.ts";
import { bytes, count } from "../../base/human-numbers.ts";
import type { ModelSize } from "./base-model.ts";
import { memoryOf, OWN_WEIGHTS, sumOf, type WeightCost } from "./memory-estimate.ts";

/** What estimates may be wrong by: a model is refused where not even the least that it may take is there. */
const ESTIMATE_ERROR = 1.15;

/** Memory of this machine, or of the container that the process is in. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Whether a machine may hold what an estimate says. @param memory  in bytes; default: this machine's */
export function mayFit(needed: number, memory = machineMemory()): boolean {
  return needed / ESTIMATE_ERROR <= memory;
}

/**
 * Refuses a model that cannot fit.
 * @param needed estimated peak; default: only to run it in our own engine
 * @param memory of what computes; default: this machine's
 * @throws {SpecError} with what goes where
 */
export function refuseLargeModel(
  name: string,
  size: ModelSize,
  needed = sumOf(memoryOf(size, 0)),
  memory = machineMemory(),
  cost: WeightCost = OWN_WEIGHTS,
): void {
  if (mayFit(needed, memory)) return;
  const weights = cost.bytes(size);
  throw new SpecError({
    place: name,
    expected: `a model that fits into ${bytes(memory)} of memory`,
    got: `about ${bytes(needed)}: ${count(size.parameters)} weights ${cost.what} are ${bytes(weights)}, what trains beside them, activations and the engine ${bytes(needed - weights)}`,
    remedy:
      "Choose a smaller model, a machine with more memory, or options.worker torch with method lora, train.bf16 and train.load_in_4bit, which takes least.",
  });
}
