/** @file A Ray cluster: prepared runs go into storage, its driver has them done there, and what they leave is fetched. This side only waits. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { WorkerError } from "../base/errors.ts";
import { makeFolder, removeQuietly, sha256OfFile, writeWhole } from "../formats/files.ts";
import { weightFileNames } from "../models/weights.ts";
import { readCheckpoint } from "../runs/checkpoints.ts";
import { readReceipt, runPaths } from "../runs/run-dir.ts";
import { checkpointIndexSchema } from "../runs/schemas.ts";
import type { Job, RunProgress } from "../study/types.ts";
import { type Engine, Interrupted, type JobContext, LeftToOthers } from "./engine.ts";
import { answeredModel, preparedFolder, prepareJob } from "./prepare-job.ts";
import { RayDriver } from "./ray-driver.ts";
import { type RayAddress, rayJobs } from "./ray-jobs.ts";
import type { SharedParts } from "./shared-parts.ts";
import { openStorage, type Storage, type StorageHelper } from "./storage.ts";

export interface RaySettings {
  address: RayAddress;
  /** URI of storage that this computer and all of the cluster see. */
  storage: string;
  /** The study's folder there. */
  study: string;
  /** GPUs of a run, each with a rank of it; 0: the processor. */
  numGpus: number;
  /** Whether packs go through compiled blocks. */
  compile: boolean;
  /** Whether runs are asked for and not waited for. */
  detach: boolean;
  /** Folder of the Python package that is sent along. */
  packageFolder: string;
  /** Who opens storage that is no folder. */
  helper: StorageHelper;
  /** Of runs, by id, as the plan has them; the untuned models have none. */
  estimates: Record<string, { seconds: number; memory_bytes: number }>;
}

/** What a process of the worker holds before any model. */
const PROCESS_BYTES = 1e9;
/** Of a model's files while they are read and moved to a GPU. */
const LOADING_SHARE = 1.25;
/** How often what a run has logged is fetched while it goes on. */
const METRICS_MS = 10_000;

const progressSchema = z.looseObject({
  request: z.string(),
  attempt: z.string(),
  host: z.string(),
  last: z
    .looseObject({
      phase: z.enum(["load", "train", "dev", "eval"]),
      done: z.number(),
      total: z.number(),
      unit: z.enum(["steps", "examples"]),
      loss: z.number().optional(),
      tokens_per_second: z.number().optional(),
    })
    .optional(),
  opens_test: z.array(z.string()).optional(),
  notes: z.array(z.string()).optional(),
});

/** What may be fetched: nothing of an outcome becomes a path that is not one of a run's own. */
const FETCHED =
  /^(receipt\.json|metrics\.jsonl|checkpoints\/(last|best)\.json|checkpoints\/step-\d+\/[A-Za-z0-9][\w.-]*|answers\/[a-z0-9][a-z0-9_-]*\.(dev|test)\.safetensors)$/;
const outcomeSchema = z.union([
  z.looseObject({
    request: z.string(),
    state: z.literal("done"),
    files: z.record(z.string().regex(FETCHED), z.string()),
    opens_test: z.array(z.string()).optional(),
  }),
  z.looseObject({
    request: z.string(),
    state: z.literal("failed"),
    ...{ place: z.string(), expected: z.string(), got: z.string(), remedy: z.string(), stack: z.string().optional() },
  }),
]);
type RayOutcome = z.infer<typeof outcomeSchema>;

/** Many jobs at once, all in one thread. @param note  told what a person may want to know */
export function rayEngine(
  shared: SharedParts,
  settings: RaySettings,
  now: () => number,
  note: (text: string) => void,
): Engine {
  const storage = openStorage(settings.storage, settings.helper);
  const driver = new RayDriver(rayJobs(settings.address), settings, now, note);
  const models = new Map<string, Promise<void>>();
  return {
    work: async (context, questions) => {
      const { job } = context;
      const { model } = shared.model(job);
      const ranks = Math.max(1, settings.numGpus);
      const computer = { device: "auto", ranks, isGpu: settings.numGpus > 0, compile: settings.compile } as const;
      if (await prepareJob(shared, job, questions, computer, `models/${model.digest}`)) {
        const putting = models.get(model.digest) ?? putModel(storage, model.digest, job.model_dir);
        models.set(model.digest, putting);
        await putting;
        await new RayRun(storage, driver, settings, context, model.digest, now, note).work();
      }
      return answeredModel(shared, job);
    },
    release: async () => {
      storage.close();
      await shared.release();
    },
  };
}

/** The model's folder, once; its index comes last. */
async function putModel(storage: Storage, digest: string, folder: string): Promise<void> {
  const index = `models/${digest}.json`;
  if ((await storage.read(index)) !== undefined) return;
  const weights = weightFileNames(folder);
  const sharded = weights.length === 1 && weights[0] === "model.safetensors" ? [] : ["model.safetensors.index.json"];
  const files = ["config.json", ...sharded, ...weights];
  for (const name of files) await storage.put(join(folder, name), `models/${digest}/${name}`);
  const digests = Object.fromEntries(files.map((name) => [name, sha256OfFile(join(folder, name))]));
  await storage.write(index, `${JSON.stringify({ format: 1, files: digests })}\n`);
}

