/** @file mixtune eval MODEL: scores a finished run or a model folder on tasks. */

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { SpecError, WorkerError } from "../../base/errors.ts";
import { lengthWithShots } from "../../data/few-shot.ts";
import { loadTask } from "../../data/load-task.ts";
import { makeFolder } from "../../formats/files.ts";
import { scoresText } from "../../report/scores-text.ts";
import { readScores, readSpec, readStatus, runPaths } from "../../runs/run-dir.ts";
import type { Scores } from "../../runs/types.ts";
import { EVAL_DEFAULTS } from "../../specs/study-file.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { EvalSpec, TaskSpec } from "../../specs/types.ts";
import { executeJobs } from "../../study/execute.ts";
import { findStudyLock, type StudyLock } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Job } from "../../study/types.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { HOSTED_OPTIONS, type HostedChoice, type HostedFlags, hostedChoice } from "../hosted-options.ts";
import { fetchHubData, type HubData } from "../hub-data.ts";
import { localModelDir, modelDir, modelDirOfRun, modelSize } from "../models.ts";
import { taskNamed } from "../named-tasks.ts";
import { wholeNumber } from "../options.ts";
import { dataOfJobs } from "../prepare-study.ts";
import { progressLine } from "../progress.ts";
import { readStudy } from "../read-study.ts";
import { startWorker } from "../start-worker.ts";
import { threadsFor } from "../threads.ts";

interface EvalOptions extends HostedFlags {
  fewShot: number;
  tasks?: string;
  split: string;
  out?: string;
}

export function addEval(program: Command, act: Act): void {
  const command = program
    .command("eval <model>")
    .description(
      "score a model on tasks: a run's directory, a folder in Hugging Face's layout, org/name of the hub, mixtune/tiny, or openai:NAME",
    )
    .option("--tasks <list>", "a study file, or names of the catalogue with commas (default: the run's own study)")
    .option("--split <list>", "dev, test or both with a comma", "test")
    .option("--out <dir>", "where predictions and scores go (default: the run's directory, or evals/<model>)")
    .option("--few-shot <k>", "training examples shown before each question", wholeNumber(0, 99), 0)
    .addHelpText("after", "\nExample: mixtune eval mixtune/tiny --tasks study.yaml --split dev,test")
    .action((model: string, options: EvalOptions) => act((context) => evaluate(model, options, context)));
  for (const [flags, meaning] of HOSTED_OPTIONS) command.option(flags, meaning);
}

async function evaluate(model: string, options: EvalOptions, context: Context): Promise<number> {
  const hosted = hostedChoice(model, options, context.settings.openai);
  const isRun = existsSync(runPaths.spec(model));
  const lock = isRun ? findStudyLock(resolve(model, "..", "..")) : undefined;
  const { tasks, evalSpec, names, dataRoot } = tasksOf(options.tasks, lock, context);
  const spec: EvalSpec = { ...evalSpec, splits: splitsOf(options.split) };
  const specs = Object.fromEntries(tasks.map((task) => [task.name, task]));
  const data = await fetchHubData(specs, dataRoot, context, lock?.hub);
  const { dir, scores } =
    hosted === undefined
      ? await scoreLocal()
      : await evaluateHosted(hosted, { specs, names, spec }, data, options, context);
  if (scores === undefined) return EXIT_INTERRUPTED;
  context.result({ dir, ...scores }, `${scoresText(scores, names)}\n\nPredictions and scores are in ${dir}.`);
  return EXIT_DONE;

  async function scoreLocal(): Promise<{ dir: string; scores: Scores | undefined }> {
    const common = { tasks, eval_tasks: names, eval: spec, ...dataOfJobs(data) };
    const job = await (isRun ? runJob(model, common, options, context) : baseJob(model, common, options, context));
    makeFolder(job.dir);
    return { dir: job.dir, scores: await score(job, context) };
  }
}

/** A hosted model's scores, beside the answers of every other call with this folder. */
async function evaluateHosted(
  hosted: HostedChoice,
  { specs, names, spec }: { specs: Record<string, TaskSpec>; names: readonly string[]; spec: EvalSpec },
  data: HubData,
  { fewShot, out }: EvalOptions,
  context: Context,
): Promise<{ dir: string; scores: Scores }> {
  const { scoreHosted } = await import("../hosted-eval.ts");
  const loaded = await Promise.all(names.map((name) => loadTask(specs[name]!, data)));
  const dir = resolve(out ?? join("evals", folderName(`${hosted.model}${shotsName(fewShot)}`)));
  makeFolder(dir);
  const where = { dir, numShots: fewShot };
  return { dir, scores: await scoreHosted(hosted, loaded, spec, where, context) };
}

