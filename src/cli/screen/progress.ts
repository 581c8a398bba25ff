/** @file Progress on the screen: one rewritten line on a terminal, elsewhere one plain line per interval. */

import type { Progress } from "../../app/workspace.ts";
import { count, duration } from "../../base/human-numbers.ts";

const REWRITE_MS = 200;
const PLAIN_INTERVAL_MS = 10_000;

export interface ProgressOptions {
  /** A terminal that can rewrite its line. */
  isTerminal: boolean;
  columns: number;
  now(): number;
  write(text: string): void;
}

/** Shows the progress of the jobs that go on, whichever spoke last. */
export class ProgressLine {
  private readonly options: ProgressOptions;
  private lastShown = Number.NEGATIVE_INFINITY;
  /** Where each job's present phase began. */
  private readonly phases = new Map<string, { name: string; start: number; done: number }>();
  private isOpen = false;

  constructor(options: ProgressOptions) {
    this.options = options;
  }

  /** Shows where a job stands, if enough time has passed since the last showing. */
  update(progress: Progress): void {
    const now = this.options.now();
    let phase = this.phases.get(progress.id);
    if (phase?.name !== progress.phase || progress.done < phase.done) {
      phase = { name: progress.phase, start: now, done: progress.done };
      this.phases.set(progress.id, phase);
    }
    if (now - this.lastShown < (this.options.isTerminal ? REWRITE_MS : PLAIN_INTERVAL_MS)) return;
    this.lastShown = now;
    this.show(lineOf(progress, progress.done - phase.done, (now - phase.start) / 1000));
  }

  /** A line that stays. */
  say(text: string): void {
    this.close();
    this.options.write(`${text}\n`);
  }

  /** Ends a rewritten line. */
  close(): void {
    if (this.isOpen) this.options.write("\r\x1b[K");
    this.isOpen = false;
  }

  private show(text: string): void {
    if (!this.options.isTerminal) {
      this.options.write(`${text}\n`);
      return;
    }
    this.isOpen = true;
    this.options.write(`\r${text.slice(0, Math.max(20, this.options.columns - 1))}\x1b[K`);
  }
}

/** @param fresh  steps or examples done in this phase, within `seconds` */
function lineOf(progress: Progress, fresh: number, seconds: number): string {
  const { phase, done, total, unit, loss, tokens_per_second, secondsAfter = Number.NaN } = progress;
  const rate = fresh / seconds;
  const left = (total - done) / rate;
  const parts = [
    `[${progress.index}/${progress.pieces}] ${progress.label}`,
    total > 0 ? `${phase} ${count(done)}/${count(total)} ${unit}` : phase,
    loss === undefined ? "" : `loss ${loss.toFixed(3)}`,
    rateOf(rate, unit, tokens_per_second),
    Number.isFinite(left) && left > 0 ? `${duration(left)} left` : "",
    Number.isFinite(secondsAfter) && secondsAfter > 0 ? `then about ${duration(secondsAfter)}` : "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function rateOf(rate: number, unit: string, tokensPerSecond: number | undefined): string {
  if (tokensPerSecond !== undefined) return `${count(tokensPerSecond)} tokens/s`;
  return Number.isFinite(rate) && rate > 0 ? `${rate >= 10 ? count(rate) : rate.toFixed(1)} ${unit}/s` : "";
}
