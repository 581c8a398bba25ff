/** @file A study from its spec to its table: what demo, plan, run and train have in common. */

import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { digestOf } from "../base/digest.ts";
import { SpecError, WorkerError } from "../base/errors.ts";
import { subsetByHash } from "../data/splits.ts";
import type { LoadedTask } from "../data/types.ts";
import { makeFolder, writeWhole } from "../formats/files.ts";
import { formatStudyTable } from "../report/tables.ts";
import { parseStudy } from "../specs/study-file.ts";
import { parseTrainFile } from "../specs/train-file.ts";
import type { RunSpec, StudySpec, TaskSpec, TrainFileSpec } from "../specs/types.ts";
import { analyseStudy, type StudyTable } from "../study/analyse.ts";
import { claimStudy } from "../study/claim.ts";
import { executeJobs, type QueuedJob, type StudyOutcome } from "../study/execute.ts";
import { appendLedger, readLedger } from "../study/ledger.ts";
import { differingKeys, findStudyLock, type LockedBaseline, type LockedTask, type StudyLock, writeStudyLock } from "../study/lock-file.ts";
import { ingredientTasks, planStudy } from "../study/plan.ts";
import { baselineDir, isComplete, runDir, scoredReader } from "../study/scored.ts";
import type { ExecuteJob, Job, PlannedRun } from "../study/types.ts";
import { scoreTextBaseline } from "./baselines.ts";
import type { Context } from "./context.ts";
import { estimateRun } from "./estimate.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from "./exit.ts";
import { ingredientFacts, ingredientsOf, loadTasks } from "./ingredients.ts";
import { modelDir, modelIdentity, modelSize } from "./models.ts";
import { bytes, duration } from "./numbers.ts";
import { packageVersion } from "./package.ts";
import { progressLine } from "./progress.ts";
import { startWorker } from "./start-worker.ts";

/** A study file as it was read. */
export interface StudyInput {
  study: StudySpec;
  /** The file's text, as the person wrote it. */
  text: string;
}

/** A study with its data loaded and its runs planned; nothing is written yet. */
export interface PreparedStudy {
  input: StudyInput;
  dir: string;
  specs: Record<string, TaskSpec>;
  tasks: Record<string, LoadedTask>;
  modelDirs: Record<string, string>;
  plan: PlannedRun[];
  lock: StudyLock;
  dataRoot: string | undefined;
}

/**
 * Reads a study file of the command line.
 * @throws {SpecError} no such file, or what parseStudy finds
 */
export function readStudy(path: string, assignments: string[]): StudyInput {
  const text = readSpecText(path);
  return { study: parseStudy(text, resolve(path), { assignments, cwd: process.cwd() }), text };
}

/** Reads a run file: a study of one mixture, one model, one seed, without the untuned model beside it. */
export function readTrainFile(path: string, assignments: string[]): StudyInput {
  const text = readSpecText(path);
  return { study: studyOfOne(parseTrainFile(text, resolve(path), { assignments, cwd: process.cwd() })), text };
}

