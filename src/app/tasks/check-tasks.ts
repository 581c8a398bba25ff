/** @file Checks the data of a study, or of tasks of the catalogue, before a run. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { MixtuneError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { brokenBy } from "../../data/checks/contracts.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { StudySpec } from "../../specs/types.ts";
import { combinations, shotsAsked } from "../../study/factors.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { tokenizerDir } from "../models/named-model.ts";
import { refuseUntrainable } from "../models/refuse-untrainable.ts";
import type { Workspace } from "../workspace.ts";
import { type CheckReport, type CheckRequest, checkData } from "./check-data.ts";
import { fetchWhatThereIs } from "./hub-data.ts";
import { type TaskOptions, taskNamed } from "./named-task.ts";

/** Lengths are counted in the tokens of this model unless another is named. */
export const CHECK_MODEL = "mixtune/tiny";

/** Of tasks of the catalogue; a study says these itself. */
export interface CheckOptions {
  /** Whose tokenizer counts; default mixtune/tiny. */
  model?: string | undefined;
  /** Most tokens of an example; default as of a study. */
  cutoffLen?: number | undefined;
  /** For every one of the tasks. */
  task?: TaskOptions | undefined;
}

/**
 * Data contracts, lengths and leakage. What cannot be loaded is a finding.
 * @param what  a study, or names of tasks of the catalogue; none: all that are on this machine
 * @throws {SpecError} an unknown name, a model that cannot be found
 */
export async function checkTasks(
  what: StudySpec | readonly string[],
  workspace: Workspace,
  options: CheckOptions = {},
): Promise<CheckReport> {
  if (!isStudy(what)) return checkData(await ofNames(what, options, workspace));
  const request = await ofStudy(what, workspace);
  const report = await checkData(request);
  try {
    refuseUntrainable(what, request.modelDirs);
    return report;
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    return { ...report, ok: false, findings: [...report.findings, brokenBy(error)] };
  }
}

function isStudy(what: StudySpec | readonly string[]): what is StudySpec {
  return !Array.isArray(what);
}

async function ofStudy(study: StudySpec, workspace: Workspace): Promise<CheckRequest> {
  const modelDirs: Record<string, string> = {};
  for (const [i, model] of study.models.entries())
    modelDirs[model] = await tokenizerDir(model, `models[${i}]`, workspace);
  const specs = ingredientTasks(study);
  return {
    specs,
    settings: await fetchWhatThereIs(specs, study.data_root ?? workspace.settings.dataRoot, workspace),
    scored: Object.keys(study.tasks),
    isStudy: true,
    allowed: study.allow_overlap ?? [],
    modelDirs,
    cutoffLens: cutoffsOf(study),
    shotCounts: shotsAsked(study),
    evalSplits: study.eval.splits,
    progress: progressOf(workspace),
  };
}

function cutoffsOf(study: StudySpec): [number, ...number[]] {
  const own = study.train.cutoff_len;
  const asked = combinations(study).map(({ study: one }) => one.train.cutoff_len);
  return [own, ...new Set(asked.filter((length) => length !== own))];
}

async function ofNames(
  asked: readonly string[],
  { model = CHECK_MODEL, cutoffLen = TRAIN_DEFAULTS.cutoff_len, task = {} }: CheckOptions,
  workspace: Workspace,
): Promise<CheckRequest> {
  const { dataRoot } = workspace.settings;
  const names = asked.length > 0 ? asked : namesOnThisMachine(task.data_dir ?? dataRoot);
  const specs = Object.fromEntries(names.map((name) => [name, { ...taskNamed(name, undefined), ...task }]));
  return {
    specs,
    settings: { ...(await fetchWhatThereIs(specs, dataRoot, workspace)), isOnlyEvaluated: true },
    scored: names,
    isStudy: false,
    allowed: [],
    modelDirs: { [model]: await tokenizerDir(model, "options.model", workspace) },
    cutoffLens: [cutoffLen],
    shotCounts: [],
    evalSplits: [],
    progress: progressOf(workspace),
  };
}

function namesOnThisMachine(root: string | undefined): string[] {
  return Object.values(CATALOGUE)
    .filter(({ generate, local }) => {
      const isLocal = root !== undefined && local?.files.every((file) => existsSync(join(root, file)));
      return generate !== undefined || isLocal === true;
    })
    .map(({ name }) => name);
}

function progressOf({ note }: Workspace): (what: string) => void {
  return (what) => note(`checking ${what}`);
}
