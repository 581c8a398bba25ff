/** @file What a person sees of a whole study: which job runs, how it ended, and how long the rest should take, corrected by what was seen. */

import type { QueuedJob, StudyEvent } from "../study/execute.ts";
import { bytes, duration } from "./numbers.ts";
import type { ProgressLine } from "./progress.ts";

/** A measured peak above this many times the estimate is worth a word. */
const MEMORY_TOLERANCE = 1.25;

/** Turns a study's events into lines. */
export class StudyProgress {
  private readonly line: ProgressLine;
  private readonly nameOf: (id: string) => string;
  private readonly now: () => number;
  private readonly memoryEstimates: ReadonlyMap<string, number>;
  private toldOfMemory = false;
  /** Estimated seconds of jobs that have not begun. */
  private readonly waiting: Map<string, number>;
  private readonly estimates: ReadonlyMap<string, number>;
  private index = 0;
  private started = 0;
  private secondsSeen = 0;
  private secondsEstimated = 0;

  /**
   * @param queue            jobs that are to be done
   * @param memoryEstimates  bytes that the plan expects, by run id
   * @param now              milliseconds
   */
  constructor(
    queue: readonly QueuedJob[],
    memoryEstimates: ReadonlyMap<string, number>,
    nameOf: (id: string) => string,
    line: ProgressLine,
    now: () => number,
  ) {
    this.memoryEstimates = memoryEstimates;
    this.line = line;
    this.nameOf = nameOf;
    this.now = now;
    this.estimates = new Map(queue.map(({ job, seconds }) => [job.id, seconds]));
    this.waiting = new Map(this.estimates);
  }

  onEvent(event: StudyEvent): void {
    const { id } = event.job;
    if (event.kind === "started") {
      this.waiting.delete(id);
      this.index = event.index;
      this.started = this.now();
    } else if (event.kind === "progress") {
      const total = this.index + this.waiting.size;
      this.compareMemory(id, event.progress.peak_memory_bytes);
      this.line.update(
        { label: this.nameOf(id), index: this.index, total, secondsAfter: this.secondsAfter() },
        event.progress,
      );
    } else {
      const seconds = (this.now() - this.started) / 1000;
      if (event.outcome.state === "done") {
        this.secondsSeen += seconds;
        this.secondsEstimated += this.estimates.get(id) ?? 0;
      }
      const reason = event.outcome.state === "failed" ? `: ${event.outcome.reason}` : "";
      const place = `[${this.index}/${this.index + this.waiting.size}]`;
      this.line.say(`${place} ${this.nameOf(id)}  ${event.outcome.state} after ${duration(seconds)}${reason}`);
    }
  }

  /** Says once when a run needs clearly more memory than the plan said. */
  private compareMemory(id: string, measured: number | undefined): void {
    const expected = this.memoryEstimates.get(id);
    if (measured === undefined || expected === undefined || this.toldOfMemory || measured < MEMORY_TOLERANCE * expected)
      return;
    this.toldOfMemory = true;
    this.line.say(
      `${this.nameOf(id)} holds ${bytes(measured)} after its first step; the plan expected ${bytes(expected)}.`,
    );
  }

  close(): void {
    this.line.close();
  }

  private secondsAfter(): number {
    const estimated = [...this.waiting.values()].reduce((sum, seconds) => sum + seconds, 0);
    return this.secondsEstimated > 0 ? (estimated * this.secondsSeen) / this.secondsEstimated : estimated;
  }
}