/** Loads the data, digests the models and plans the runs. */
export async function prepareStudy(input: StudyInput, outDir: string | undefined, context: Context): Promise<PreparedStudy> {
  const { study } = input;
  const dir = resolve(outDir ?? join("studies", study.name));
  const dataRoot = study.data_root ?? context.settings.dataRoot;
  const modelDirs = Object.fromEntries(study.models.map((model, i) => [model, modelDir(model, `models[${i}]`)]));
  const specs = ingredientTasks(study);
  const tasks = await loadTasks(specs, dataRoot);
  for (const task of Object.values(tasks)) for (const sentence of task.notes) context.note(sentence);
  const before = findStudyLock(dir);
  const worker: RunSpec["worker"] = { kind: "local", threads: context.settings.threads ?? before?.worker.threads ?? availableParallelism() };
  const identities = Object.fromEntries(Object.entries(modelDirs).map(([name, folder]) => [name, modelIdentity(name, folder)]));
  const ingredients = ingredientsOf(specs, tasks, modelDirs);
  const sizes = Object.fromEntries(Object.entries(modelDirs).map(([name, folder]) => [name, modelSize(folder)]));
  const evaluated = evaluatedExamples(study, tasks);
  const plan = planStudy(study, {
    ingredients: (model, train) => ingredientFacts(ingredients(model, train)),
    models: identities,
    worker,
    estimate: (spec) => estimateRun(spec, ingredients(spec.model.name, spec.train), sizes[spec.model.name]!, evaluated),
  });
  const lock: StudyLock = {
    format: 1,
    mixtune: packageVersion(),
    study,
    tasks: Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, lockedTask(task)])),
    models: identities,
    worker,
    runs: plan.map(({ id, model, mixture, seed, factors }) => ({ id, model, mixture, seed, factors })),
    baselines: baselinesOf(study, tasks, identities),
  };
  return { input, dir, specs, tasks, modelDirs, plan, lock, dataRoot };
}

/**
 * Does what is not done yet: baselines, then runs; then prints the table.
 * @returns exit status
 */
export async function runStudy(prepared: PreparedStudy, context: Context): Promise<number> {
  const { dir, lock, plan } = prepared;
  refuseFullDisk(prepared);
  makeFolder(dir);
  const claim = claimStudy(dir, context.self, context.clock);
  try {
    writeStudyFiles(prepared, context);
    const worker = startWorker(context);
    let outcome: StudyOutcome;
    try {
      scoreTextBaselines(prepared, context);
      outcome = await executeAll(prepared, worker.execute, context);
    } finally {
      await worker.close();
    }
    const table = analyseStudy(lock, scoredReader(dir));
    return conclude(prepared, outcome, table, context);
  } finally {
    claim.release();
    if (plan.length === 0) context.note("The plan holds no runs.");
  }
}

/** The table of a study directory as it stands. */
export function studyTable(dir: string): StudyTable {
  const lock = findStudyLock(dir);
  if (lock === undefined) {
    throw new SpecError({
      place: dir,
      expected: "a study directory",
      got: existsSync(dir) ? "a folder without study.lock.json" : "no such folder",
      remedy: "Give the folder that mixtune run printed (studies/<name> unless --out said otherwise).",
    });
  }
  return analyseStudy(lock, scoredReader(dir));
}

/** The text of a study or run file. */
export function readSpecText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new SpecError({
      place: path,
      expected: "a file",
      got: code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder" : String(code),
      remedy: "Check the path; mixtune init writes a first study.yaml.",
      cause,
    });
  }
}

/** The jobs of a study: the untuned models, then the runs. */
export function jobsOf(prepared: PreparedStudy): QueuedJob[] {
  const { input, dir, specs, modelDirs, plan, lock, dataRoot } = prepared;
  const { study } = input;
  const common = {
    tasks: Object.values(specs),
    eval_tasks: evaluatedTasks(prepared),
    ...(dataRoot !== undefined ? { data_root: dataRoot } : {}),
    eval: study.eval,
    threads: lock.worker.threads,
  };
  const untuned = lock.baselines.flatMap(({ id, kind, model }): QueuedJob[] => {
    if (kind !== "base" || model === undefined) return [];
    const job: Job = { kind: "base", id, dir: baselineDir(dir, id), model, model_dir: modelDirs[model]!, cutoff_len: study.train.cutoff_len, ...common };
    return [{ job, seconds: 0 }];
  });
  const runs = plan.map((run): QueuedJob => {
    const { id, model, spec } = run;
    const job: Job = { kind: "run", id, dir: runDir(dir, id), model, model_dir: modelDirs[model]!, spec, cutoff_len: spec.train.cutoff_len, ...common };
    return { job, seconds: run.estimate.seconds };
  });
  return [...untuned, ...runs];
}

