/** @file Who trains a study: the embedded engine, PyTorch here or on a Ray cluster, or a fine-tuning service. */

import { SpecError } from "../../base/errors.ts";
import { isHosted } from "../../specs/hosted.ts";
import type { RunSpec } from "../../specs/types.ts";

/** Who trains: the embedded engine, PyTorch on this machine or on a Ray cluster, or a fine-tuning service. */
export type WorkerName = RunSpec["worker"]["kind"] | "ray";

export const WORKER_NAMES: readonly WorkerName[] = ["local", "torch", "ray", "hosted"];

/** How PyTorch uses a machine. No result follows from it. */
export interface TorchOptions {
  /** GPUs of one run; default one, where the machine has any; 0: the processor. */
  gpus?: number | undefined;
  /** Whether the model's blocks are compiled first; default false. */
  compile?: boolean | undefined;
}

/** A Ray cluster, and where it and this computer meet. */
export interface RayOptions {
  /** The cluster's dashboard, such as http://head-node:8265. */
  address?: string | undefined;
  /** A folder or s3://… that this computer and the cluster see. */
  storage?: string | undefined;
  /** Whether to ask for the runs and return; a later call fetches what is done. Default false. */
  detach?: boolean | undefined;
}

/** Who trains, and with what. */
export interface WorkerOptions {
  /** Default local: the embedded engine. */
  worker?: WorkerName | undefined;
  torch?: TorchOptions | undefined;
  ray?: RayOptions | undefined;
}

/** @throws {SpecError} options of another worker */
export function refuseUnused({ worker = "local", torch = {}, ray = {} }: WorkerOptions): void {
  const [forTorch] = given({ gpus: torch.gpus, compile: torch.compile });
  if (forTorch !== undefined && worker !== "torch" && worker !== "ray") {
    throw new SpecError({
      place: `options.${forTorch}`,
      expected: "options.worker torch or options.worker ray beside it",
      got: `options.worker ${worker}`,
      remedy: "Add one of them, or leave it out: the embedded engine computes on the processor.",
    });
  }
  const [forRay] = given({ address: ray.address, storage: ray.storage, detach: ray.detach });
  if (forRay !== undefined && worker !== "ray") {
    throw new SpecError({
      place: `options.${forRay}`,
      expected: "options.worker ray beside it",
      got: `options.worker ${worker}`,
      remedy: "Add options.worker ray, or leave it out.",
    });
  }
}

function given(options: Record<string, unknown>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** @throws {SpecError} a model of a service for this machine, or the other way round */
export function refuseOtherModels(kind: RunSpec["worker"]["kind"], models: readonly string[]): void {
  const isOfService = kind === "hosted";
  const other = models.findIndex((model) => isHosted(model) !== isOfService);
  if (other < 0) return;
  throw new SpecError({
    place: `models[${other}]`,
    expected: isOfService ? "openai:NAME, a model that a service fine-tunes" : "a model that this machine trains",
    got: models[other]!,
    remedy: isOfService
      ? "Name models of one service, or leave options.worker hosted out."
      : "Add options.worker hosted: a fine-tuning service trains it, and is paid.",
  });
}
