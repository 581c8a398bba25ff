/** @file The driver of a study on a Ray cluster, seen from outside: one Ray job a study, started where there is none and again when it was killed. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../base/digest.ts";
import { type MixtuneError, WorkerError } from "../base/errors.ts";
import { writeZip } from "../formats/zip-write.ts";
import { type WorkerMessage, workerMessageSchema } from "../specs/prepared.ts";
import { type RayJob, type RayJobs, RayRefusal } from "./ray-jobs.ts";
import { openStorage, type StorageHelper } from "./storage.ts";

export interface DriverSettings {
  /** Folder of the Python package that is sent along. */
  packageFolder: string;
  /** Where laptop and cluster meet. */
  storage: string;
  /** The study's folder there. */
  study: string;
}

/** How often the driver is looked after. */
const LOOK_MS = 3_000;
/** How long a cluster that was there may be away. */
const AWAY_MS = 120_000;
/** Drivers lost one after another, with no run getting on in between. */
const MOST_LOSSES = 5;
/** Of a log, when it says nothing else. */
const LAST_LINES = 5;
const MOST_OF_LOG = 500;

/** The package's files, and a digest of them. */
function workerPackage(folder: string): { files: Map<string, Buffer>; digest: string } {
  const names = readdirSync(folder).filter((name) => /\.(py|json)$/.test(name));
  const files = new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]));
  return { files, digest: sha256([...files].map(([name, bytes]) => `${name}\0${sha256(bytes)}\n`).join("")) };
}

/**
 * Says to the cluster's side that this is the storage, and to this side that it can be written to.
 * @throws {WorkerError} it cannot
 */
export async function markStorage(settings: DriverSettings, helper: StorageHelper): Promise<void> {
  const storage = openStorage(settings.storage, helper);
  try {
    const { digest } = workerPackage(settings.packageFolder);
    await storage.write(`${settings.study}/study.json`, `${JSON.stringify({ format: 1, code: digest })}\n`);
  } finally {
    storage.close();
  }
}

export class RayDriver {
  private readonly ray: RayJobs;
  private readonly settings: DriverSettings;
  private readonly now: () => number;
  private readonly note: (text: string) => void;
  private readonly key: string;
  private id: string | undefined;
  private losses = 0;
  /** Of the driver that is at work. */
  private notesTold = 0;
  private looked = Number.NEGATIVE_INFINITY;
  private heard: number;
  private looking: Promise<void> | undefined;
  private ended: MixtuneError | undefined;

  /** @param now  milliseconds @param note  told what a person may want to follow */
  constructor(ray: RayJobs, settings: DriverSettings, now: () => number, note: (text: string) => void) {
    this.ray = ray;
    this.settings = settings;
    this.now = now;
    this.note = note;
    this.heard = now();
    this.key = `mixtune-${settings.study}-${sha256(settings.storage).slice(0, 8)}`;
  }

  /** A run got on: losses before it count no more. */
  gotOn(): void {
    this.losses = 0;
  }