function studyOfOne(file: TrainFileSpec): StudySpec {
  const { name, model, data_root, tasks, mixture, train, seed } = file;
  return {
    name,
    models: [model],
    ...(data_root !== undefined ? { data_root } : {}),
    tasks,
    mixers: {},
    design: [{ name: mixture.name, tasks: mixture.ingredients }],
    budget: { match: ["none"], reference: mixture.name },
    seeds: [seed],
    factors: {},
    controls: [],
    train,
    eval: file.eval,
  };
}

function evaluatedTasks(prepared: Pick<PreparedStudy, "input" | "tasks">): string[] {
  return Object.keys(prepared.input.study.tasks).filter((name) => prepared.tasks[name]!.answer.kind === "label");
}

function evaluatedExamples(study: StudySpec, tasks: Record<string, LoadedTask>): { examples: number; tokens: number } {
  let examples = 0;
  let tokens = 0;
  for (const name of Object.keys(study.tasks)) {
    for (const split of study.eval.splits) {
      const used = subsetByHash(tasks[name]!.splits[split], split === "dev" ? study.eval.max_dev : study.eval.max_test);
      examples += used.length;
      // Four characters a token: scoring is a small part of the estimate.
      tokens += used.reduce((sum, { prompt }) => sum + prompt.length / 4, 0);
    }
  }
  return { examples, tokens };
}

function lockedTask({ metric, licence, source, splits, digests }: LoadedTask): LockedTask {
  const num_examples = { train: splits.train.length, dev: splits.dev.length, test: splits.test.length };
  return { metric, licence, source, num_examples, digests };
}

/** Reference rows. Their ids hold a digest of what they are scored on, so that changed data is a new baseline. */
function baselinesOf(study: StudySpec, tasks: Record<string, LoadedTask>, models: StudyLock["models"]): LockedBaseline[] {
  const scoredOn = Object.keys(study.tasks).map((name) => [name, tasks[name]!.digests]);
  const { max_dev, max_test, splits } = study.eval;
  const idOf = (kind: string, extra: unknown) => `${kind}-${digestOf([scoredOn, max_dev, max_test, splits, extra]).slice(0, 8)}`;
  const texts = study.eval.baselines.map((kind) => ({ id: idOf(kind, null), kind: kind as "majority" | "ngram" }));
  if (!study.controls.includes("base")) return texts;
  return [...texts, ...study.models.map((model) => ({ id: idOf("base", { ...models[model], name: "" }), kind: "base" as const, model }))];
}

function refuseFullDisk({ dir, plan }: PreparedStudy): void {
  const needed = plan.filter(({ id }) => !existsSync(runDir(dir, id))).reduce((sum, run) => sum + run.estimate.disk_bytes, 0);
  let folder = dir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  if (needed <= bavail * bsize) return;
  throw new WorkerError({
    place: dir,
    expected: `${bytes(needed)} free for ${plan.length} runs`,
    got: bytes(bavail * bsize),
    remedy: "Free some space, use --out on another disk, or set train.keep to weights or none.",
  });
}

function writeStudyFiles({ input, dir, lock, plan }: PreparedStudy, context: Context): void {
  const before = findStudyLock(dir);
  if (before !== undefined) {
    const keys = differingKeys(before, lock);
    if (keys.length > 0) context.note(`Since the last call these have changed: ${keys.join(", ")}. New runs are added, old ones kept.`);
  }
  writeWhole(join(dir, "study.yaml"), input.text);
  writeStudyLock(dir, lock);
  const known = new Set(readLedger(dir).flatMap(({ event, run }) => (event === "planned" ? [run] : [])));
  for (const { id, mixture, model, seed } of plan) {
    if (!known.has(id)) appendLedger(dir, context.clock, { event: "planned", run: id, detail: { mixture: mixture.name, model, seed } });
  }
}

