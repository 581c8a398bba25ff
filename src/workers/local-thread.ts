/** @file The thread that a local worker computes in: ONNX Runtime blocks the thread it is called from, and the command's own must stay responsive. */

import { parentPort, workerData } from "node:worker_threads";
import type { Job } from "../study/types.ts";
import { embeddedEngine } from "./embedded-engine.ts";
import { JobRunner } from "./job-runner.ts";
import type { FromThread, ThreadData } from "./local.ts";
import { rayEngine } from "./ray-engine.ts";
import { torchEngine } from "./torch-engine.ts";

const port = parentPort!;
const { cacheFolder, tokenCache, versions, aborted, torch, ray, slot } = workerData as ThreadData;
const flag = new Int32Array(aborted);
const now = () => Date.now();
const send = (message: FromThread) => port.postMessage(message);
const runner = new JobRunner({ tokenCache, now }, (shared) => {
  if (ray !== undefined) return rayEngine(shared, ray, now, (text) => send({ kind: "note", text }));
  if (torch !== undefined) return torchEngine(shared, torch, slot);
  return embeddedEngine(shared, { cacheFolder, versions, now });
});

port.on("message", async (message: Job | "close") => {
  if (message === "close") {
    await runner.release();
    port.close();
    return;
  }
  const outcome = await runner.run(
    message,
    (progress) => send({ kind: "progress", progress }),
    async () => Atomics.load(flag, 0) === 1,
  );
  send({ kind: "outcome", id: message.id, outcome });
});
