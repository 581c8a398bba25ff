/** @file Runs jobs on this machine, one after another, in a thread of their own. */

import { Worker } from "node:worker_threads";
import type { ExecuteJob, Outcome, RunProgress } from "../study/types.ts";

export interface LocalWorkerOptions {
  /** Where converted weights are kept. */
  cacheFolder: string;
  /** Versions that go into receipts. */
  versions: Record<string, string>;
}

/** What the thread is started with; `aborted` is one shared Int32, 1 once the signal has fired. */
export interface ThreadData extends LocalWorkerOptions {
  aborted: SharedArrayBuffer;
}

export type FromThread =
  | { kind: "progress"; progress: RunProgress }
  | { kind: "outcome"; id: string; outcome: Outcome };

export interface LocalWorker {
  execute: ExecuteJob;
  close(): Promise<void>;
}

/** Starts the thread. Jobs given at once wait for one another: a thread has one set of networks. */
export function createLocalWorker(options: LocalWorkerOptions): LocalWorker {
  const aborted = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const flag = new Int32Array(aborted);
  const workerData: ThreadData = { ...options, aborted };
  const thread = new Worker(new URL("./local-thread.js", import.meta.url), { workerData });
  let before: Promise<unknown> = Promise.resolve();

  const execute: ExecuteJob = (job, onProgress, signal) => {
    const run = async (): Promise<Outcome> => {
      if (signal.aborted) return { state: "interrupted" };
      const onAbort = () => Atomics.store(flag, 0, 1);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        return await new Promise<Outcome>((resolve, reject) => {
          const onMessage = (message: FromThread) => {
            if (message.kind === "progress") return onProgress(message.progress);
            stopListening();
            resolve(message.outcome);
          };
          const onExit = (error: unknown) => {
            stopListening();
            reject(error instanceof Error ? error : new Error(`the worker's thread ended with status ${error}`));
          };
          const stopListening = () => thread.off("message", onMessage).off("error", onExit).off("exit", onExit);
          thread.on("message", onMessage).on("error", onExit).on("exit", onExit);
          thread.postMessage(job);
        });
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    };
    const result = before.then(run);
    before = result.catch(() => undefined);
    return result;
  };

  return {
    execute,
    close: async () => {
      await before;
      const ended = new Promise((resolve) => thread.once("exit", resolve));
      thread.postMessage("close");
      await ended;
    },
  };
}
