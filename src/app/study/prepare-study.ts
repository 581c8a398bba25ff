/** @file A study from its spec to its plan and its jobs: data loaded, models digested, runs estimated; nothing is written. */

import { join, resolve } from "node:path";
import { digestOf } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import type { Context } from "../../cli/context.ts";
import { type HostedChoice, hostedChoices } from "../../cli/options/hosted.ts";
import { refuseOtherModels, type StudyFlags } from "../../cli/options/study.ts";
import { keptOrders } from "../../data/batches/mixture.ts";
import { evaluatedSubset } from "../../data/splits/splits.ts";
import { lengthWithShots } from "../../data/tokens/few-shot.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { Example, LoadedTask } from "../../data/types.ts";
import { roughText } from "../../eval/hosted/rough-text.ts";
import { numericsOf } from "../../specs/train.ts";
import type { Caps, RunSpec, StudySpec, TaskSpec } from "../../specs/types.ts";
import type { QueuedJob } from "../../study/execute.ts";
import { findStudyLock, type LockedBaseline, type LockedTask, type StudyLock } from "../../study/lock-file.ts";
import { ingredientTasks, planStudy, shuffledOf } from "../../study/plan.ts";
import { baselineDir, runDir } from "../../study/scored.ts";
import type { Job, PlannedRun } from "../../study/types.ts";
import { CLUSTER_THREADS, threadsFor } from "../../workers/threads.ts";
import { refuseLargeModel } from "../models/memory.ts";
import { type BaseModel, openBaseModel } from "../models/named-model.ts";
import { packageVersion } from "../package.ts";
import { fetchHubData, type HubData } from "../tasks/hub-data.ts";
import { type Ingredients, ingredientFacts, ingredientsOf, loadTasks, textOfFolder } from "../tasks/ingredients.ts";
import { batchesOf, estimateRun, weightCost } from "./estimate.ts";
import { estimateHosted, hostedEval, hostedModel, hostedStudy, refuseDocuments } from "./hosted/hosted-study.ts";
import { answerKind, type StudyInput } from "./read-study.ts";
import { tokenCacheOf } from "./start-worker.ts";

/** A study with its data loaded and its runs planned; nothing is written yet. */
export interface PreparedStudy {
  input: StudyInput;
  dir: string;
  specs: Record<string, TaskSpec>;
  tasks: Record<string, LoadedTask>;
  /** By name; weights of the hub need not be there yet. */
  models: Record<string, BaseModel>;
  plan: PlannedRun[];
  lock: StudyLock;
  data: HubData;
  /** The hosted models among models and baselines, by name. */
  hosted: Record<string, HostedChoice>;
  /** What a run trains on. */
  dataOf(spec: RunSpec, caps: Caps): Record<string, PreparedTask>;
}

