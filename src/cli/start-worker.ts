/** @file The local worker as this command line starts it. */

import { createRequire } from "node:module";
import { join } from "node:path";
import type { TokenCache } from "../data/token-cache.ts";
import { createLocalWorker, type LocalWorker } from "../workers/local.ts";
import { weightCache } from "../workers/shared-parts.ts";
import type { Context } from "./context.ts";
import { codeDigest, packageVersion } from "./package.ts";
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
function torchOf(settings: Settings): TorchSettings {
  const environment = { ...settings.workerEnvironment, PYTHONPATH: WORKER_FOLDER, HF_HUB_OFFLINE: "1" };
  const python = settings.python ?? torchPython(settings.cacheDir);
  const { isGpu } = checkTorch(python, environment);
  return { python, environment, device: "auto", isGpu };
}
