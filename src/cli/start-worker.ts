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

export function startWorker({ settings }: Context): LocalWorker {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  const versions = { mixtune: packageVersion(), node: process.versions.node, "onnxruntime-node": version };
  return createLocalWorker({
    cacheFolder: weightCache(settings.cacheDir),
    tokenCache: tokenCacheOf(settings),
    versions,
  });
}
