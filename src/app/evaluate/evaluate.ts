/** @file Scores a finished run, a model folder or a hosted model on tasks, into a folder of predictions and scores. */

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { SpecError, WorkerError } from "../../base/errors.ts";
import { folderSlug } from "../../base/slug.ts";
import { loadTask } from "../../data/load-task.ts";
import { lengthWithShots } from "../../data/tokens/few-shot.ts";
import type { LoadedTask } from "../../data/types.ts";
import { disagreementOf, type TaskDisagreement } from "../../metrics/disagreement.ts";
import { openModelFolder } from "../../models/weights.ts";
import { listPredictions, readPredictions, readScores, runPaths } from "../../runs/run-dir.ts";
import type { LedgerLine, Scores, Subject } from "../../runs/types.ts";
import { EVAL_DEFAULTS } from "../../specs/study-file.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { EvalSpec, TaskSpec } from "../../specs/types.ts";
import { whileClaimed } from "../../study/claim.ts";
import { executeJobs } from "../../study/execute.ts";
import { appendLedger } from "../../study/ledger.ts";
import { findStudyLock, type StudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { askedOf, claimFolder } from "../../study/subject.ts";
import type { Job } from "../../study/types.ts";
import { threadsFor } from "../../workers/threads.ts";
import { type HostedChoice, type HostedOptions, hostedChoice } from "../hosted/choice.ts";
import { asServed } from "../hosted/ending.ts";
import { modelIdentity } from "../models/base-model.ts";
import { specOfFinished } from "../models/model-files.ts";
import { localModelDir, modelDir, modelDirOfRun, modelSize } from "../models/named-model.ts";
import { runOfStudy } from "../models/run-of-study.ts";
import { dataOfJobs } from "../study/planned-study.ts";
import { readStudy } from "../study/read-study.ts";
import { startWorker } from "../study/start-worker.ts";
import { fetchHubData } from "../tasks/hub-data.ts";
import { taskNamed } from "../tasks/named-task.ts";
import type { Workspace } from "../workspace.ts";

export interface EvaluateOptions {
  /** A study file, or names of tasks of the catalogue or of the run's study. Default: the tasks of the run's study. */
  tasks?: string | readonly string[] | undefined;
  /** Default test alone. */
  splits?: readonly ("dev" | "test")[] | undefined;
  /** Folder for predictions and scores; default evals/<model>. A run's scores lie in the run's directory. */
  out?: string | undefined;
  /** Training examples shown before each question; default 0. */
  fewShot?: number | undefined;
  hosted?: HostedOptions | undefined;
}

/** What was scored. */
export interface Evaluation {
  /** Holds scores.json and the predictions. */
  dir: string;
  /** Names of the tasks that were asked for; scores of other tasks may lie beside theirs. */
  tasks: string[];
  scores: Scores;
  /** Where scorers of the same answers differ. */
  disagreements: TaskDisagreement[];
}

/**
 * Scores a model.
 *
 * @param word  STUDY_DIR, STUDY_DIR:MIXTURE or STUDY_DIR:MIXTURE@SEED, a run's directory, a folder in Hugging Face's layout, org/name of the hub, mixtune/tiny, or openai:NAME
 * @throws {SpecError} no tasks, options that the model has no use for, a run that is not done, a folder with other scores, a hosted model without consent
 * @throws {WorkerError} the model could not be scored
 * @throws the reason of the workspace's signal, if it fires: the same call scores what is left
 */
export async function evaluate(word: string, workspace: Workspace, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { fewShot = 0, splits = ["test"] } = options;
  const model = runOfStudy(word, workspace);
  const hosted = hostedChoice(model, options.hosted ?? {}, workspace.settings.openai);
  const isRun = existsSync(runPaths.spec(model));
  const studyDir = isRun ? studyAround(resolve(model)) : undefined;
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  const { tasks, evalSpec, names, dataRoot, cutoffLen } = tasksOf(options.tasks, lock, workspace);
  const spec: EvalSpec = { ...evalSpec, splits: [...splits] };
  const specs = Object.fromEntries(tasks.map((task) => [task.name, task]));
  const data = await fetchHubData(specs, dataRoot, workspace, lock?.hub);
  const loaded: LoadedTask[] = [];
  for (const name of names) loaded.push(await loadTask(specs[name]!, data));
  const subject = {
    few_shot: fewShot,
    tasks: Object.fromEntries(names.map((name) => [name, specs[name]!])),
    max_dev: spec.max_dev,
    max_test: spec.max_test,
    asked: Object.fromEntries(loaded.map((task) => [task.name, askedIn(task, spec, fewShot)])),
  };
  const { dir, scores } = await (hosted === undefined ? scoreLocal() : scoreRemote(hosted));
  return { dir, tasks: names, scores, disagreements: disagreementsIn(dir, names, splits) };

  async function scoreLocal(): Promise<{ dir: string; scores: Scores }> {
    const common = { tasks, eval_tasks: names, eval: spec, ...dataOfJobs(data) };
    const job = await (isRun ? runJob : baseJob)(model, common, options, workspace, cutoffLen);
    if (job.kind === "run") {
      // of a run its own spec says what made it
      const about = { model: job.spec.model.name, at: job.id, max_dev: null, max_test: null };
      claimFolder(job.dir, { ...subject, ...about }, lock);
    } else {
      const { name: _name, ...bytes } = modelIdentity(model, job.model_dir, openModelFolder(job.model_dir).digest);
      const made_by = { ...bytes, cutoff_len: cutoffLen };
      claimFolder(job.dir, { ...subject, model, at: job.model_dir, made_by });
    }
    const record = (line: Omit<LedgerLine, "time">) => {
      if (studyDir !== undefined && line.event === "test_opened") appendLedger(studyDir, workspace.clock, line);
    };
    return whileClaimed(studyDir, workspace, async () => ({
      dir: job.dir,
      scores: await score(job, record, workspace),
    }));
  }

  async function scoreRemote(named: HostedChoice): Promise<{ dir: string; scores: Scores }> {
    const choice = await asServed(named);
    const { scoreHosted } = await import("../hosted/score-hosted.ts");
    const dir = resolve(options.out ?? join("evals", folderSlug(`${choice.model}${shotsName(fewShot)}`)));
    claimFolder(dir, { ...subject, model, at: choice.baseUrl, made_by: { api: choice.api, served: choice.served } });
    return { dir, scores: await scoreHosted(choice, loaded, spec, { dir, numShots: fewShot }, workspace) };
  }
}

/** What is asked of the splits, and of the training examples that are shown. */
function askedIn({ digests }: LoadedTask, spec: EvalSpec, fewShot: number): NonNullable<Subject["asked"]>[string] {
  const shown = fewShot === 0 ? {} : { shown_from: digests.train };
  return Object.fromEntries(spec.splits.map((split) => [split, { ...askedOf(digests[split], split, spec), ...shown }]));
}

function disagreementsIn(dir: string, names: readonly string[], splits: readonly string[]): TaskDisagreement[] {
  return listPredictions(dir).flatMap(({ task, split }) => {
    if (!names.includes(task) || !splits.includes(split)) return [];
    const found = disagreementOf(readPredictions(dir, task, split));
    return found === undefined ? [] : [{ task, split, ...found }];
  });
}

type Common = Pick<Job, "tasks" | "eval_tasks" | "eval" | "data_root" | "hub_files">;

async function runJob(
  dir: string,
  common: Common,
  { out, fewShot = 0 }: EvaluateOptions,
  workspace: Workspace,
): Promise<Job> {
  if (fewShot > 0) {
    throw new SpecError({
      place: "options.fewShot",
      expected: "an untuned or hosted model",
      got: dir,
      remedy: "Leave it out: a run is asked as it was trained.",
    });
  }
  if (out !== undefined) {
    throw new SpecError({
      place: "options.out",
      expected: "no options.out for a run",
      got: out,
      remedy: "Leave it out: a run's scores lie in its own directory.",
    });
  }
  const spec = specOfFinished(dir);
  const { name } = spec.model;
  return {
    kind: "run",
    id: basename(resolve(dir)),
    dir: resolve(dir),
    model: name,
    model_dir: await modelDirOfRun(dir, spec, workspace),
    spec,
    cutoff_len: spec.train.cutoff_len,
    threads: spec.worker.threads,
    ...common,
  };
}

function shotsName(numShots: number): string {
  return numShots === 0 ? "" : `-${numShots}-shot`;
}

async function baseJob(
  model: string,
  common: Common,
  { out, fewShot = 0 }: EvaluateOptions,
  workspace: Workspace,
  cutoffLen: number,
): Promise<Job> {
  const folder = await modelDir(model, "command line", workspace);
  const name = localModelDir(model, "command line", workspace) === undefined ? folderSlug(model) : basename(folder);
  const id = `${name}${shotsName(fewShot)}`;
  const dir = resolve(out ?? join("evals", id));
  return {
    kind: "base",
    numerics: {},
    id,
    dir,
    model,
    model_dir: folder,
    ...(fewShot === 0 ? {} : { few_shot: fewShot }),
    cutoff_len: lengthWithShots(cutoffLen, fewShot),
    threads: workspace.settings.threads ?? threadsFor(modelSize(folder).parameters),
    ...common,
  };
}

interface ChosenTasks {
  tasks: TaskSpec[];
  names: string[];
  evalSpec: EvalSpec;
  dataRoot: string | undefined;
  /** Longest example of a model that no run has trained, in tokens. */
  cutoffLen: number;
}

function tasksOf(asked: EvaluateOptions["tasks"], lock: StudyLock | undefined, { settings }: Workspace): ChosenTasks {
  const fallbackRoot = lock?.study.data_root ?? settings.dataRoot;
  const study = typeof asked === "string" ? readStudy(asked, []).study : asked === undefined ? lock?.study : undefined;
  if (study !== undefined) {
    const tasks = Object.values(ingredientTasks(study));
    const { eval: evalSpec, data_root: dataRoot = fallbackRoot, train } = study;
    return { tasks, names: Object.keys(study.tasks), evalSpec, dataRoot, cutoffLen: train.cutoff_len };
  }
  if (asked === undefined) {
    throw new SpecError({
      place: "options.tasks",
      expected: "a study file, or names of the catalogue",
      got: "nothing",
      remedy: "Add for example options.tasks study.yaml or options.tasks fpb,headline.",
    });
  }
  const names = [...asked];
  const described = lock && ingredientTasks(lock.study);
  return {
    tasks: names.map((name) => taskNamed(name, described)),
    names,
    evalSpec: EVAL_DEFAULTS,
    dataRoot: fallbackRoot,
    cutoffLen: TRAIN_DEFAULTS.cutoff_len,
  };
}

async function score(
  job: Job,
  record: (line: Omit<LedgerLine, "time">) => void,
  workspace: Workspace,
): Promise<Scores> {
  const worker = startWorker(workspace);
  try {
    const whole = { label: job.model, index: 1, pieces: 1 };
    const { failed, interrupted } = await executeJobs([{ job, seconds: 0 }], {
      execute: worker.execute,
      concurrency: 1,
      signal: workspace.signal,
      isComplete: () => false,
      record,
      onEvent: (event) => {
        if (event.kind === "progress") workspace.progress({ ...whole, ...event.progress });
      },
    });
    const [failure] = failed;
    if (failure !== undefined) {
      throw new WorkerError({
        place: job.dir,
        expected: "scores",
        got: `a failure: ${failure.reason}`,
        remedy: "Fix the cause and run it again.",
      });
    }
    if (interrupted.length > 0) throw workspace.signal.reason;
    return readScores(job.dir);
  } finally {
    await worker.close();
  }
}