/** Loads the data, digests the models and plans the runs. @param flags  who trains, and of hosted models */
export async function prepareStudy(
  input: StudyInput,
  outDir: string | undefined,
  context: Context,
  { worker: named = "local", ...flags }: StudyFlags = {},
): Promise<PreparedStudy> {
  const { study } = input;
  const kind = named === "ray" ? "torch" : named;
  refuseUnscored(study);
  refuseOtherModels(kind, study.models);
  const hosted = hostedChoices([...study.models, ...study.eval.baselines], flags, context.settings.openai);
  const planned = kind === "hosted" ? hostedStudy(study, hosted) : study;
  if (kind !== "hosted") refuseMultiplier(study);
  const dir = resolve(outDir ?? join("studies", study.name));
  const dataRoot = study.data_root ?? context.settings.dataRoot;
  const before = findStudyLock(dir);
  const models: Record<string, BaseModel> = {};
  for (const [i, model] of study.models.entries())
    models[model] =
      hosted[model] === undefined
        ? await openBaseModel(model, `models[${i}]`, context, before?.hub?.[model])
        : hostedModel(model, hosted[model]);
  const specs = ingredientTasks(study);
  const data = await fetchHubData(specs, dataRoot, context, before?.hub);
  const { tasks, capped } = await loadTasks(study, data);
  for (const task of Object.values(tasks)) for (const sentence of task.notes) context.note(sentence);
  if (kind === "hosted") refuseDocuments(tasks);
  const largest = Math.max(...Object.values(models).map(({ size }) => size.parameters));
  // Somebody else's machine has its own threads, and a cluster's run ids must not follow from who asks.
  const cores = named === "ray" ? CLUSTER_THREADS : undefined;
  const ownThreads = () => context.settings.threads ?? before?.worker.threads ?? threadsFor(largest, cores);
  const worker: RunSpec["worker"] = { kind, threads: kind === "hosted" ? 1 : ownThreads() };
  const identities = Object.fromEntries(Object.entries(models).map(([name, { identity }]) => [name, identity]));
  const cache = tokenCacheOf(context.settings);
  const textOf = (model: string) => (hosted[model] === undefined ? textOfFolder(models[model]!.folder) : roughText());
  const ingredients = ingredientsOf(specs, tasks, capped, textOf, cache, context.note);
  refuseUnscorable(study, ingredients);
  const evaluated = evaluatedExamples(study, tasks);
  const makeOrder = keptOrders();
  const dataOf = (spec: RunSpec, caps: Caps) =>
    ingredients(spec.model.name, spec.train, { caps, shuffled: shuffledOf(spec) });
  const plan = planStudy(planned, {
    ingredients: (...of) => ingredientFacts(ingredients(...of), study.eval.max_dev),
    models: identities,
    worker,
    estimate: (spec, caps) => {
      const { name } = spec.model;
      const choice = hosted[name];
      return choice === undefined
        ? estimateRun(spec, dataOf(spec, caps), models[name]!.size, evaluated, makeOrder)
        : estimateHosted(spec, dataOf(spec, caps), evaluated.examples, choice, makeOrder);
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
    ...hubRecords(models, data),
    worker,
    runs: plan.flatMap(({ id, model, mixture, seed, factors, control, also }) =>
      [{ mixture, factors, ...(control && { control }) }, ...also].map((label) => ({ id, model, seed, ...label })),
    ),
    baselines: baselinesOf(study, tasks, identities, hosted),
  };
  return { input, dir, specs, tasks, models, plan, lock, data, hosted, dataOf };
}

/** @throws {SpecError} numbers that the embedded engine does not compute in */
function refuseNumerics(plan: readonly PlannedRun[]): void {
  const [key] = plan.flatMap(({ spec }) => Object.keys(numericsOf(spec.train)));
  if (key === undefined) return;
  throw new SpecError({
    place: `train.${key}`,
    expected: "false, on the local worker",
    got: "true",
    remedy: "Add --worker torch: the embedded engine computes in float32 alone.",
  });
}

/** What the lock keeps of the hub. */
function hubRecords(models: Record<string, BaseModel>, data: HubData): Pick<StudyLock, "hub"> {
  const records = Object.entries(models).flatMap(([name, { record }]) =>
    record === undefined ? [] : [[name, record]],
  );
  const all = { ...Object.fromEntries(records), ...data.records };
  return Object.keys(all).length === 0 ? {} : { hub: all };
}

/**
 * Refuses a study with a run that cannot fit.
 * @param memory  of what computes; default: this machine's
 * @throws {SpecError} with the arithmetic
 */
export function refuseFullMemory({ plan, models }: Pick<PreparedStudy, "plan" | "models">, memory?: number): void {
  for (const { model, estimate, spec } of plan)
    refuseLargeModel(model, models[model]!.size, estimate.memory_bytes, memory, weightCost(spec));
}

/** What jobs are told of where data is. */
export function dataOfJobs({ dataRoot, hubFiles }: HubData): Pick<Job, "data_root" | "hub_files"> {
  const hasFiles = Object.keys(hubFiles).length > 0;
  return { ...(dataRoot !== undefined && { data_root: dataRoot }), ...(hasFiles && { hub_files: hubFiles }) };
}

/** The jobs of a study: the untuned models, then the runs. */
export function jobsOf(prepared: PreparedStudy): QueuedJob[] {
  const { input, dir, specs, models, plan, lock, data } = prepared;
  const { study } = input;
  const common = {
    tasks: Object.values(specs),
    eval_tasks: Object.keys(study.tasks),
    ...dataOfJobs(data),
    eval: lock.worker.kind === "hosted" ? hostedEval(study.eval) : study.eval,
    threads: lock.worker.threads,
  };
  const untuned = lock.baselines.flatMap(({ id, kind, model, few_shot }): QueuedJob[] => {
    if (kind !== "base" || model === undefined) return [];
    const job: Job = {
      kind: "base",
      numerics: numericsOf(study.train),
      id,
      dir: baselineDir(dir, id),
      model,
      model_dir: models[model]!.folder,
      ...(few_shot === undefined ? {} : { few_shot }),
      cutoff_len: lengthWithShots(study.train.cutoff_len, few_shot ?? 0),
      ...common,
    };
    return [{ job, seconds: 0 }];
  });
  const runs = plan.map((run): QueuedJob => {
    const { id, model, spec, caps } = run;
    const job: Job = {
      kind: "run",
      id,
      dir: runDir(dir, id),
      model,
      model_dir: models[model]!.folder,
      spec,
      ...(Object.keys(caps).length > 0 && { caps }),
      cutoff_len: spec.train.cutoff_len,
      ...common,
    };
    return { job, seconds: run.estimate.seconds };
  });
  return [...untuned, ...runs];
}

/** A setting of services. */
function refuseMultiplier({ train, factors }: StudySpec): void {
  const key = "learning_rate_multiplier";
  const isFactor = factors[`train.${key}`] !== undefined;
  if (train[key] === undefined && !isFactor) return;
  throw new SpecError({
    place: isFactor ? `factors.train.${key}` : `train.${key}`,
    expected: "--worker hosted, whose services have it",
    got: "a worker that takes learning_rate",
    remedy: "Leave it out, and write train.learning_rate.",
  });
}

/** Documents have no answer to score. */
function refuseUnscored(study: StudySpec): void {
  for (const [name, spec] of Object.entries(study.tasks)) {
    const kind = answerKind(spec);
    if (kind !== "document") continue;
    throw new SpecError({
      place: `tasks.${name}`,
      expected: "a task with prompts and answers",
      got: `kind ${kind}`,
      remedy: "Move it to mixers: there it is trained on and not scored.",
    });
  }
}

/** Tokenises what will be scored, so that a row that is too long is found before any training. */
function refuseUnscorable(study: StudySpec, ingredients: Ingredients): void {
  for (const model of study.models) {
    const prepared = ingredients(model, study.train);
    for (const name of Object.keys(study.tasks)) for (const split of study.eval.splits) prepared[name]!.split(split);
  }
}

function evaluatedExamples(study: StudySpec, tasks: Record<string, LoadedTask>): { examples: number; tokens: number } {
  let examples = 0;
  let tokens = 0;
  for (const name of Object.keys(study.tasks)) {
    for (const split of study.eval.splits) {
      const used = evaluatedSubset(tasks[name]!.splits[split], split, study.eval);
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
function baselinesOf(
  study: StudySpec,
  tasks: Record<string, LoadedTask>,
  models: StudyLock["models"],
  hosted: Record<string, HostedChoice>,
): LockedBaseline[] {
  if (Object.keys(study.tasks).length === 0) return [];
  const scoredOn = Object.keys(study.tasks).map((name) => [name, tasks[name]!.digests]);
  const { max_dev, max_test, splits } = study.eval;
  const idOf = (kind: string, extra: unknown) =>
    `${kind}-${digestOf([scoredOn, max_dev, max_test, splits, extra]).slice(0, 8)}`;
  const others = study.eval.baselines.map((name): LockedBaseline => {
    const choice = hosted[name];
    if (choice === undefined) return { id: idOf(name, null), kind: name as "majority" | "ngram" };
    const where = { base_url: choice.baseUrl, api: choice.api };
    return { id: idOf("hosted", { model: name, ...where }), kind: "hosted", model: name, ...where };
  });
  // Shortened prompts are others under another limit.
  const isFitted = Object.keys(study.tasks).some((name) => Object.values(tasks[name]!.splits).some(mayBeShortened));
  const limit = isFitted ? { cutoff_len: study.train.cutoff_len } : {};
  const untuned = study.controls.flatMap((control) => {
    const [kind, shotsAsked = 0] = control.split(":");
    if (kind !== "base" && kind !== "few_shot") return []; // these are runs
    const few_shot = Number(shotsAsked);
    const shots = few_shot > 0 ? { few_shot } : {};
    return study.models.map((model) => ({
      id: idOf("base", { ...models[model], name: "", ...limit, ...shots, ...numericsOf(study.train) }),
      kind: "base" as const,
      model,
      ...shots,
    }));
  });
  return [...others, ...untuned];
}

function mayBeShortened(examples: readonly Example[]): boolean {
  return examples.some(({ fit }) => fit !== undefined);
}
