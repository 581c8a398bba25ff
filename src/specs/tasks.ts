/** @file Task and mixer blocks of a file as specs: paths made absolute, catalogue names filled in, keys that must stand together checked. */

import { resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import { composed } from "../base/unicode.ts";
import { didYouMean } from "./nearest.ts";
import type { MixerBlock, TaskBlock } from "./schema.ts";
import type { AnswerSpec, CatalogueFacts, MixerSpec, TaskSpec } from "./types.ts";
import { describeValue } from "./validate.ts";
import type { KeyPath, YamlFile } from "./yaml-file.ts";

/** What is known of catalogue entries while a file is read, by name. */
export type Catalogue = Readonly<Record<string, CatalogueFacts>>;

const OF_OWN_DATA = ["prompt", "answer", "group", "fit"] as const;
const OF_CATALOGUE = ["data_dir", "variant", "prompt_style"] as const;

/** A task block as a spec. A block without `data` names a catalogue task: its own name, or `entry`. */
export function taskSpecOf(
  name: string,
  block: TaskBlock,
  file: YamlFile,
  at: KeyPath,
  catalogue: Catalogue,
  entry = name,
): TaskSpec {
  const isOnlyEvaluated =
    block.evaluation_only === true || (!block.data && catalogue[entry]?.isEvaluationOnly === true);
  const evaluation_only = isOnlyEvaluated ? (true as const) : undefined;
  if (block.evaluation_only && block.max_train !== undefined) throw onlyEvaluated(name, file, [...at, "max_train"]);
  if (block.data === undefined) {
    for (const key of OF_OWN_DATA) {
      if (block[key] === undefined) continue;
      throw new SpecError({
        place: file.place([...at, key]),
        expected: `data beside ${key}`,
        got: `${key} without data`,
        remedy: `Name your files under data, or leave ${key} to the catalogue.`,
      });
    }
    const paper = catalogue[entry]?.paper;
    const cap = paper !== undefined && "cap" in paper ? paper.cap : undefined;
    return withoutUndefined({
      name,
      catalogue: entry,
      max_train: ofPaper(block.max_train, cap, entry, file, [...at, "max_train"]),
      data_dir: absolute(block.data_dir, file, [...at, "data_dir"]),
      variant: block.variant,
      prompt_style: block.prompt_style,
      evaluation_only,
      metric: block.metric,
      on_bad_row: block.on_bad_row,
      on_overlap: block.on_overlap,
    });
  }
  for (const key of OF_CATALOGUE) {
    if (block[key] === undefined) continue;
    throw new SpecError({
      place: file.place([...at, key]),
      expected: `${key} for catalogue tasks only`,
      got: `${key} beside data`,
      remedy: `Remove ${key}; the keys for your own files are data, prompt, answer, group and fit.`,
    });
  }
  refuseDoubledLabels(block.answer, file, at);
  return withoutUndefined({
    name,
    max_train: ofPaper(block.max_train, undefined, name, file, [...at, "max_train"]),
    data: withoutUndefined({
      train: absolute(block.data.train, file, [...at, "data", "train"]) as string,
      dev: absolute(block.data.dev, file, [...at, "data", "dev"]),
      test: absolute(block.data.test, file, [...at, "data", "test"]),
      quotes: block.data.quotes,
    }),
    prompt: ownPrompt(block, file, at),
    answer: block.answer,
    fit: block.fit,
    group: block.group,
    evaluation_only,
    metric: block.metric,
    on_bad_row: block.on_bad_row,
    on_overlap: block.on_overlap,
  });
}

/** A mixer block as a spec. Its data is a catalogue task, its own files, or the texts of tasks of the study. */
export function mixerSpecOf(
  name: string,
  block: MixerBlock,
  file: YamlFile,
  at: KeyPath,
  catalogue: Catalogue,
  tasks: Readonly<Record<string, TaskSpec>>,
): MixerSpec {
  const { role = "always", dose, share_of_caps, task, texts_of, ...taskBlock } = block;
  const { on_overlap, ...ownKeys } = taskBlock;
  const misplaced = role === "always" ? ("share_of_caps" as const) : ("dose" as const);
  if (block[misplaced] !== undefined) {
    throw new SpecError({
      place: file.place([...at, misplaced]),
      expected: role === "always" ? "dose for role always" : "share_of_caps for role ingredient",
      got: misplaced,
      remedy: role === "always" ? "Set role: ingredient, or give a dose." : "Set role: always, or give share_of_caps.",
    });
  }
  const given = Object.entries({ task, data: block.data, texts_of }).flatMap(([key, value]) => (value ? [key] : []));
  if (given.length !== 1) {
    throw new SpecError({
      place: file.place(at),
      expected: "one of task (of the catalogue), data (your files) and texts_of (tasks of this study)",
      got: given.length === 0 ? "none of them" : given.join(" and "),
      remedy: "Keep exactly one.",
    });
  }
  const beside = texts_of === undefined ? undefined : Object.keys(ownKeys)[0];
  if (beside !== undefined) {
    throw new SpecError({
      place: file.place([...at, beside]),
      expected: "texts_of alone, with role, its amount and on_overlap",
      got: `${beside} beside texts_of`,
      remedy: `Remove ${beside}: texts are trained on as they are.`,
    });
  }
  const source =
    texts_of === undefined
      ? taskSpecOf(name, taskBlock, file, at, catalogue, task)
      : withoutUndefined({
          name,
          texts_of: texts_of.map((one, i) => trainedTask(one, tasks, file, [...at, "texts_of", i])),
          on_overlap,
        });
  if ("evaluation_only" in source) throw onlyEvaluated(task as string, file, [...at, "task"]);
  const paper = task === undefined ? undefined : catalogue[task]?.paper;
  const ofCaps = paper !== undefined && "shareOfCaps" in paper ? paper.shareOfCaps : undefined;
  const share = ofPaper(share_of_caps, ofCaps, task ?? name, file, [...at, "share_of_caps"]);
  return {
    task: task ?? name,
    role,
    source,
    ...(role === "always" ? { dose: dose === undefined ? [1] : [dose].flat() } : {}),
    ...(share !== undefined ? { share_of_caps: share } : {}),
  };
}

/** The task of the study behind a name. @throws {SpecError} no such task, or one that is only evaluated */
function trainedTask(name: string, tasks: Readonly<Record<string, TaskSpec>>, file: YamlFile, at: KeyPath): TaskSpec {
  const spec = tasks[name];
  if (!isTrainedOn(spec)) throw onlyEvaluated(name, file, at);
  if (spec !== undefined) return spec;
  throw new SpecError({
    place: file.place(at),
    expected: `one of the study's tasks: ${Object.keys(tasks).join(", ")}`,
    got: name,
    remedy: didYouMean(name, Object.keys(tasks)),
  });
}

/** Whether mixtures may hold a task; of what is no task (a mixer) they may. */
export function isTrainedOn(task: Pick<TaskSpec, "evaluation_only"> | undefined): boolean {
  return task?.evaluation_only !== true;
}

/** Whether two tasks of a study may overlap: whether a pair of `allow_overlap` names them, in either order. */
export function mayOverlap(allowed: readonly (readonly [string, string])[] = [], a: string, b: string): boolean {
  return allowed.some(([one, other]) => (one === a && other === b) || (one === b && other === a));
}

/** Data to train on asked of a task that has none to give. */
export function onlyEvaluated(name: string, file: YamlFile, at: KeyPath): SpecError {
  return new SpecError({
    place: file.place(at),
    expected: "data to train on",
    got: `${name}, which is only evaluated`,
    remedy: "Leave it out here; under tasks it is scored for every mixture.",
  });
}

/** An amount as written, or what the paper has in place of the word `paper`. */
function ofPaper(
  written: number | "paper" | undefined,
  paper: number | undefined,
  entry: string,
  file: YamlFile,
  at: KeyPath,
): number | undefined {
  if (written !== "paper") return written;
  if (paper !== undefined) return paper;
  throw new SpecError({
    place: file.place(at),
    expected: `a number, as the paper (arXiv 2410.01109) has no ${String(at.at(-1))} for ${entry}`,
    got: "paper",
    remedy: "Write the number.",
  });
}

function refuseDoubledLabels(answer: AnswerSpec | undefined, file: YamlFile, at: KeyPath): void {
  const labels = answer?.kind === "label" ? answer.labels : [];
  const names = labels.map(composed);
  const doubled = labels.find((_, i) => names.indexOf(names[i] as string) < i);
  if (doubled === undefined) return;
  throw new SpecError({
    place: file.place([...at, "answer", "labels", labels.lastIndexOf(doubled)]),
    expected: "different labels",
    got: `${doubled} twice`,
    remedy: "Remove one.",
  });
}

/** Without a prompt the files' own shape is asked when they are read. */
function ownPrompt({ prompt, answer }: TaskBlock, file: YamlFile, at: KeyPath): string | undefined {
  const isDocument = answer?.kind === "document";
  if (prompt === undefined || (!isDocument && /\{[^{}]+\}/.test(prompt))) return prompt;
  throw new SpecError({
    place: file.place([...at, "prompt"]),
    expected: isDocument ? "no prompt for kind document" : "a prompt that names a field, such as {text}",
    got: describeValue(prompt),
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
function withoutUndefined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}