type Common = Pick<Job, "tasks" | "eval_tasks" | "eval" | "data_root" | "hub_files">;

async function runJob(dir: string, common: Common, { out, fewShot }: EvalOptions, context: Context): Promise<Job> {
  if (fewShot > 0) {
    throw new SpecError({
      place: "--few-shot",
      expected: "an untuned or hosted model",
      got: dir,
      remedy: "Leave it out: a run is asked as it was trained.",
    });
  }
  if (out !== undefined) {
    throw new SpecError({
      place: "--out",
      expected: "no --out for a run",
      got: out,
      remedy: "Leave it out: a run's scores lie in its own directory.",
    });
  }
  const { state } = readStatus(dir);
  if (state !== "done")
    throw new SpecError({
      place: dir,
      expected: "a run that is done",
      got: `one that is ${state}`,
      remedy: "Finish it with mixtune run.",
    });
  const spec = readSpec(dir);
  const { name } = spec.model;
  return {
    kind: "run",
    id: basename(resolve(dir)),
    dir: resolve(dir),
    model: name,
    model_dir: await modelDirOfRun(dir, spec, context),
    spec,
    cutoff_len: spec.train.cutoff_len,
    threads: spec.worker.threads,
    ...common,
  };
}

function shotsName(numShots: number): string {
  return numShots === 0 ? "" : `-${numShots}-shot`;
}

function folderName(model: string): string {
  return model.replace(/[^\w.-]+/g, "--");
}

async function baseJob(model: string, common: Common, { out, fewShot }: EvalOptions, context: Context): Promise<Job> {
  const folder = await modelDir(model, "command line", context);
  const name = localModelDir(model, "command line") === undefined ? folderName(model) : basename(folder);
  const id = `${name}${shotsName(fewShot)}`;
  const dir = resolve(out ?? join("evals", id));
  return {
    kind: "base",
    id,
    dir,
    model,
    model_dir: folder,
    ...(fewShot === 0 ? {} : { few_shot: fewShot }),
    cutoff_len: lengthWithShots(TRAIN_DEFAULTS.cutoff_len, fewShot),
    threads: context.settings.threads ?? threadsFor(modelSize(folder).parameters),
    ...common,
  };
}

interface ChosenTasks {
  tasks: TaskSpec[];
  names: string[];
  evalSpec: EvalSpec;
  dataRoot: string | undefined;
}

function tasksOf(asked: string | undefined, lock: StudyLock | undefined, context: Context): ChosenTasks {
  if (asked === undefined && lock === undefined) {
    throw new SpecError({
      place: "--tasks",
      expected: "a study file, or names of the catalogue",
      got: "nothing",
      remedy: "Add for example --tasks study.yaml or --tasks fpb,headline.",
    });
  }
  const study = asked === undefined ? lock!.study : /\.ya?ml$/.test(asked) ? readStudy(asked, []).study : undefined;
  const fallbackRoot = lock?.study.data_root ?? context.settings.dataRoot;
  if (study !== undefined) {
    const tasks = Object.values(ingredientTasks(study));
    return { tasks, names: Object.keys(study.tasks), evalSpec: study.eval, dataRoot: study.data_root ?? fallbackRoot };
  }
  const names = asked!.split(",");
  const described = lock && ingredientTasks(lock.study);
  return {
    tasks: names.map((name) => taskNamed(name, described)),
    names,
    evalSpec: EVAL_DEFAULTS,
    dataRoot: fallbackRoot,
  };
}

function splitsOf(text: string): ("dev" | "test")[] {
  return text.split(",").map((split) => {
    if (split === "dev" || split === "test") return split;
    throw new SpecError({ place: "--split", expected: "dev, test or dev,test", got: text, remedy: "Correct it." });
  });
}

/** Undefined: interrupted. */
async function score(job: Job, context: Context): Promise<Scores | undefined> {
  const worker = startWorker(context);
  const line = progressLine(context);
  try {
    const whole = { label: job.model, index: 1, total: 1, secondsAfter: 0 };
    const { failed, interrupted } = await executeJobs([{ job, seconds: 0 }], {
      execute: worker.execute,
      concurrency: 1,
      signal: context.signal,
      isComplete: () => false,
      record: () => {},
      onEvent: (event) => {
        if (event.kind === "progress") line.update(whole, event.progress);
      },
    });
    line.close();
    const [failure] = failed;
    if (failure !== undefined) {
      throw new WorkerError({
        place: job.dir,
        expected: "scores",
        got: `a failure: ${failure.reason}`,
        remedy: "Put the reason right and call again.",
      });
    }
    return interrupted.length > 0 ? undefined : readScores(job.dir);
  } finally {
    await worker.close();
  }
}