/** One run on the cluster. */
class RayRun {
  private readonly storage: Storage;
  private readonly driver: RayDriver;
  private readonly settings: RaySettings;
  private readonly context: JobContext;
  private readonly job: Job;
  private readonly model: string;
  private readonly now: () => number;
  private readonly note: (text: string) => void;
  private attempt: string | undefined;
  /** Digest of prepared.json, which has the digests of all else: what is asked for. */
  private request = "";
  private told = "";
  private hasOpened = false;
  /** Of the attempt that goes on. */
  private notesTold = 0;
  private fetchedMetrics = Number.NEGATIVE_INFINITY;

  constructor(
    storage: Storage,
    driver: RayDriver,
    settings: RaySettings,
    context: JobContext,
    model: string,
    now: () => number,
    note: (text: string) => void,
  ) {
    this.storage = storage;
    this.driver = driver;
    this.settings = settings;
    this.context = context;
    this.job = context.job;
    this.model = model;
    this.now = now;
    this.note = note;
  }

  /** @throws {Interrupted|LeftToOthers|WorkerError} */
  async work(): Promise<void> {
    this.request = sha256OfFile(join(preparedFolder(this.job), "prepared.json"));
    const before = await this.outcome();
    const done = before?.state === "done" ? before : await this.ask(before !== undefined);
    removeQuietly(preparedFolder(this.job));
    if (done.state === "failed") {
      const { place, expected, got, remedy, stack } = done;
      throw new WorkerError({ place, expected, got, remedy, ...(stack !== undefined && { cause: new Error(stack) }) });
    }
    this.tellOpened(done.opens_test);
    await this.fetch(done.files);
  }

  /** Announces the run and waits for its outcome. */
  private async ask(hasFailedBefore: boolean): Promise<RayOutcome> {
    if (!(await this.isAsked())) {
      await this.put();
      if (hasFailedBefore) await this.storage.remove(this.at("outcome.json"));
      await this.storage.write(this.place(), `${JSON.stringify(this.requestRecord())}\n`);
    }
    return this.settings.detach ? this.leave() : this.follow();
  }

  /** What there is by now, with a driver at work for the rest. */
  private async leave(): Promise<RayOutcome> {
    await this.driver.keep();
    const outcome = await this.outcome();
    if (outcome === undefined) throw new LeftToOthers();
    return outcome;
  }

  private async follow(): Promise<RayOutcome> {
    for (;;) {
      const outcome = await this.outcome();
      if (outcome !== undefined) {
        this.driver.gotOn();
        return outcome;
      }
      if (await this.context.isAborted()) await this.takeBack();
      await this.driver.keep();
      await this.hear();
      await sleep(this.storage.pollMs);
    }
  }

  /** What was asked for stays asked for whatever else goes wrong here: the next call joins it. */
  private async takeBack(): Promise<never> {
    await this.storage.remove(this.place());
    throw new Interrupted();
  }

  /** Whether an earlier call, or another computer, waits for the same. */
  private async isAsked(): Promise<boolean> {
    const text = await this.storage.read(this.place());
    return text !== undefined && (JSON.parse(text.toString()) as { request?: string }).request === this.request;
  }

  private requestRecord() {
    const { job, settings } = this;
    const { seconds, memory_bytes } = settings.estimates[job.id] ?? { seconds: 0, memory_bytes: 0 };
    const { numGpus } = settings;
    const isGpu = numGpus > 0;
    const processBytes = PROCESS_BYTES * Math.max(1, numGpus);
    return {
      format: 1,
      id: job.id,
      request: this.request,
      model: this.model,
      seconds,
      num_cpus: isGpu ? numGpus : job.threads,
      num_gpus: numGpus,
      memory: Math.ceil(processBytes + (isGpu ? LOADING_SHARE * weightBytes(job.model_dir) : memory_bytes)),
    };
  }

  /** The prepared run, and what this side knows of the run beyond what is there. What vouches for others follows them. */
  private async put(): Promise<void> {
    const folder = preparedFolder(this.job);
    const there = this.at(`prepared-${this.request.slice(0, 16)}`);
    const { files } = JSON.parse(readFileSync(join(folder, "prepared.json"), "utf8")) as { files: object };
    for (const name of [...Object.keys(files), "prepared.json"])
      await this.storage.put(join(folder, name), `${there}/${name}`);
    await this.putCheckpoints();
  }

