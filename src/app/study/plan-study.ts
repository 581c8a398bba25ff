/** @file A study from its spec to its plan and its jobs: data loaded, models digested, runs estimated; nothing is written. */

import { resolve } from "node:path";
import { keptOrders } from "../../data/batches/mixture.ts";
import { evaluatedSubset } from "../../data/splits/splits.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { LoadedTask } from "../../data/types.ts";
import { evaluationSubset } from "../../eval/evaluate.ts";
import { roughText } from "../../eval/hosted/rough-text.ts";
import type { Caps, RunSpec, StudySpec, TrainSpec } from "../../specs/types.ts";
import { findStudyLock, type LockedTask, type StudyLock } from "../../study/lock-file.ts";
import { ingredientTasks, planRuns, shuffledOf } from "../../study/plan.ts";
import type { TimeParts } from "../../study/types.ts";
import { CLUSTER_THREADS, threadsFor } from "../../workers/threads.ts";
import { type HostedOptions, hostedChoices } from "../hosted/choice.ts";
import type { BaseModel } from "../models/base-model.ts";
import { openBaseModel } from "../models/named-model.ts";
import { refuseUntrainable } from "../models/refuse-untrainable.ts";
import { packageVersion } from "../package.ts";
import { fetchHubData, type HubData } from "../tasks/hub-data.ts";
import { type Ingredients, ingredientFacts, ingredientsOf, loadTasks, textOfFolder } from "../tasks/ingredients.ts";
import type { Workspace } from "../workspace.ts";
import { baselinesOf } from "./baselines.ts";
import { batchesOf, type EvaluatedCost, estimateRun } from "./estimate.ts";
import { estimateHosted, hostedModel, hostedStudy, refuseDocuments } from "./hosted/hosted-study.ts";
import { startSeconds } from "./pass-cost.ts";
import type { PlannedStudy } from "./planned-study.ts";
import type { StudyInput } from "./read-study.ts";
import { refuseMultiplier, refuseNumerics, refuseUnscorable, refuseUnscored } from "./refusals.ts";
import { devSeconds, scoringSeconds } from "./scoring-cost.ts";
import { tokenCacheOf } from "./start-worker.ts";
import { studyDir } from "./study-dir.ts";
import { refuseOtherModels, refuseUnused, type WorkerOptions } from "./worker-kind.ts";

/** Where a study's results go, who trains, and consent to hosted models. */
export interface StudyOptions extends WorkerOptions {
  /** Default studies/<name> beside the study file. */
  out?: string | undefined;
  hosted?: HostedOptions | undefined;
}

/**
 * Loads the data, digests the models and plans the runs. Nothing is written but to the caches.
 * @throws {SpecError|DataError|CheckpointError} a study that cannot be run, with what to change
 */
