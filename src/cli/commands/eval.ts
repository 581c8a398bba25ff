/** @file mixtune eval MODEL: scores a finished run or a model folder on tasks. */

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { rescore, rescoredText } from "../../app/evaluate/rescore.ts";
import { type HostedChoice, hostedChoice } from "../../app/hosted/choice.ts";
import { localModelDir, modelDir, modelDirOfRun, modelSize } from "../../app/models/named-model.ts";
import { dataOfJobs } from "../../app/study/planned-study.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { startWorker } from "../../app/study/start-worker.ts";
import { fetchHubData } from "../../app/tasks/hub-data.ts";
import { taskNamed } from "../../app/tasks/named-task.ts";
import { SpecError, WorkerError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import { lengthWithShots } from "../../data/tokens/few-shot.ts";
import { disagreementOf } from "../../metrics/disagreement.ts";
import { type Panel, panelsText } from "../../report/disagreement-text.ts";
import { scoresText } from "../../report/scores-text.ts";
import { listPredictions, readPredictions, readScores, readSpec, readStatus, runPaths } from "../../runs/run-dir.ts";
import type { LedgerLine, Scores } from "../../runs/types.ts";
import { EVAL_DEFAULTS } from "../../specs/study-file.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { EvalSpec, TaskSpec } from "../../specs/types.ts";
import { whileClaimed } from "../../study/claim.ts";
import { executeJobs } from "../../study/execute.ts";
import { appendLedger } from "../../study/ledger.ts";
import { findStudyLock, type StudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { claimFolder } from "../../study/subject.ts";
import type { Job } from "../../study/types.ts";
import { threadsFor } from "../../workers/threads.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { addHostedOptions, addRequestConcurrency, type HostedFlags, hostedOptionsOf } from "../options/hosted.ts";
import { wholeNumber } from "../options/numbers.ts";

interface EvalOptions extends HostedFlags {
  fewShot: number;
  tasks?: string;
  split: string;
  out?: string;
  rescore?: string;
}

export function addEval(program: Command, act: Act): void {
  const command = program
    .command("eval [model]")
    .description(
      "score a model on tasks: a run's directory, a folder in Hugging Face's layout, org/name of the hub, mixtune/tiny, or openai:NAME",
    )
    .option("--tasks <list>", "a study file, or names of the catalogue with commas (default: the run's own study)")
    .option("--split <list>", "dev, test or both with a comma", "test")
    .option("--out <dir>", "where predictions and scores go (default: the run's directory, or evals/<model>)")
    .option("--few-shot <k>", "training examples shown before each question", wholeNumber(0, 99), 0)
    .option("--rescore <dir>", "ask no model: judge the stored answers of a run, a study or an evaluation again")
    .addHelpText("after", "\nExample: mixtune eval mixtune/tiny --tasks study.yaml --split dev,test")
    .action((model: string | undefined, options: EvalOptions) =>
      act((context) => {
        if (options.rescore !== undefined) return judgeAgain(options.rescore, model, options, context);
        if (model === undefined) throw noModel();
        return evaluate(model, options, context);
      }),
    );
  addRequestConcurrency(addHostedOptions(command));
}

async function judgeAgain(
  dir: string,
  model: string | undefined,
  { tasks }: EvalOptions,
  context: Context,
): Promise<number> {
  if (model !== undefined) {
    throw new SpecError({
      place: "--rescore",
      expected: "no model beside it",
      got: model,
      remedy: "Leave the model out: its answers are in the folder.",
    });
  }
  const result = await rescore(resolve(dir), tasks, context);
  context.result(result, rescoredText(result));
  return EXIT_DONE;
}

function noModel(): SpecError {
  return new SpecError({
    place: "mixtune eval",
    expected: "a model, or --rescore with a folder",
    got: "neither",
    remedy: "Write for example: mixtune eval mixtune/tiny --tasks fpb",
  });
}

async function evaluate(model: string, options: EvalOptions, context: Context): Promise<number> {
  const hosted = hostedChoice(model, hostedOptionsOf(options), context.settings.openai);
  const isRun = existsSync(runPaths.spec(model));
  const studyDir = isRun ? studyAround(resolve(model)) : undefined;
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  const { tasks, evalSpec, names, dataRoot } = tasksOf(options.tasks, lock, context);
  const spec: EvalSpec = { ...evalSpec, splits: splitsOf(options.split) };
  const specs = Object.fromEntries(tasks.map((task) => [task.name, task]));
  const data = await fetchHubData(specs, dataRoot, context, lock?.hub);
  const asked = {
    few_shot: options.fewShot,
    tasks: Object.fromEntries(names.map((name) => [name, specs[name]!])),
    max_dev: spec.max_dev,
    max_test: spec.max_test,
  };
  const { dir, scores } = await (hosted === undefined ? scoreLocal() : scoreRemote(hosted));
  if (scores === undefined) return EXIT_INTERRUPTED;
  const panels = panelsOf(dir, names, spec.splits);
  context.result(
    { dir, ...scores, panels },
    `${scoresText(scores, names)}${panelsText(panels)}\n\nPredictions and scores are in ${dir}.`,
  );
  return EXIT_DONE;

  async function scoreLocal(): Promise<{ dir: string; scores: Scores | undefined }> {
    const common = { tasks, eval_tasks: names, eval: spec, ...dataOfJobs(data) };
    const job = await (isRun ? runJob(model, common, options, context) : baseJob(model, common, options, context));
    if (!isRun) claimFolder(job.dir, { model, at: job.model_dir, ...asked });
    const record = (line: Omit<LedgerLine, "time">) => {
      if (studyDir !== undefined && line.event === "test_opened") appendLedger(studyDir, context.clock, line);
    };
    return whileClaimed(studyDir, context, async () => ({ dir: job.dir, scores: await score(job, record, context) }));
  }

  async function scoreRemote(choice: HostedChoice): Promise<{ dir: string; scores: Scores }> {
    const { scoreHosted } = await import("../../app/hosted/score-hosted.ts");
    const loaded = await Promise.all(names.map((name) => loadTask(specs[name]!, data)));
    const dir = resolve(options.out ?? join("evals", folderName(`${choice.model}${shotsName(options.fewShot)}`)));
    claimFolder(dir, { model, at: choice.baseUrl, ...asked });
    const where = { dir, numShots: options.fewShot };
    return { dir, scores: await scoreHosted(choice, loaded, spec, where, context) };
  }
}

/** Where the scorers of each task's answers differ. */
function panelsOf(dir: string, names: readonly string[], splits: EvalSpec["splits"]): Panel[] {
  return listPredictions(dir).flatMap(({ task, split }) => {
    if (!names.includes(task) || !splits.includes(split)) return [];
    const found = disagreementOf(readPredictions(dir, task, split));
    return found === undefined ? [] : [{ task, split, ...found }];
  });
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
    numerics: {},
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

/** @returns undefined: interrupted */
async function score(
  job: Job,
  record: (line: Omit<LedgerLine, "time">) => void,
  context: Context,
): Promise<Scores | undefined> {
  const worker = startWorker(context);
  try {
    const whole = { label: job.model, index: 1, pieces: 1 };
    const { failed, interrupted } = await executeJobs([{ job, seconds: 0 }], {
      execute: worker.execute,
      concurrency: 1,
      signal: context.signal,
      isComplete: () => false,
      record,
      onEvent: (event) => {
        if (event.kind === "progress") context.progress({ ...whole, ...event.progress });
      },
    });
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
