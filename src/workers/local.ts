/**
 * @file Runs jobs in threads: those of this machine each in one of its own, which keeps its networks and data for the jobs that follow; those of a
 * cluster all in one, which mostly waits.
 */

import { SHARE_ENV, Worker } from "node:worker_threads";
import type { TokenCache } from "../data/tokens/token-cache.ts";
import type { ExecuteJob, Job, Outcome, RunProgress } from "../study/types.ts";
import type { RaySettings } from "./ray-engine.ts";
import type { TorchSettings } from "./torch-engine.ts";

export interface LocalWorkerOptions {
  /** PyTorch instead of our own engine. */
  torch?: TorchSettings | undefined;
  /** A Ray cluster in place of this machine. */
  ray?: RaySettings | undefined;
  /** Where converted weights are kept. */
  cacheFolder: string;
  /** Where tokenised splits are kept; absent: nowhere. */
  tokenCache?: TokenCache | undefined;
  /** Versions that go into receipts. */
  versions: Record<string, string>;
}

/** What the thread is started with; `aborted` is one shared Int32, 1 once the signal has fired. */
export interface ThreadData extends LocalWorkerOptions {
  aborted: SharedArrayBuffer;
  /** Which of the threads that live it is: the lowest number that was free. */
  slot: number;
}

export type FromThread =
  | { kind: "progress"; progress: RunProgress }
  | { kind: "outcome"; id: string; outcome: Outcome }
  | { kind: "note"; text: string };

export interface LocalWorker {
  execute: ExecuteJob;
  close(): Promise<void>;
}

/** Jobs that are given at once run at once: whoever calls decides how many. @param note  told what a person may want to know */
export function createLocalWorker(options: LocalWorkerOptions, note: (text: string) => void = () => {}): LocalWorker {
  const idle: Worker[] = [];
  const aborted = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const slots = new Set<number>();
  const start = () => {
    let slot = 0;
    while (slots.has(slot)) slot += 1;
    slots.add(slot);
    const workerData: ThreadData = { ...options, aborted, slot };
    return new Worker(new URL("./local-thread.js", import.meta.url), { workerData, env: SHARE_ENV })
      .on("message", (message: FromThread) => {
        if (message.kind === "note") note(message.text);
      })
      .once("exit", () => slots.delete(slot));
  };
  const isShared = options.ray !== undefined;

  const execute: ExecuteJob = async (job, onProgress, signal) => {
    if (signal.aborted) return { state: "interrupted" };
    const onAbort = () => Atomics.store(new Int32Array(aborted), 0, 1);
    signal.addEventListener("abort", onAbort, { once: true });
    const thread = isShared ? (idle[0] ?? start().setMaxListeners(0)) : (idle.pop() ?? start());
    if (isShared) idle[0] = thread;
    try {
      const outcome = await runIn(thread, job, onProgress);
      if (!isShared) idle.push(thread); // a thread that died is not taken again
      return outcome;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };

  return {
    execute,
    close: async () => {
      const endings = idle.map((thread) => new Promise((resolve) => thread.once("exit", resolve)));
      for (const thread of idle.splice(0)) thread.postMessage("close");
      await Promise.all(endings);
    },
  };
}

/** @throws {Error} the thread ended before the job did */
function runIn(thread: Worker, job: Job, onProgress: (progress: RunProgress) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromThread) => {
      if (message.kind === "note" || (message.kind === "progress" ? message.progress.id : message.id) !== job.id)
        return;
      if (message.kind === "progress") return onProgress(message.progress);
      stopListening();
      resolve(message.outcome);
    };
    const onEnd = (error: unknown) => {
      stopListening();
      reject(error instanceof Error ? error : new Error(`the worker's thread ended with status ${error}`));
    };
    const stopListening = () => thread.off("message", onMessage).off("error", onEnd).off("exit", onEnd);
    thread.on("message", onMessage).on("error", onEnd).on("exit", onEnd);
    thread.postMessage(job);
  });
}
