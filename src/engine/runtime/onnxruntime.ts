/**
 * @file ONNX Runtime, loaded with its telemetry switched off: the one place that loads the library.
 *
 * Its builds for Linux and macOS collect usage events for Microsoft and upload them unless ORT_DISABLE_TELEMETRY is set in the process when the native
 * library is loaded. An `import` runs before the statements of its file, so the library is loaded by `require`.
 * @source microsoft/onnxruntime docs/Privacy.md
 */

import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import { WorkerError } from "../../base/errors.ts";

const VARIABLE = "ORT_DISABLE_TELEMETRY";

process.env[VARIABLE] = "1";
if (!isMainThread && process.platform !== "win32" && processEnvironment()[VARIABLE] !== "1") {
  throw new WorkerError({
    place: "ONNX Runtime in a worker thread",
    expected: `${VARIABLE}=1 in the environment of the process, which alone the native library reads`,
    got: "a thread with a copy of the environment, in which setting the variable changes nothing",
    remedy: `Start the thread with env: SHARE_ENV, or set process.env.${VARIABLE} = "1" in the main thread first. Else the library sends usage events.`,
  });
}

export const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");

/** The environment that native code sees: in a worker thread process.env may be a copy. */
function processEnvironment(): Readonly<Record<string, string>> {
  const report = process.report as typeof process.report & { excludeNetwork: boolean; excludeEnv: boolean };
  const { excludeNetwork, excludeEnv } = report;
  Object.assign(report, { excludeNetwork: true, excludeEnv: false }); // names of peers would be looked up
  try {
    return (report.getReport() as unknown as { environmentVariables: Record<string, string> }).environmentVariables;
  } finally {
    Object.assign(report, { excludeNetwork, excludeEnv });
  }
}
