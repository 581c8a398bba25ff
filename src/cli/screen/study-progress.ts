/** @file What a person sees of a whole study: which job runs, how it ended, and how long the rest should take, corrected by what was seen. */

import { bytes, duration } from "../../base/human-numbers.ts";
import { visible } from "../../base/visible.ts";
import type { QueuedJob, StudyEvent } from "../../study/execute.ts";
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
  private readonly concurrency: number;
  private readonly total: number;
  /** Jobs that go on. */
  private readonly running = new Map<string, { index: number; started: number }>();
  private secondsSeen = 0;
  private secondsEstimated = 0;

  /**
   * @param queue            jobs that are to be done
   * @param concurrency      jobs at a time
   * @param memoryEstimates  bytes that the plan expects, by run id
   * @param now              milliseconds
   */
  constructor(
    queue: readonly QueuedJob[],
    concurrency: number,
    memoryEstimates: ReadonlyMap<string, number>,
    nameOf: (id: string) => string,
    line: ProgressLine,
    now: () => number,
  ) {
    this.concurrency = concurrency;
    this.total = queue.length;
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
      this.running.set(id, { index: event.index, started: this.now() });
      return;
    }
    const { index, started } = this.running.get(id)!;
    if (event.kind === "progress") {
      const { note, peak_memory_bytes } = event.progress;
      if (note !== undefined) {
        this.line.say(visible(`${this.nameOf(id)}: ${note}`));
        return;
      }
      this.compareMemory(id, peak_memory_bytes);
      const whole = { label: this.nameOf(id), index, total: this.total, secondsAfter: this.secondsAfter() };
      this.line.update(whole, event.progress);
      return;
    }
    this.running.delete(id);
    const seconds = (this.now() - started) / 1000;
    if (event.outcome.state === "done") {
      this.secondsSeen += seconds;
      this.secondsEstimated += this.estimates.get(id) ?? 0;
    }
    const reason = event.outcome.state === "failed" ? `: ${event.outcome.reason}` : "";
    this.line.say(
      `[${index}/${this.total}] ${this.nameOf(id)}  ${event.outcome.state} after ${duration(seconds)}${reason}`,
    );
  }

  /** Says once when memory is clearly beyond the plan. It is the whole process's: all runs that go on share it. */
  private compareMemory(id: string, measured: number | undefined): void {
    const expected = this.running.size * (this.memoryEstimates.get(id) ?? Number.NaN);
    if (measured === undefined || this.toldOfMemory || !(measured > MEMORY_TOLERANCE * expected)) return;
    this.toldOfMemory = true;
    this.line.say(
      `${this.nameOf(id)}: ${bytes(measured)} are held after its first step; the plan expected ${bytes(expected)} for ${this.running.size} at once.`,
    );
  }

  close(): void {
    this.line.close();
  }

  private secondsAfter(): number {
    const estimated = [...this.waiting.values()].reduce((sum, seconds) => sum + seconds, 0) / this.concurrency;
    return this.secondsEstimated > 0 ? (estimated * this.secondsSeen) / this.secondsEstimated : estimated;
  }
}