function scoreTextBaselines(prepared: PreparedStudy, context: Context): void {
  for (const { id, kind } of prepared.lock.baselines) {
    if (kind === "base") continue;
    const dir = baselineDir(prepared.dir, id);
    const job = { dir, eval_tasks: evaluatedTasks(prepared), eval: prepared.input.study.eval };
    if (isComplete(job) || context.signal.aborted) continue;
    context.note(`baseline ${kind}`);
    mkdirSync(dir, { recursive: true });
    scoreTextBaseline(kind, job, prepared.tasks);
    openedTest(prepared, id, context);
  }
}

async function executeAll(prepared: PreparedStudy, execute: ExecuteJob, context: Context): Promise<StudyOutcome> {
  const queue = jobsOf(prepared);
  const seconds = new Map(queue.map((queued) => [queued.job.id, queued.seconds]));
  const line = progressLine(context);
  const labels = new Map(prepared.plan.map((run) => [run.id, labelOf(run, prepared)]));
  const labelOfJob = (job: Job) => labels.get(job.id) ?? `${job.model} untuned`;
  const waiting = new Set(queue.filter(({ job }) => !isComplete(job)).map(({ job }) => job.id));
  let index = 0;
  let started = context.clock();
  const outcome = await executeJobs(queue, {
    execute,
    concurrency: 1,
    signal: context.signal,
    isComplete,
    record: (entry) => appendLedger(prepared.dir, context.clock, entry),
    onEvent: (event) => {
      const { job } = event;
      if (event.kind === "started") {
        waiting.delete(job.id);
        index = event.index;
        started = context.clock();
      } else if (event.kind === "progress") {
        const secondsAfter = [...waiting].reduce((sum, id) => sum + (seconds.get(id) ?? 0), 0);
        line.update({ label: labelOfJob(job), index, total: index + waiting.size, secondsAfter }, event.progress);
      } else {
        const { outcome: ended } = event;
        const after = duration((context.clock() - started) / 1000);
        const reason = ended.state === "failed" ? `: ${ended.reason}` : "";
        line.say(`[${index}/${index + waiting.size}] ${labelOfJob(job)}  ${ended.state} after ${after}${reason}`);
        if (ended.state === "done") openedTest(prepared, job.id, context);
      }
    },
  });
  line.close();
  return outcome;
}

/** Every opening of the test split is counted. */
function openedTest(prepared: PreparedStudy, run: string, context: Context): void {
  if (!prepared.input.study.eval.splits.includes("test")) return;
  appendLedger(prepared.dir, context.clock, { event: "test_opened", run, detail: { tasks: evaluatedTasks(prepared) } });
}

function labelOf(run: PlannedRun, { input }: PreparedStudy): string {
  const model = input.study.models.length > 1 ? `${run.model} ` : "";
  const factors = Object.entries(run.factors).map(([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`);
  return `${model}${run.mixture.name} seed ${run.seed}${factors.join("")}`;
}

function conclude(prepared: PreparedStudy, outcome: StudyOutcome, table: StudyTable, context: Context): number {
  const { dir } = prepared;
  const failed = outcome.failed.map(({ job, reason }) => ({ id: job.id, reason }));
  const counts = { done: outcome.done.length, done_before: outcome.skipped.length, failed, interrupted: outcome.interrupted.length };
  const next = `mixtune run again goes on where this stopped (${dir}).`;
  const lines = [
    formatStudyTable(table, "text"),
    table.sentence,
    "",
    `Results are in ${dir} (mixtune report ${dir} prints this again).`,
    ...failed.map(({ id, reason }) => `failed: ${id}: ${reason}`),
    ...(failed.length > 0 ? [`${failed.length} failed. Put the reason right; ${next}`] : []),
    ...(outcome.interrupted.length > 0 ? [`Interrupted with ${outcome.interrupted.length} to do; ${next}`] : []),
  ];
  context.result({ dir, ...counts, table }, lines.join("\n"));
  if (outcome.interrupted.length > 0) return EXIT_INTERRUPTED;
  return failed.length > 0 ? EXIT_FAILED : EXIT_DONE;
}
