/**
 * @file ONNX Runtime, loaded with its telemetry switched off: the one place that loads the library.
 *
 * Its builds collect usage events for Microsoft and upload them unless ORT_DISABLE_TELEMETRY is set when the native library is loaded. An `import`
 * runs before the statements of its file, so the library is loaded by `require`. In a worker thread the native library sees only a shared
 * environment: start such threads with `env: SHARE_ENV`, or set the variable before the process starts.
 */

import { createRequire } from "node:module";

process.env.ORT_DISABLE_TELEMETRY = "1";

export const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");