export async function planStudy(
  input: StudyInput,
  workspace: Workspace,
  { out, hosted: hostedOptions = {}, ...workerOptions }: StudyOptions = {},
): Promise<PlannedStudy> {
  refuseUnused(workerOptions);
  const { worker: named = "local" } = workerOptions;
  const { study } = input;
  const kind = named === "ray" ? "torch" : named;
  refuseUnscored(study);
  refuseOtherModels(kind, study.models);
  const hosted = hostedChoices([...study.models, ...study.eval.baselines], hostedOptions, workspace.settings.openai);
  const planned = kind === "hosted" ? hostedStudy(study, hosted) : study;
  if (kind !== "hosted") refuseMultiplier(study);
  const dir = out === undefined ? studyDir(input, workspace.note) : resolve(out);
  const dataRoot = study.data_root ?? workspace.settings.dataRoot;
  const before = findStudyLock(dir);
  const models: Record<string, BaseModel> = {};
  for (const [i, model] of study.models.entries())
    models[model] =
      hosted[model] === undefined
        ? await openBaseModel(model, `models[${i}]`, workspace, before?.hub?.[model])
        : hostedModel(model, hosted[model]);
  const local = Object.entries(models).filter(([name]) => hosted[name] === undefined);
  refuseUntrainable(study, Object.fromEntries(local.map(([name, { folder }]) => [name, folder])));
  const specs = ingredientTasks(study);
  const data = await fetchHubData(specs, dataRoot, workspace, before?.hub);
  const { tasks, capped } = await loadTasks(study, data);
  for (const task of Object.values(tasks)) for (const sentence of task.notes) workspace.note(sentence);
  if (kind === "hosted") refuseDocuments(tasks);
  const largest = Math.max(...Object.values(models).map(({ size }) => size.parameters));
  // Somebody else's machine has its own threads, and a cluster's run ids must not follow from who asks.
  const cores = named === "ray" ? CLUSTER_THREADS : undefined;
  const ownThreads = () => workspace.settings.threads ?? before?.worker.threads ?? threadsFor(largest, cores);
  const worker: RunSpec["worker"] = { kind, threads: kind === "hosted" ? 1 : ownThreads() };
  const identities = Object.fromEntries(Object.entries(models).map(([name, { identity }]) => [name, identity]));
  const cache = tokenCacheOf(workspace.settings);
  const textOf = (model: string) => (hosted[model] === undefined ? textOfFolder(models[model]!.folder) : roughText());
  const ingredients = ingredientsOf(specs, tasks, capped, textOf, cache, workspace.note);
  refuseUnscorable(study, ingredients);
  const evaluation = evaluationOf(study, ingredients, models, worker.threads);
  const numScored = numEvaluated(tasks, study);
  const makeOrder = keptOrders();
  const dataOf = (spec: RunSpec, caps: Caps) =>
    ingredients(spec.model.name, spec.train, { caps, shuffled: shuffledOf(spec) });
  const plan = planRuns(planned, {
    ingredients: (...of) => ingredientFacts(ingredients(...of), study.eval.max_dev),
    models: identities,
    worker,
    estimate: (spec, caps) => {
      const { name } = spec.model;
      const choice = hosted[name];
      return choice === undefined
        ? estimateRun(spec, dataOf(spec, caps), models[name]!.size, evaluation.ofRun(spec), makeOrder)
        : estimateHosted(spec, dataOf(spec, caps), numScored, choice, makeOrder);
    },
    stepsToShow: (spec, tokens, caps) => batchesOf(spec, dataOf(spec, caps), makeOrder).stepsToShow(tokens),
  });
  if (kind === "local") refuseNumerics(plan);
  const lock: StudyLock = {
    format: 1,
    mixtune: packageVersion(),
    study,
    tasks: Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, lockedTask(task)])),
    models: identities,
    parameters: Object.fromEntries(local.map(([name, { size }]) => [name, size.parameters])),
    ...hubRecords(models, data),
    worker,
    runs: plan.flatMap(({ id, model, mixture, seed, factors, control, also }) =>
      [{ mixture, factors, ...(control && { control }) }, ...also].map((label) => ({ id, model, seed, ...label })),
    ),
    baselines: baselinesOf(study, tasks, identities, hosted),
  };
  return {
    ...{ input, dir, specs, tasks, models, plan, lock, data, hosted, workerOptions, dataOf },
    untunedTime: evaluation.ofUntuned,
  };
}

/** What the lock keeps of the hub. */
function hubRecords(models: Record<string, BaseModel>, data: HubData): Pick<StudyLock, "hub"> {
  const records = Object.entries(models).flatMap(([name, { record }]) =>
    record === undefined ? [] : [[name, record]],
  );
  const all = { ...Object.fromEntries(records), ...data.records };
  return Object.keys(all).length === 0 ? {} : { hub: all };
}

function numEvaluated(tasks: Record<string, LoadedTask>, { tasks: scored, eval: spec }: StudySpec): number {
  const splits = Object.keys(scored).flatMap((name) =>
    spec.splits.map((split) => evaluatedSubset(tasks[name]!.splits[split], split, spec)),
  );
  return splits.reduce((sum, { length }) => sum + length, 0);
}

/** What scoring a study's models should take on this engine. */
function evaluationOf(study: StudySpec, ingredients: Ingredients, models: Record<string, BaseModel>, threads: number) {
  const names = Object.keys(study.tasks);
  const isLabelled = (one: PreparedTask) => one.labels !== undefined;
  const known = new Map<string, EvaluatedCost>();
  const cost = (model: string, train: TrainSpec, shots: number) => {
    const tasks = ingredients(model, train, shots > 0 ? { shown: { tasks: names, shots } } : {});
    return { tasks, names, spec: study.eval, model: models[model]!.size, threads };
  };
  return {
    ofRun: ({ model, train, mixture }: RunSpec): EvaluatedCost => {
      const key = JSON.stringify([model.name, train.cutoff_len, train.loss_on, mixture.ingredients]);
      const before = known.get(key);
      if (before !== undefined) return before;
      const all = cost(model.name, train, 0);
      const labelled = Object.keys(mixture.ingredients).filter((name) => isLabelled(all.tasks[name]!));
      const subsets = names.flatMap((name) =>
        study.eval.splits.map((split) => evaluationSubset(all.tasks[name]!, split, study.eval).length),
      );
      const made = {
        examples: subsets.reduce((sum, length) => sum + length, 0),
        seconds: scoringSeconds({ ...all, isUntuned: false }),
        devSeconds: devSeconds({ ...all, names: labelled }),
      };
      known.set(key, made);
      return made;
    },
    ofUntuned: (model: string, shots: number): TimeParts => ({
      start: startSeconds(models[model]!.size, 2),
      train: 0,
      score: scoringSeconds({ ...cost(model, study.train, shots), isUntuned: true }),
    }),
  };
}

function lockedTask({ metric, licence, source, splits, digests }: LoadedTask): LockedTask {
  const num_examples = { train: splits.train.length, dev: splits.dev.length, test: splits.test.length };
  return { metric, licence, source, num_examples, digests };
}