  /**
   * Makes sure that a driver is at work; asked as often as one likes.
   * @throws {WorkerError} there can be none: what it said, or a cluster that does not answer any more
   */
  async keep(): Promise<void> {
    if (this.ended !== undefined) throw this.ended;
    if (this.looking === undefined && this.now() - this.looked < LOOK_MS) return;
    this.looking ??= this.look().finally(() => {
      this.looked = this.now();
      this.looking = undefined;
    });
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      await this.lookAfter();
      this.heard = this.now();
    } catch (error) {
      if (this.id !== undefined && !(error instanceof Ended) && this.now() - this.heard < AWAY_MS) return;
      this.ended = error instanceof Ended ? error.why : (error as MixtuneError);
      throw this.ended;
    }
  }

  private async lookAfter(): Promise<void> {
    if (this.id !== undefined) {
      const job = await this.ray.job(this.id);
      if (job !== undefined && isAlive(job)) return this.hear(this.id);
      if (job !== undefined) await this.learnFrom(job);
      this.id = undefined;
    }
    const known = (await this.ray.jobs()).filter(({ submission_id }) => this.numberOf(submission_id) > 0);
    const alive = known.find(isAlive);
    if (alive !== undefined) {
      this.refuseOther(alive);
      this.id = alive.submission_id!;
    } else this.id = await this.submit(Math.max(0, ...known.map((one) => this.numberOf(one.submission_id))) + 1);
    this.notesTold = 0;
    this.note(`Ray job ${this.id} has the runs done; ray job logs --follow ${this.id} shows how.`);
  }

  /** What the driver has to say since it was last heard. */
  private async hear(id: string): Promise<void> {
    const log = await this.ray.logs(id).catch(() => undefined);
    if (log === undefined) return; // runs go on without it
    const notes = messagesOf(log).flatMap((one) => (one.kind === "note" ? [one.text] : []));
    for (const text of notes.slice(this.notesTold)) this.note(text);
    this.notesTold = notes.length;
  }

  /** A driver that ended by itself has nothing more to do; one that says why it cannot go on is believed; one that was killed is replaced. */
  private async learnFrom({ status, submission_id, message }: RayJob): Promise<void> {
    if (status === "SUCCEEDED") return;
    if (status === "STOPPED") throw new Ended(stopped(submission_id!));
    const log = await this.ray.logs(submission_id!).catch(() => "");
    const told = toldBy(log);
    if (told !== undefined) throw new Ended(told);
    this.losses += 1;
    this.note(`Ray job ${submission_id} was killed: another takes its place.`);
    if (this.losses >= MOST_LOSSES) throw new Ended(lostTooOften(submission_id!, log, message));
  }

  private refuseOther({ submission_id, metadata }: RayJob): void {
    const { digest } = workerPackage(this.settings.packageFolder);
    const theirs = metadata?.mixtune_code;
    if (theirs === digest) return;
    throw new Ended(
      new WorkerError({
        place: `Ray job ${submission_id}`,
        expected: `a driver of this mixtune (code ${digest.slice(0, 12)}…)`,
        got: `one of another version (code ${theirs?.slice(0, 12) ?? "unknown"}…)`,
        remedy: `Wait until it has ended, or stop it: ray job stop ${submission_id}. Its runs go on from their last checkpoints.`,
      }),
    );
  }

  private async submit(number: number): Promise<string> {
    const { packageFolder, storage, study } = this.settings;
    const { files, digest } = workerPackage(packageFolder);
    const archive = writeZip(new Map([...files].map(([name, bytes]) => [`mixtune_worker/${name}`, bytes])));
    const id = `${this.key}-${number}`;
    const working_dir = await this.ray.putPackage(`_ray_pkg_${sha256(archive).slice(0, 32)}.zip`, archive);
    try {
      await this.ray.submit({
        entrypoint: `python -m mixtune_worker ray-driver '${storage}' '${study}'`,
        submission_id: id,
        runtime_env: { working_dir, env_vars: { PYTHONUNBUFFERED: "1" } },
        metadata: { mixtune_study: study, mixtune_code: digest },
      });
    } catch (error) {
      // Another laptop may have been first with this number.
      if (!(error instanceof RayRefusal) || (await this.ray.job(id)) === undefined) throw error;
    }
    return id;
  }

  /** 0: not ours. */
  private numberOf(id: string | null): number {
    return id?.startsWith(`${this.key}-`) ? Number(/^\d+$/.exec(id.slice(this.key.length + 1))?.[0] ?? 0) : 0;
  }
}

/** Nothing will change by asking again. */
class Ended extends Error {
  readonly why: MixtuneError;
  constructor(why: MixtuneError) {
    super(why.message);
    this.why = why;
  }
}

function isAlive({ status }: RayJob): boolean {
  return status === "PENDING" || status === "RUNNING";
}

/** What a driver has said, among lines of something else. */
function messagesOf(log: string): WorkerMessage[] {
  return log.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    try {
      return [workerMessageSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

/** What a driver's last message says of its failure. */
function toldBy(log: string): WorkerError | undefined {
  const failure = messagesOf(log).findLast((one) => one.kind === "outcome" && one.state === "failed");
  if (failure?.kind !== "outcome" || failure.state !== "failed") return undefined;
  const { place, expected, got, remedy } = failure;
  return new WorkerError({ place, expected, got, remedy });
}

function stopped(id: string): WorkerError {
  return new WorkerError({
    place: `Ray job ${id}`,
    expected: "a driver at work",
    got: "one that somebody stopped",
    remedy: "The same command starts another and goes on from the last checkpoints.",
  });
}

function lostTooOften(id: string, log: string, message: string | null | undefined): WorkerError {
  const last = log.trim().split("\n").slice(-LAST_LINES).join(" / ") || message || "the last said nothing";
  const isMemory = /\bOOM\b|out of memory/i.test(last);
  return new WorkerError({
    place: `Ray job ${id}`,
    expected: "a driver that stays",
    got: `${MOST_LOSSES} that ended one after another; ${isMemory ? "Ray killed them for want of memory on its head node" : last.slice(-MOST_OF_LOG)}`,
    remedy: isMemory
      ? "Free memory there, or start Ray with a higher RAY_memory_usage_threshold; the same command goes on."
      : "Look into its log (ray job logs); python on Ray's head node must be the one that Ray runs with.",
  });
}