  private async putCheckpoints(): Promise<void> {
    const { dir } = this.job;
    if ((await this.storage.read(this.at("receipt.json"))) !== undefined) return;
    const mine = readCheckpoint(dir);
    const text = await this.storage.read(this.at("checkpoints/last.json"));
    const theirs = text && checkpointIndexSchema.safeParse(JSON.parse(text.toString())).data;
    const isDone = readReceipt(dir) !== undefined;
    if (mine === undefined || (!isDone && theirs !== undefined && theirs.step >= mine.step)) return;
    const best = readCheckpoint(dir, "best");
    const records = best === undefined ? [mine] : [mine, best];
    const files = records.flatMap(({ folder, files: of }) => Object.keys(of).map((name) => `${folder}/${name}`));
    const metrics = mine.step > 0 ? ["metrics.jsonl"] : [];
    const indexes = best === undefined ? ["last.json"] : ["best.json", "last.json"];
    const names = [...metrics, ...[...new Set(files), ...indexes].map((name) => `checkpoints/${name}`)];
    for (const name of [...names, ...(isDone ? ["receipt.json"] : [])])
      await this.storage.put(join(dir, name), this.at(name));
  }

  private async outcome(): Promise<RayOutcome | undefined> {
    const text = await this.storage.read(this.at("outcome.json"));
    if (text === undefined) return undefined;
    const outcome = outcomeSchema.safeParse(jsonOf(text));
    if (!outcome.success) {
      throw new WorkerError({
        place: `${this.storage.uri}/${this.at("outcome.json")}`,
        expected: "an outcome as this version's driver writes it",
        got: text.toString("utf8", 0, 200),
        remedy: "Remove the file: the run is then looked at again.",
      });
    }
    return outcome.data.request === this.request ? outcome.data : undefined;
  }

  /** Where the run stands, to the progress line and status.json. */
  private async hear(): Promise<void> {
    const text = (await this.storage.read(this.at("progress.json")))?.toString();
    if (text === undefined || text === this.told) return this.context.status.beat({});
    this.told = text;
    const parsed = progressSchema.safeParse(jsonOf(text));
    if (!parsed.success || parsed.data.request !== this.request) return;
    const { last, opens_test, notes = [], attempt, host } = parsed.data;
    if (this.attempt !== undefined && this.attempt !== attempt)
      this.note(`Run ${this.job.id} was lost and goes on from its last checkpoint, on ${host}.`);
    if (this.attempt !== attempt) this.notesTold = 0;
    this.attempt = attempt;
    this.driver.gotOn();
    this.tellOpened(opens_test);
    for (const note of notes.slice(this.notesTold))
      this.context.onProgress({ id: this.job.id, phase: "load", done: 0, total: 0, unit: "steps", note });
    this.notesTold = notes.length;
    if (last === undefined) return;
    const { phase, done, total, unit, loss, tokens_per_second } = last;
    this.context.onProgress({
      ...{ id: this.job.id, phase, done, total, unit },
      ...(loss !== undefined && { loss }),
      ...(tokens_per_second !== undefined && { tokens_per_second }),
    });
    this.context.status.beat(phase === "train" ? { step: done, num_steps: total } : {});
    await this.hearMetrics();
  }

  /** So that curves can be watched here. */
  private async hearMetrics(): Promise<void> {
    if (this.now() - this.fetchedMetrics < METRICS_MS) return;
    this.fetchedMetrics = this.now();
    const lines = await this.storage.read(this.at("metrics.jsonl"));
    if (lines !== undefined) writeWhole(runPaths.metrics(this.job.dir), lines);
  }

  private tellOpened(tasks: string[] | undefined): void {
    if (tasks === undefined || this.hasOpened) return;
    this.hasOpened = true;
    const progress: RunProgress = { id: this.job.id, phase: "load", done: 0, total: 0, unit: "examples" };
    this.context.onProgress({ ...progress, opens_test: tasks });
  }

  /** What the run left, each file compared with its digest; the indexes, and the receipt that says it is trained, come last. */
  private async fetch(files: Record<string, string>): Promise<void> {
    const rank = (name: string) => (name === "receipt.json" ? 2 : /^checkpoints\/\w+\.json$/.test(name) ? 1 : 0);
    const all = Object.entries(files).sort(([a], [b]) => rank(a) - rank(b));
    for (const [name, digest] of all) {
      const path = join(this.job.dir, name);
      makeFolder(join(path, ".."));
      await this.storage.get(this.at(name), path);
      if (sha256OfFile(path) === digest) continue;
      removeQuietly(path);
      throw new WorkerError({
        place: `${this.storage.uri}/${this.at(name)}`,
        expected: `the file with SHA-256 ${digest.slice(0, 12)}…`,
        got: "another",
        remedy: `Remove ${this.storage.uri}/${this.at("outcome.json")} and run the same command again.`,
      });
    }
  }

  private at(name: string): string {
    return `${this.settings.study}/runs/${this.job.id}/${name}`;
  }

  /** Of the request. */
  private place(): string {
    return `${this.settings.study}/queue/${this.job.id}.json`;
  }
}

function weightBytes(folder: string): number {
  return weightFileNames(folder).reduce((total, name) => total + statSync(join(folder, name)).size, 0);
}

function jsonOf(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}
