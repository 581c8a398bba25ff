/** @file The worker that trains on this machine, and the PyTorch that it may use. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { TokenCache } from "../../data/tokens/token-cache.ts";
import { gpusOfRuns } from "../../workers/gpus.ts";
import { createLocalWorker, type LocalWorker, type LocalWorkerOptions } from "../../workers/local.ts";
import { findTorch } from "../../workers/python.ts";
import { weightCache } from "../../workers/shared-parts.ts";
import type { TorchSettings } from "../../workers/torch-engine.ts";
import { pythonOf } from "../../workers/torch-setup.ts";
import { codeDigest, packageRoot, packageVersion } from "../package.ts";
import type { Settings } from "../settings.ts";
import type { Workspace } from "../workspace.ts";
import type { TorchOptions } from "./worker-kind.ts";

/** Tokenised splits of earlier calls of the same program. */
export function tokenCacheOf({ cacheDir }: Settings): TokenCache | undefined {
  const code = codeDigest();
  return code === undefined ? undefined : { folder: join(cacheDir, "tokens"), code };
}

/** PyTorch, here or on a cluster; without either our own engine computes. */
export type Elsewhere = Pick<LocalWorkerOptions, "torch" | "ray">;

export function startWorker(
  { settings, note }: Pick<Workspace, "settings" | "note">,
  elsewhere: Elsewhere = {},
): LocalWorker {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  const versions = { mixtune: packageVersion(), node: process.versions.node, "onnxruntime-node": version };
  return createLocalWorker(
    {
      ...elsewhere,
      cacheFolder: weightCache(settings.cacheDir),
      tokenCache: tokenCacheOf(settings),
      versions,
    },
    note,
  );
}

/** Where mixtune setup torch makes its environment. */
export function torchFolder({ cacheDir }: Settings): string {
  return join(cacheDir, "torch");
}

/** The interpreter of the PyTorch worker: the one that was named, else that of mixtune setup torch, else the machine's. */
export function torchPython(settings: Settings): string {
  const own = pythonOf(torchFolder(settings));
  return settings.python ?? (existsSync(own) ? own : "python3");
}

/** All that the PyTorch worker sees of the environment. What keeps packages from sending anything is set by the worker (python/mixtune_worker/__init__.py). */
export function torchEnvironment({ workerEnvironment }: Settings): Record<string, string> {
  return {
    ...workerEnvironment,
    PYTHONPATH: join(packageRoot(), "python"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

/**
 * PyTorch on this machine.
 * @throws {WorkerError} no Python, or one without what the worker needs; {SpecError} fewer GPUs
 */
export function openTorch(settings: Settings, { gpus: asked, compile = false }: TorchOptions = {}): TorchHere {
  const [python, environment] = [torchPython(settings), torchEnvironment(settings)];
  const { numGpus, gpuMemory } = findTorch(python, environment);
  const gpus = gpusOfRuns(asked, numGpus, environment);
  const ranks = gpus[0]?.length ?? 1;
  const device = asked === 0 ? "cpu" : "auto";
  return {
    settings: { ...{ python, environment, device, gpus, ranks, compile }, isGpu: gpus.length > 0 },
    memory: gpus.length > 0 && gpuMemory !== undefined ? ranks * gpuMemory : undefined,
  };
}

export interface TorchHere {
  settings: TorchSettings;
  /** Bytes of the GPUs of a run; undefined: there is none, and the machine's memory counts. */
  memory: number | undefined;
}
