/** @file The machine that a receipt names. */

import { cpus, platform, totalmem } from "node:os";
import type { Receipt } from "../runs/types.ts";

/** Of this machine. */
export function hostFacts(): Receipt["host"] {
  const cores = cpus();
  return { platform: platform(), cpu: cores[0]?.model ?? "unknown", cores: cores.length, memory_bytes: totalmem() };
}
