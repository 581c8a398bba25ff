/** @file Task and mixer blocks of a file as specs: paths made absolute, catalogue names filled in, keys that must stand together checked. */

import { resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import type { MixerBlock, TaskBlock } from "./schema.ts";
import type { AnswerSpec, MixerSpec, TaskSpec } from "./types.ts";
import { describeValue } from "./validate.ts";
import type { KeyPath, YamlFile } from "./yaml-file.ts";

/** A task block as a spec. A block without `data` names a catalogue task: its own name, or `catalogue`. */
export function taskSpecOf(name: string, block: TaskBlock, file: YamlFile, at: KeyPath, catalogue = name): TaskSpec {
  if (block.data === undefined) {
    for (const key of ["prompt", "answer", "group"] as const) {
      if (block[key] === undefined) continue;
      throw new SpecError({
        place: file.place([...at, key]),
        expected: `data beside ${key}`,
        got: `${key} without data`,
        remedy: `Name your files under data, or leave ${key} to the catalogue.`,
      });
    }
    return withoutUndefined({
      name,
      catalogue,
      max_train: block.max_train,
      data_dir: absolute(block.data_dir, file, [...at, "data_dir"]),
      metric: block.metric,
      on_bad_row: block.on_bad_row,
    });
  }
  const answer = ownAnswer(block, file, at);
  return withoutUndefined({
    name,
    max_train: block.max_train,
    data: withoutUndefined({
      train: absolute(block.data.train, file, [...at, "data", "train"]) as string,
      dev: absolute(block.data.dev, file, [...at, "data", "dev"]),
      test: absolute(block.data.test, file, [...at, "data", "test"]),
    }),
    prompt: ownPrompt(block, answer, file, at),
    answer,
    group: block.group,
    metric: block.metric,
    on_bad_row: block.on_bad_row,
  });
}

/** A mixer block as a spec. Its data is a catalogue task or its own files. */
export function mixerSpecOf(name: string, block: MixerBlock, file: YamlFile, at: KeyPath): MixerSpec {
  const { role = "always", dose, share_of_caps, task, ...taskBlock } = block;
  const misplaced = role === "always" ? ("share_of_caps" as const) : ("dose" as const);
  if (block[misplaced] !== undefined) {
    throw new SpecError({
      place: file.place([...at, misplaced]),
      expected: role === "always" ? "dose for role always" : "share_of_caps for role ingredient",
      got: misplaced,
      remedy: role === "always" ? "Set role: ingredient, or give a dose." : "Set role: always, or give share_of_caps.",
    });
  }
  if ((task === undefined) === (block.data === undefined)) {
    throw new SpecError({
      place: file.place(at),
      expected: "either task (of the catalogue) or data (your files)",
      got: task === undefined ? "neither" : "both",
      remedy: "Keep exactly one.",
    });
  }
  return {
    task: task ?? name,
    role,
    source: taskSpecOf(name, taskBlock, file, at, task),
    ...(role === "always" ? { dose: dose === undefined ? [1] : [dose].flat() } : {}),
    ...(share_of_caps !== undefined ? { share_of_caps } : {}),
  };
}

function ownAnswer(block: TaskBlock, file: YamlFile, at: KeyPath): AnswerSpec {
  if (block.data_dir !== undefined) {
    throw new SpecError({
      place: file.place([...at, "data_dir"]),
      expected: "data_dir for catalogue tasks only",
      got: "data_dir beside data",
      remedy: "Remove data_dir; the paths under data are enough.",
    });
  }
  if (block.answer === undefined) {
    throw new SpecError({
      place: file.place([...at, "answer"]),
      expected: "answer, since the task has its own data",
      got: "nothing",
      remedy: "Add for example answer: {kind: label, field: label, labels: [yes, no]}.",
    });
  }
  const labels = block.answer.kind === "label" ? block.answer.labels : [];
  const doubled = labels.find((label, i) => labels.indexOf(label) < i);
  if (doubled !== undefined) {
    throw new SpecError({
      place: file.place([...at, "answer", "labels", labels.lastIndexOf(doubled)]),
      expected: "different labels",
      got: `${doubled} twice`,
      remedy: "Remove one.",
    });
  }
  return block.answer;
}

function ownPrompt(block: TaskBlock, answer: AnswerSpec, file: YamlFile, at: KeyPath): string | undefined {
  const isDocument = answer.kind === "document";
  const hasField = block.prompt !== undefined && /\{[^{}]+\}/.test(block.prompt);
  if (isDocument ? block.prompt === undefined : hasField) return block.prompt;
  throw new SpecError({
    place: file.place([...at, "prompt"]),
    expected: isDocument ? "no prompt for kind document" : "a prompt that names a field, such as {text}",
    got: describeValue(block.prompt),
    remedy: isDocument
      ? "Remove prompt: every token of a document is trained on."
      : "Write the field's name in braces.",
  });
}

function absolute(path: string | undefined, file: YamlFile, at: KeyPath): string | undefined {
  return path === undefined ? undefined : resolve(file.baseDir(at), path);
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The record without members that are undefined. */
export function withoutUndefined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}
