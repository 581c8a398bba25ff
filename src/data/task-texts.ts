/**
 * @file The training texts of tasks as documents: training on them without their labels is task-adaptive pre-training
 * (Gururangan et al. 2020, arXiv:2004.10964), here as one more ingredient of a mixture.
 */

import type { Split } from "../specs/types.ts";
import { textOf } from "./checks/leakage.ts";
import { groupOfText } from "./splits/splits.ts";
import type { Example, LoadedTask } from "./types.ts";

/**
 * Each distinct text once, in the order of the tasks. Texts that any of the tasks holds out, for dev or test, are left out of train;
 * there is no test, since documents are not scored.
 */
export function textsOf(tasks: readonly LoadedTask[]): Record<Split, Example[]> {
  const seen = new Set<string>();
  const take = (split: Split): Example[] =>
    tasks.flatMap(({ name, splits }) =>
      splits[split].flatMap((example) => {
        const answer = textOf(example).trim();
        const group = groupOfText(answer);
        if (answer === "" || seen.has(group)) return [];
        seen.add(group);
        return [{ id: `${split}#${name}/${example.id}`, prompt: "", answer, group, text: answer }];
      }),
    );
  take("test"); // held out: seen, and not given
  const dev = take("dev");
  return { train: take("train"), dev, test: [] };
}

export function namesOf(tasks: readonly LoadedTask[]): string {
  return tasks.map(({ name }) => name).join(", ");
}

export function licencesOf(tasks: readonly LoadedTask[]): string {
  return [...new Set(tasks.map(({ licence }) => licence))].join("; ");
}
