/** @file Whose scores a folder of mixtune eval holds: written before the first is made, so that no call takes another model's for its own. */

import { refuseOtherMaker } from "../base/made-by.ts";
import { makeFolder } from "../formats/files.ts";
import { readSubject, writeSubject } from "../runs/run-dir.ts";
import type { Asked, Subject } from "../runs/types.ts";
import type { EvalSpec, TaskSpec } from "../specs/types.ts";
import type { StudyLock } from "./lock-file.ts";
import { ingredientTasks } from "./plan.ts";

/** What tasks a folder with scores says it was scored on: in the study that it belongs to, and in its own record. */
export function tasksOfFolder(dir: string, lock: StudyLock | undefined): Record<string, TaskSpec> {
  return { ...(lock && ingredientTasks(lock.study)), ...readSubject(dir)?.tasks };
}

/** What of a split's examples and of the asking decides its answers. @param digest  of the split's examples */
export function askedOf(
  digest: string,
  split: "dev" | "test",
  { max_dev, max_test, max_new_tokens }: Pick<EvalSpec, "max_dev" | "max_test" | "max_new_tokens">,
): Readonly<Record<string, unknown>> {
  return { examples: digest, num_examples: split === "dev" ? max_dev : max_test, max_new_tokens };
}

/**
 * Makes a folder this subject's; tasks are added to those that it has. Of keys that the folder's record lacks, as those of earlier versions do,
 * nothing is asked.
 *
 * @param lock  of a run, its study's, whose tasks it was scored on
 * @throws {SpecError} scores of another model, or of the same tasks as they are not any more; with the keys that differ
 */
export function claimFolder(dir: string, subject: Subject, lock?: StudyLock): void {
  const record = readSubject(dir);
  const before = { tasks: tasksOfFolder(dir, lock), asked: { ...(lock && askedByStudy(lock)), ...record?.asked } };
  const { tasks, asked = {}, made_by, ...about } = subject;
  const theirs: Record<string, unknown> = {};
  const mine: Record<string, unknown> = {};
  const compare = (key: string, then: unknown, now: unknown) => {
    if (then !== undefined && now !== undefined) [theirs[key], mine[key]] = [then, now];
  };
  for (const [key, now] of Object.entries(about)) compare(key, record?.[key as keyof typeof about], now);
  for (const [key, now] of Object.entries(made_by ?? {})) compare(key, record?.made_by?.[key], now);
  for (const [name, spec] of Object.entries(tasks)) {
    compare(`task ${name}`, before.tasks[name] && scoredBy(before.tasks[name]), scoredBy(spec));
    for (const split of ["dev", "test"] as const)
      compare(`${name} ${split}`, before.asked[name]?.[split], asked[name]?.[split]);
  }
  refuseOtherMaker(`${dir}, which holds scores`, theirs, mine, lock === undefined ? ANOTHER_FOLDER : AS_THE_STUDY);

  const own = lock === undefined ? {} : ingredientTasks(lock.study);
  const fresh = Object.fromEntries(Object.entries(tasks).filter(([name]) => own[name] === undefined));
  if (lock !== undefined && Object.keys(fresh).length === 0) return;
  makeFolder(dir);
  const all = { ...record?.asked };
  for (const name of Object.keys(fresh)) all[name] = { ...all[name], ...asked[name] };
  writeSubject(dir, { ...subject, tasks: { ...record?.tasks, ...fresh }, asked: all });
}

const ANOTHER_FOLDER = "Give another folder with options.out.";
const AS_THE_STUDY =
  "Start the study again with mixtune run if its data changed, or give the task another name in the study file with options.tasks.";

/** What of a task decides what a model is asked and how its answers are read. */
function scoredBy({ max_train: _max, on_overlap: _overlap, apart_from: _apart, ...spec }: TaskSpec): unknown {
  return spec;
}

/** What a study asks of its runs. */
function askedByStudy({ tasks, study }: StudyLock): Asked {
  return Object.fromEntries(
    Object.entries(tasks).map(([name, { digests }]) => [
      name,
      { dev: askedOf(digests.dev, "dev", study.eval), test: askedOf(digests.test, "test", study.eval) },
    ]),
  );
}
