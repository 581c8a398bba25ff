/** @file The Python of the PyTorch worker: is there one, and what has it? */

import { spawnSync } from "node:child_process";
import { z } from "zod";
import { WorkerError } from "../base/errors.ts";

/** What the PyTorch worker says of itself. */
export interface TorchFound {
  versions: Record<string, string>;
  /** That PyTorch computes on: 0, and the processor does. */
  numGpus: number;
  /** Bytes of the smallest of them; undefined without a GPU. */
  gpuMemory: number | undefined;
  /** The processor, or the first GPU's name. */
  device: string;
}

/** Importing PyTorch takes seconds, from a cold disk many. */
const TORCH_TIMEOUT_MS = 120_000;

const info = z.union([
  z.looseObject({
    python: z.string(),
    torch: z.string(),
    transformers: z.string(),
    peft: z.string(),
    device: z.enum(["cpu", "cuda"]),
    device_name: z.string(),
    device_count: z.int().positive().optional(),
    device_memory: z.number().optional(),
  }),
  z.looseObject({ place: z.string(), expected: z.string(), got: z.string(), remedy: z.string() }),
]);

/**
 * Asks the PyTorch worker what it runs on.
 * @param environment  all that it sees, PYTHONPATH with the worker included
 * @throws {WorkerError} no Python, a package that is missing or too old
 */
export function findTorch(python: string, environment: Readonly<Record<string, string>>): TorchFound {
  const { status, stdout, stderr, error } = spawnSync(python, ["-m", "mixtune_worker", "info"], {
    encoding: "utf8",
    env: { ...environment },
    timeout: TORCH_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = error === undefined ? info.safeParse(jsonOf(stdout)).data : undefined;
  if (said === undefined) {
    throw new WorkerError({
      place: python,
      expected: "a Python with PyTorch, transformers and PEFT",
      got: error?.message ?? (stderr.trim().split("\n").at(-1) || `status ${status}`),
      remedy: "Run mixtune setup torch, or name an interpreter that has them in MIXTUNE_PYTHON.",
    });
  }
  if ("place" in said && !("device" in said))
    throw new WorkerError(said as ConstructorParameters<typeof WorkerError>[0]);
  const {
    device,
    device_name,
    device_count = 1,
    device_memory: gpuMemory,
    ...versions
  } = said as Extract<z.infer<typeof info>, { device: unknown }>;
  const texts = Object.entries(versions).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const numGpus = device === "cuda" ? device_count : 0;
  return { versions: Object.fromEntries(texts), numGpus, gpuMemory, device: device_name };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
