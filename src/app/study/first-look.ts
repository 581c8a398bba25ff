/** @file Proposed tasks looked at as examples, and changed until nothing in their rows would stop a run. */

import { MixtuneError } from "../../base/errors.ts";
import { splitFacts, tokenFacts } from "../../data/checks/contracts.ts";
import { loadTask } from "../../data/load-task.ts";
import type { Proposal } from "../../data/own/propose.ts";
import type { LoadedTask } from "../../data/types.ts";
import type { Split, StudySpec, TaskSpec } from "../../specs/types.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { textOfFolder } from "../tasks/ingredients.ts";
import type { Workspace } from "../workspace.ts";

/** A task as it is written into the file. */
export interface ProposedTask {
  name: string;
  train: string;
  dev?: string;
  test?: string;
  /** There where quotes in the files are characters like any other. */
  quotes?: false;
  numRows: number;
  proposal: Proposal;
  found: Found;
}

/** What a look at the rows as examples has shown: what must be left out so that the study runs, and what is said. */
export interface Found {
  /** Rows without a text or an answer, or with a number that is none. */
  numUnusable: number;
  /** Rows longer than train.cutoff_len under the base model, shortened where the longest field may be. */
  numTooLong: number;
  /** Training rows that a dev or test split has too. */
  numOverlapping: number;
  /** Rows whose prompt stands elsewhere in their split with another answer. */
  numContradicting: number;
  /** Whether the longest field is shortened. */
  isFitted: boolean;
  /** Rows to train on. */
  numTrain: number;
}

/** Before the first look. */
export const NOTHING_YET: Found = {
  numUnusable: 0,
  numTooLong: 0,
  numOverlapping: 0,
  numContradicting: 0,
  isFitted: false,
  numTrain: 0,
};

/** Above this share of training rows whose group dev or test have too, the files were not split by that group. */
const MOST_SHARED = 0.1;

/**
 * Tasks with what was found in their rows. A field is shortened where rows are too long; a group that the person's files do not keep apart is no group.
 * @param studyOf  the study that would be written of tasks
 * @param modelFolder  whose tokenizer counts
 */
export async function lookedAt(
  proposed: readonly ProposedTask[],
  studyOf: (tasks: readonly ProposedTask[]) => StudySpec,
  modelFolder: string,
  { note }: Workspace,
): Promise<ProposedTask[]> {
  const text = textOfFolder(modelFolder);
  const all = [...proposed];
  // Each round may take away a group or shorten a field, once a task.
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    const study = studyOf(all);
    const settings = { heldOut: new Map() };
    for (const [i, task] of all.entries()) {
      note(`looking at ${task.name}`);
      const loaded = await loadedLeavingOut(task.name, study, settings);
      if (loaded === undefined) continue; // the check says why
      const changed = withoutSharedGroup(task, loaded);
      const found = changed === task ? foundIn(task, loaded, text, study.train.cutoff_len) : task.found;
      const isLong = found.numTooLong > 0 && !found.isFitted && task.proposal.longest !== undefined;
      all[i] = { ...changed, found: isLong ? { ...found, isFitted: true } : found };
      if (isLong || changed !== task) isSettled = false;
    }
  }
  return all;
}

/** A task with all left out that can be; undefined where it cannot be loaded even so. */
async function loadedLeavingOut(
  name: string,
  study: StudySpec,
  settings: Parameters<typeof loadTask>[1],
): Promise<LoadedTask | undefined> {
  const leaving = (tasks: Record<string, TaskSpec>) =>
    Object.fromEntries(
      Object.entries(tasks).map(([key, spec]): [string, TaskSpec] => [
        key,
        { ...spec, ...(spec.data && { on_bad_row: "skip", on_overlap: "drop" }) },
      ]),
    );
  const mixers = Object.entries(study.mixers).map(([key, mixer]) => {
    const { [key]: source } = leaving({ [key]: mixer.source! });
    return [key, { ...mixer, source }];
  });
  const specs = ingredientTasks({ ...study, tasks: leaving(study.tasks), mixers: Object.fromEntries(mixers) });
  try {
    return await loadTask(specs[name]!, settings);
  } catch (error) {
    if (error instanceof MixtuneError) return undefined;
    throw error;
  }
}

function withoutSharedGroup(task: ProposedTask, { splits, overlapping = [] }: LoadedTask): ProposedTask {
  const numOverlapping = overlapping.length;
  const { group, ...proposal } = task.proposal;
  if (group === undefined || numOverlapping <= MOST_SHARED * (splits.train.length + numOverlapping)) return task;
  const remark = `${group.field} is no group: ${numOverlapping} training rows share theirs, or their text, with dev or test`;
  return { ...task, proposal: { ...proposal, remarks: [...proposal.remarks, remark] } };
}

const SPLITS: readonly Split[] = ["train", "dev", "test"];

function foundIn(
  { found }: ProposedTask,
  task: LoadedTask,
  { tokenizer, template }: ReturnType<typeof textOfFolder>,
  cutoffLen: number,
): Found {
  const present = SPLITS.filter((split) => task.splits[split].length > 0);
  const sum = (numIn: (split: Split) => number) => present.reduce((total, split) => total + numIn(split), 0);
  return {
    numUnusable: task.numUnusable ?? 0,
    numOverlapping: task.overlapping?.length ?? 0,
    numTooLong: sum((split) => tokenFacts(task, split, tokenizer, template, cutoffLen).too_long.length),
    numContradicting: sum((split) => splitFacts(task, split, { scoreConstant: () => Number.NaN }).contradicting),
    isFitted: found.isFitted,
    numTrain: task.splits.train.length,
  };
}
