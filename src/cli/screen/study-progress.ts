/** @file What a person sees of a whole study: which job runs, how it ended, and how long the rest should take, corrected by what was seen. */

import type { JobSummary, StudyEvent } from "../../app/study/study-events.ts";
import { bytes, duration } from "../../base/human-numbers.ts";
import { visible } from "../../base/visible.ts";
import { wallSeconds } from "../../study/schedule.ts";
import type { ProgressLine } from "./progress.ts";

/** A measured peak above this many times the estimate is worth a word. */
const MEMORY_TOLERANCE = 1.25;

/** Turns a study's events into lines. */
export class StudyProgress {
  private readonly line: ProgressLine;
  private readonly now: () => number;
  private hasReportedMemory = false;
  /** Estimated seconds of jobs that have not begun. */
  private readonly waiting = new Map<string, number>();
  private concurrency = 1;
  private readonly running = new Map<string, { index: number; total: number; started: number }>();
  private secondsSeen = 0;
  private secondsEstimated = 0;

  /** @param now  milliseconds */
  constructor(line: ProgressLine, now: () => number) {
    this.line = line;
    this.now = now;
  }

  onEvent(event: StudyEvent): void {
    if (event.kind === "planned") {
      this.concurrency = event.concurrency;
      for (const { id, seconds } of event.jobs) this.waiting.set(id, seconds);
      return;
    }
    if (event.kind === "baseline") {
      this.line.say(visible(`baseline ${event.baseline}: ${event.task}`));
      return;
    }
    const { id, label, seconds: estimated } = event.job;
    if (event.kind === "started") {
      this.waiting.delete(id);
      this.running.set(id, { index: event.index, total: event.total, started: this.now() });
      return;
    }
    if (event.kind === "note") {
      this.line.say(visible(`${label}: ${event.text}`));
      return;
    }
    const { index, total, started } = this.running.get(id)!;
    if (event.kind === "step" || event.kind === "scored") {
      this.compareMemory(event.job, event.progress.peak_memory_bytes);
      this.line.update({ ...event.progress, label, index, pieces: total, secondsAfter: this.secondsAfter() });
      return;
    }
    this.running.delete(id);
    const seconds = (this.now() - started) / 1000;
    if (event.kind === "done") {
      this.secondsSeen += seconds;
      this.secondsEstimated += estimated;
    }
    const reason = event.kind === "failed" ? `: ${event.reason}` : "";
    const inAll = (event.kind === "done" && event.seconds) || 0;
    const calls = inAll > seconds + 1 ? ` (${duration(inAll)} with earlier calls)` : "";
    this.line.say(`[${index}/${total}] ${label}  ${event.kind} after ${duration(seconds)}${calls}${reason}`);
  }

  /** Says once when memory is clearly beyond the plan. It is the whole process's: all running jobs share it. */
  private compareMemory({ label, memoryBytes = Number.NaN }: JobSummary, measured: number | undefined): void {
    const expected = this.running.size * memoryBytes;
    if (measured === undefined || this.hasReportedMemory || !(measured > MEMORY_TOLERANCE * expected)) return;
    this.hasReportedMemory = true;
    this.line.say(
      `${label}: ${bytes(measured)} are held after its first step; the plan expected ${bytes(expected)} for ${this.running.size} at once.`,
    );
  }

  /** Of the jobs that have not begun, side by side. */
  private secondsAfter(): number {
    const estimated = wallSeconds([...this.waiting.values()], this.concurrency);
    return this.secondsEstimated > 0 ? (estimated * this.secondsSeen) / this.secondsEstimated : estimated;
  }
}
