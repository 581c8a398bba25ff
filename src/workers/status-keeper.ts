/** @file Keeps a job's status.json while it is worked on. */

import { hostname } from "node:os";
import { attempt } from "../base/attempt.ts";
import { readStatus, writeStatus } from "../runs/run-dir.ts";
import type { RunStatus } from "../runs/types.ts";
import type { Job } from "../study/types.ts";

/** How often status.json says that the run is alive. */
const BEAT_MS = 5_000;

/** Keeps status.json: state changes at once, signs of life every few seconds. */
export class StatusKeeper {
  private readonly job: Job;
  private readonly now: () => number;
  private readonly started: string;
  private last: RunStatus = { state: "planned" };
  private beaten = 0;
  private readonly begun: number;
  /** Of earlier calls. */
  private readonly secondsBefore: number;

  constructor(job: Job, now: () => number) {
    this.job = job;
    this.now = now;
    this.begun = now();
    this.started = new Date(this.begun).toISOString();
    this.secondsBefore = attempt(() => readStatus(job.dir))?.seconds ?? 0;
  }

  write(change: Partial<RunStatus>): void {
    this.beaten = this.now();
    const alive = {
      pid: process.pid,
      host: hostname(),
      started: this.started,
      beat: new Date(this.beaten).toISOString(),
      seconds: this.secondsBefore + (this.beaten - this.begun) / 1000,
    };
    this.last = { ...this.last, ...change, ...alive };
    writeStatus(this.job.dir, this.last);
  }

  /** For the way out of a failure: a folder that cannot be written to must not hide the reason. */
  tryWrite(change: Partial<RunStatus>): void {
    try {
      this.write(change);
    } catch {
      // The reason reaches the person as the job's outcome.
    }
  }

  beat(change: Partial<RunStatus>): void {
    if (this.now() - this.beaten >= BEAT_MS) this.write(change);
  }
}
