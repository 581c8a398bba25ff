/** @file Whose scores a folder of mixtune eval holds: written before the first is made, so that no call takes another model's for its own. */

import { canonicalJson } from "../base/canonical-json.ts";
import { SpecError } from "../base/errors.ts";
import { makeFolder } from "../formats/files.ts";
import { readSubject, writeSubject } from "../runs/run-dir.ts";
import type { Subject } from "../runs/types.ts";
import type { TaskSpec } from "../specs/types.ts";
import type { StudyLock } from "./lock-file.ts";
import { ingredientTasks } from "./plan.ts";

/** What tasks a folder with scores says it was scored on: in the study that it belongs to, and in its own record. */
export function tasksOfFolder(dir: string, lock: StudyLock | undefined): Record<string, TaskSpec> {
  return { ...(lock && ingredientTasks(lock.study)), ...readSubject(dir)?.tasks };
}

/**
 * Makes a folder this subject's; tasks are added to those that it has.
 * @throws {SpecError} scores of another model, or of the same tasks on other examples
 */
export function claimFolder(dir: string, subject: Subject): void {
  const before = readSubject(dir);
  const about = ({ tasks: _tasks, ...rest }: Subject) => rest;
  if (before !== undefined) {
    for (const [key, value] of Object.entries(about(before))) {
      const now = subject[key as keyof Subject] as unknown;
      if (value !== now) throw taken(dir, `${key} ${String(value)}`, String(now));
    }
    for (const [name, spec] of Object.entries(subject.tasks)) {
      const then = before.tasks[name];
      if (then !== undefined && canonicalJson(then) !== canonicalJson(spec)) {
        throw taken(dir, `task ${name} as ${JSON.stringify(then)}`, JSON.stringify(spec));
      }
    }
  }
  makeFolder(dir);
  writeSubject(dir, { ...subject, tasks: { ...before?.tasks, ...subject.tasks } });
}

function taken(dir: string, expected: string, got: string): SpecError {
  return new SpecError({
    place: `${dir}, which holds scores`,
    expected,
    got,
    remedy: "Give another folder with options.out.",
  });
}
