/** @file What mixtune doctor found, as a person reads it. */

import type { Diagnosis } from "../../app/doctor.ts";
import { bytes } from "../../base/human-numbers.ts";

/** Checks, remedies, and which models fit. */
export function doctorText({ checks, models }: Diagnosis): string {
  const remedies = checks.flatMap(({ name, remedy }) => (remedy === undefined ? [] : [`${name}: ${remedy}`]));
  const fits = models.map(
    ({ name, needs_bytes, fits }) =>
      `${fits ? "fits" : "does not fit"}: ${name} (LoRA takes roughly ${bytes(needs_bytes)})`,
  );
  const table = checks.map(({ state, name, found }) => `${state.padEnd(4)}  ${name.padEnd(16)}  ${found}`);
  return [...table, ...(remedies.length === 0 ? [] : ["", ...remedies]), "", ...fits].join("\n");
}
