/** @file A study directory that another process may be writing to: its report, made anew when its files have changed, and told to who listens. */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { MixtuneError } from "../base/errors.ts";
import { runPaths } from "../runs/run-dir.ts";
import { readStudyLock, runsOnce, type StudyLock } from "../study/lock-file.ts";
import type { Questions, ReportData } from "../study/report-data.ts";
import { reportOf } from "../study/report-of.ts";
import { studyResults } from "../study/results.ts";
import { baselineDir, runDir } from "../study/scored.ts";
import type { LiveNews } from "./live-data.ts";
import { liveProgress } from "./live-progress.ts";

export interface LiveOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  /** This machine's name. */
  host: string;
  /** Between looks at the files. Default {@link POLL_MS}. */
  pollMs?: number;
  /** At least between reports. Default {@link REBUILD_MS}. */
  rebuildMs?: number;
  /** What test items ask; may be filled later. Default: none are shown. */
  questions?: Questions;
  /** Told of what is a fault of this program. */
  onFault(error: unknown): void;
}

const POLL_MS = 2000;
const REBUILD_MS = 4000;
/** Making reports takes no more than one part in so many of the time: the study itself needs the machine. */
const REBUILD_SHARE = 5;

/** Looks at the files only while somebody listens. */
export class LiveStudy {
  private readonly dir: string;
  private readonly options: LiveOptions;
  private readonly listeners = new Set<(news: LiveNews) => void>();
  private timer: NodeJS.Timeout | undefined;
  private lock: StudyLock;
  private built: { data: ReportData; json: string; version: string };
  /** Of the files that the report was last made from, whether it could be made or not. */
  private stamp: string;
  private problem: string | null = null;
  private nextBuild = 0;
  private lastNews = "";

  /** @throws {DataError} no study directory */
  constructor(dir: string, options: LiveOptions) {
    this.dir = dir;
    this.options = options;
    this.lock = readStudyLock(dir);
    this.stamp = this.stampNow();
    this.built = this.build();
  }

  get data(): ReportData {
    return this.built.data;
  }

  /** The data as report.json has them. */
  get json(): string {
    return this.built.json;
  }

  get version(): string {
    return this.built.version;
  }

  /**
   * Calls with the news now and after every change.
   * @returns ends it
   */
  listen(listener: (news: LiveNews) => void): () => void {
    this.timer ??= setInterval(() => this.look(), this.options.pollMs ?? POLL_MS);
    listener(this.news());
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private look(): void {
    if (this.options.now() >= this.nextBuild) this.refresh();
    let news: LiveNews;
    try {
      news = this.news();
    } catch (error) {
      this.options.onFault(error);
      return;
    }
    const text = JSON.stringify(news);
    if (text === this.lastNews) return;
    this.lastNews = text;
    for (const listener of this.listeners) listener(news);
  }

  /** Makes the report anew where its files have changed. What cannot be read now (a study that was moved, say) is told, and tried at the next look. */
  private refresh(): void {
    try {
      this.lock = readStudyLock(this.dir);
      const stamp = this.stampNow();
      if (stamp === this.stamp && this.problem === null) return;
      this.stamp = stamp;
      this.built = this.build();
      this.problem = null;
    } catch (error) {
      if (!(error instanceof MixtuneError)) this.options.onFault(error);
      this.problem = error instanceof MixtuneError ? error.message : "a fault of mixtune; its terminal says more";
      this.nextBuild = this.options.now() + (this.options.rebuildMs ?? REBUILD_MS);
    }
  }

  private stampNow(): string {
    return `${stampOf(this.dir, this.lock)} ${this.options.questions?.size ?? 0}`;
  }

  private build() {
    const began = this.options.now();
    const data = reportOf(studyResults(this.dir), this.options.questions);
    const json = `${JSON.stringify(data, null, 1)}\n`;
    const version = createHash("sha256").update(json).digest("hex").slice(0, 16);
    const ended = this.options.now();
    this.nextBuild = ended + Math.max(this.options.rebuildMs ?? REBUILD_MS, (REBUILD_SHARE - 1) * (ended - began));
    return { data, json, version };
  }

  private news(): LiveNews {
    const { now, host } = this.options;
    const progress = liveProgress(this.dir, this.lock, { now: now(), host });
    return { ...progress, version: this.version, problem: this.problem };
  }
}

/** Changes when what a report is made of does; beats and single steps change nothing. */
function stampOf(dir: string, lock: StudyLock): string {
  const folders = [
    ...lock.baselines.map(({ id }) => baselineDir(dir, id)),
    ...runsOnce(lock).map(({ id }) => runDir(dir, id)),
  ];
  const paths = [join(dir, "study.lock.json"), join(dir, "ledger.jsonl"), ...folders.map(runPaths.scores)];
  return paths.map(fileStamp).join(" ");
}

function fileStamp(path: string): string {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
  return `${mtimeMs}/${size}`;
}
