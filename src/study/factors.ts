/** @file Factors of a study: keys that take several values, each combination a study of its own in all but name. */

import { changeTrain } from "../specs/train.ts";
import type { Caps, StudySpec, TaskSpec } from "../specs/types.ts";
import { product } from "./product.ts";

/** One value of each factor of a study. */
export interface Combination {
  /** The study as it would be if these values were written in its file. */
  study: StudySpec;
  /** What it takes of `train`, by dotted key. */
  train: Record<string, unknown>;
  /** What it takes of tasks' `max_train`. */
  caps: Caps;
}

const TRAIN = "train.";
const CAP = /^tasks\.(.+)\.max_train$/;

/** Every combination of a study's factors; one where there are none. */
export function combinations(study: StudySpec): Combination[] {
  return product(Object.entries(study.factors)).map((values) => {
    const train = Object.fromEntries(Object.entries(values).filter(([key]) => key.startsWith(TRAIN)));
    const caps = Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => {
        const task = cappedTask(key);
        return task === undefined ? [] : [[task, value as number | null]];
      }),
    );
    const changed = Object.entries(train).map(([key, value]) => [key.slice(TRAIN.length), value]);
    const tasks = Object.entries(study.tasks).map(([name, task]) => [name, withCap(task, caps[name])]);
    return {
      study: {
        ...study,
        tasks: Object.fromEntries(tasks),
        train: changeTrain(study.train, Object.fromEntries(changed)),
      },
      train,
      caps,
    };
  });
}

/** A task with another cap on its training examples. @param cap  null: none; undefined: it stays */
export function withCap(task: TaskSpec, cap: number | null | undefined): TaskSpec {
  if (cap === undefined) return task;
  const { max_train: _, ...uncapped } = task;
  return cap === null ? uncapped : { ...uncapped, max_train: cap };
}

const ROWS = " rows";

/** How tables name the size of a task's own data: that many rows. */
export function sizeFactor(task: string): string {
  return `${task}${ROWS}`;
}

/** The task whose size a factor of a table is; undefined for others. */
export function sizedTask(factor: string): string | undefined {
  return factor.endsWith(ROWS) ? factor.slice(0, -ROWS.length) : undefined;
}

/** The caps that a study's factors give to tasks, by task. */
export function capsAsked(study: StudySpec): Record<string, (number | null)[]> {
  const asked = Object.entries(study.factors).flatMap(([key, values]) => {
    const task = cappedTask(key);
    return task === undefined ? [] : [[task, values as (number | null)[]]];
  });
  return Object.fromEntries(asked);
}

/** The numbers of examples that a study's few_shot controls show. */
export function shotsAsked({ controls }: Pick<StudySpec, "controls">): number[] {
  return controls.flatMap((control) => (control.startsWith("few_shot:") ? [Number(control.split(":")[1])] : []));
}

function cappedTask(key: string): string | undefined {
  return CAP.exec(key)?.[1];
}
