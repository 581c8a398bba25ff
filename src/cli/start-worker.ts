/** @file The local worker as this command line starts it. */

import { createRequire } from "node:module";
import { weightCache } from "../workers/job-runner.ts";
import { createLocalWorker, type LocalWorker } from "../workers/local.ts";
import type { Context } from "./context.ts";
import { packageVersion } from "./package.ts";

export function startWorker({ settings }: Context): LocalWorker {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  const versions = { mixtune: packageVersion(), node: process.versions.node, "onnxruntime-node": version };
  return createLocalWorker({ cacheFolder: weightCache(settings.cacheDir), versions });
}
