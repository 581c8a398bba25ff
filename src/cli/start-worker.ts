/** @file The local worker as this command line starts it. */

import { createRequire } from "node:module";
import { join } from "node:path";
import type { TokenCache } from "../data/token-cache.ts";
import type { RunSpec } from "../specs/types.ts";
import { createLocalWorker, type LocalWorker } from "../workers/local.ts";
import { findTorch } from "../workers/python.ts";
import { weightCache } from "../workers/shared-parts.ts";
import type { TorchSettings } from "../workers/torch-engine.ts";
import type { Context } from "./context.ts";
import { codeDigest, packageRoot, packageVersion } from "./package.ts";
import type { Settings } from "./settings.ts";

/** Tokenised splits of earlier calls of the same program. */
export function tokenCacheOf({ cacheDir }: Settings): TokenCache | undefined {
  const code = codeDigest();
  return code === undefined ? undefined : { folder: join(cacheDir, "tokens"), code };
}

/** @param kind  what trains */
export function startWorker({ settings }: Context, kind: RunSpec["worker"]["kind"] = "local"): LocalWorker {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  const versions = { mixtune: packageVersion(), node: process.versions.node, "onnxruntime-node": version };
  return createLocalWorker({
    ...(kind === "torch" && { torch: torchOf(settings) }),
    cacheFolder: weightCache(settings.cacheDir),
    tokenCache: tokenCacheOf(settings),
    versions,
  });
}

/**
 * PyTorch as this machine has it.
 * @throws {WorkerError} no Python, or one without what the worker needs
 */
function torchOf({ python = "python3", workerEnvironment }: Settings): TorchSettings {
  const environment = { ...workerEnvironment, PYTHONPATH: join(packageRoot(), "python"), HF_HUB_OFFLINE: "1" };
  return { python, environment, device: "auto", isGpu: findTorch(python, environment).isGpu };
}
