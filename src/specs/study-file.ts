/** @file A study file's text becomes a StudySpec: grammar, defaults, absolute paths, and everything that this version cannot do refused by name. */

import { resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import { isHosted, tableScoring } from "./hosted.ts";
import { didYouMean } from "./nearest.ts";
import { type EvalBlock, type StudyFile, sizeSchema, studyFileSchema, trainBlockSchema } from "./schema.ts";
import { type Catalogue, isTrainedOn, mixerSpecOf, onlyEvaluated, taskSpecOf } from "./tasks.ts";
import { resolveTrain, type TrainBlock, trainConflict } from "./train.ts";
import type { DesignPart, EvalSpec, MixerSpec, StudySpec, TaskSpec, TrainSpec } from "./types.ts";
import { describeValue, validateFile } from "./validate.ts";
import { type KeyPath, type Overrides, parseYamlFile, type YamlFile } from "./yaml-file.ts";

/** Values of an `eval` block that says nothing. */
export const EVAL_DEFAULTS: EvalSpec = {
  splits: ["dev", "test"],
  max_dev: 1000,
  max_test: null,
  scoring: ["constrained", "strict", "lenient"],
  constrained_numbers: false, // as dear as generating the answers freely
  max_new_tokens: null,
  baselines: ["majority", "ngram"],
  keep_prompts: false,
};

/**
 * Reads a study file.
 * @param text of the file
 * @param path absolute path of the file: for messages and as base of relative paths
 * @param overrides `key=value` words of the command line
 * @param catalogue what catalogue entries are: the amounts that `paper` stands for, which are only evaluated
 * @throws {SpecError} with file, line and column of the first thing that is wrong
 */
export function parseStudy(text: string, path: string, overrides: Overrides, catalogue: Catalogue = {}): StudySpec {
  const file = parseYamlFile(text, path, overrides);
  const written = validateFile(studyFileSchema, file);
  const tasks = tasksOf(written.tasks, file, catalogue);
  const mixers = mixersOf(written, tasks, file, catalogue);
  if (Object.keys(tasks).length === 0) {
    throw new SpecError({
      place: file.place(["tasks"]),
      expected: "at least one task",
      got: "none",
      remedy: "Add a task; mixtune tasks list shows the catalogue.",
    });
  }
  const isIngredient = ({ role }: MixerSpec) => role === "ingredient";
  if (!Object.values(tasks).some(isTrainedOn) && !Object.values(mixers).some(isIngredient)) {
    throw new SpecError({
      place: file.place(["tasks"]),
      expected: "at least one ingredient: a task that is trained on, or a mixer with role: ingredient",
      got: `tasks that are only evaluated: ${Object.keys(tasks).join(", ")}`,
      remedy: "Add a task to train on; mixtune eval scores a model as it is.",
    });
  }
  return {
    name: written.name,
    models: written.models.map((model, i) => modelName(model, file, ["models", i])),
    ...dataRoot(written.data_root, file),
    tasks,
    mixers,
    ...allowedOverlap(written.allow_overlap, { ...tasks, ...mixers }, file),
    design: written.design.map((part, i) => designOf(part, { ...tasks, ...mixers }, file, ["design", i])),
    ...(written.temperature !== undefined ? { temperature: written.temperature } : {}),
    budget: {
      match: [written.budget?.match ?? ("none" as const)].flat(),
      reference: written.budget?.reference ?? "all",
    },
    seeds: distinctSeeds(written.seeds ?? [1], file),
    factors: factorsOf(written.factors ?? {}, written.train ?? {}, tasks, file),
    controls: controlsOf(written.controls ?? ["base"], written.train ?? {}, file),
    train: trainOf(written.train ?? {}, file),
    eval: evalOf(written.eval ?? {}, file, written.models),
  };
}

/** The `train` block with defaults; refuses keys that contradict each other. */
export function trainOf(block: TrainBlock, file: YamlFile): TrainSpec {
  const train = resolveTrain(block);
  const conflict = trainConflict(train);
  if (conflict !== undefined) {
    const { key, ...detail } = conflict;
    throw new SpecError({ place: file.place(["train", key]), ...detail });
  }
  return train;
}

/**
 * The `eval` block with defaults; refuses unknown baselines, and a hosted one, or a hosted model of the study, without the reading that a table with
 * it compares.
 */
export function evalOf(block: EvalBlock, file: YamlFile, models: readonly string[]): EvalSpec {
  block.baselines?.forEach((baseline, i) => {
    if (isHosted(baseline)) return;
    mustBeOneOf(baseline, ["majority", "ngram", "openai:NAME"], file, ["eval", "baselines", i]);
  });
  const written = Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
  const spec = { ...EVAL_DEFAULTS, ...written };
  const compared = tableScoring(spec, models);
  if (!spec.scoring.includes(compared)) {
    throw new SpecError({
      place: file.place(["eval", "scoring"]),
      expected: `${compared} too: a hosted model gives no log-probability of a label, so the whole table is ${compared}`,
      got: spec.scoring.join(", "),
      remedy: `Write scoring: [${[...spec.scoring, compared].join(", ")}], or leave the hosted model out.`,
    });
  }
  return spec;
}

/** `allow_overlap`, if there is one; refuses names that are no ingredient. */
export function allowedOverlap(
  pairs: StudyFile["allow_overlap"],
  known: Record<string, unknown>,
  file: YamlFile,
): { allow_overlap?: [string, string][] } {
  pairs?.forEach((pair, i) => {
    pair.forEach((name, k) => mustBeOneOf(name, Object.keys(known), file, ["allow_overlap", i, k]));
  });
  return pairs === undefined ? {} : { allow_overlap: pairs };
}

/** Task blocks as specs. */
export function tasksOf(blocks: StudyFile["tasks"], file: YamlFile, catalogue: Catalogue): Record<string, TaskSpec> {
  return Object.fromEntries(
    Object.entries(blocks).map(([name, block]) => [name, taskSpecOf(name, block, file, ["tasks", name], catalogue)]),
  );
}

/** Refuses a mixture that is empty, names what is not there or is only evaluated, or says twice how much. */
export function checkMixture(
  mixture: Record<string, object>,
  known: Record<string, TaskSpec | MixerSpec>,
  file: YamlFile,
  at: KeyPath,
): void {
  if (Object.keys(mixture).length === 0) {
    throw new SpecError({
      place: file.place(at),
      expected: "at least one ingredient",
      got: "an empty mixture",
      remedy: "Add a task.",
    });
  }
  for (const [name, amount] of Object.entries(mixture)) {
    mustBeOneOf(name, Object.keys(known), file, [...at, name]);
    if ("evaluation_only" in known[name]!) throw onlyEvaluated(name, file, [...at, name]);
    const said = Object.keys(amount);
    if (said.length > 1) {
      throw new SpecError({
        place: file.place([...at, name]),
        expected: "at most one of weight, max_train, epochs, tokens",
        got: said.join(" and "),
        remedy: "Keep one.",
      });
    }
  }
}

/** A model as written, a folder made absolute. */
export function modelName(model: string, file: YamlFile, at: KeyPath): string {
  return /^\.{0,2}\//.test(model) ? resolve(file.baseDir(at), model) : model;
}

/** `data_root` made absolute, if there is one. */
export function dataRoot(path: string | undefined, file: YamlFile): { data_root?: string } {
  return path === undefined ? {} : { data_root: resolve(file.baseDir(["data_root"]), path) };
}

/** Amounts without members that are undefined. */
export function amountsOf<T extends Record<string, object>>(amounts: T): Record<string, Record<string, number>> {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [name, { ...amount } as Record<string, number>]),
  );
}

function designOf(
  part: StudyFile["design"][number],
  known: Record<string, TaskSpec | MixerSpec>,
  file: YamlFile,
  at: KeyPath,
): DesignPart {
  if (typeof part === "string") return part;
  if ("random" in part) return { random: { runs: part.random.runs, seed: part.random.seed ?? 1 } };
  checkMixture(part.tasks, known, file, [...at, "tasks"]);
  const { name, tasks, temperature, shuffled_labels } = part;
  return {
    name,
    tasks: amountsOf(tasks),
    ...(temperature !== undefined ? { temperature } : {}),
    ...(shuffled_labels ? { shuffled_labels } : {}),
  };
}

function mixersOf(
  written: StudyFile,
  tasks: Record<string, TaskSpec>,
  file: YamlFile,
  catalogue: Catalogue,
): Record<string, MixerSpec> {
  const entries = Object.entries(written.mixers ?? {}).map(([name, block]): [string, MixerSpec] => {
    if (Object.hasOwn(tasks, name)) {
      throw new SpecError({
        place: file.place(["mixers", name]),
        expected: "a name that no task has",
        got: name,
        remedy: "Rename the mixer.",
      });
    }
    return [name, mixerSpecOf(name, block, file, ["mixers", name], catalogue, tasks)];
  });
  return Object.fromEntries(entries);
}

function distinctSeeds(seeds: number[], file: YamlFile): number[] {
  const doubled = seeds.findIndex((seed, i) => seeds.indexOf(seed) < i);
  if (doubled >= 0) {
    throw new SpecError({
      place: file.place(["seeds", doubled]),
      expected: "different seeds",
      got: `${seeds[doubled]} twice`,
      remedy: "Remove one: a seed fixes every random draw, so it would be the same run.",
    });
  }
  return seeds;
}

function factorsOf(
  factors: Record<string, unknown[]>,
  block: TrainBlock,
  tasks: Record<string, TaskSpec>,
  file: YamlFile,
): Record<string, unknown[]> {
  const keys = Object.keys(trainBlockSchema.shape).map((key) => `train.${key}`);
  const sizes = Object.keys(tasks).map((name) => `tasks.${name}.max_train`);
  for (const [dotted, values] of Object.entries(factors)) {
    mustBeOneOf(dotted, [...keys, ...sizes], file, ["factors", dotted]);
    if (sizes.includes(dotted)) {
      const name = dotted.split(".")[1]!;
      if (tasks[name]!.evaluation_only) throw onlyEvaluated(name, file, ["factors", dotted]);
      values.forEach((value, i) => {
        validateFile(sizeSchema, { ...file, value, place: () => file.place(["factors", dotted, i]) });
      });
      continue;
    }
    const key = dotted.slice("train.".length);
    values.forEach((value, i) => {
      const inner: YamlFile = { ...file, value: { [key]: value }, place: () => file.place(["factors", dotted, i]) };
      trainOf({ ...block, ...validateFile(trainBlockSchema, inner) }, inner);
    });
  }
  return factors;
}

function controlsOf(controls: string[], { init }: TrainBlock, file: YamlFile): string[] {
  controls.forEach((control, i) => {
    const kind = control.split(":")[0]!;
    mustBeOneOf(kind, ["base", "few_shot", "shuffled_labels", "random_init"], file, ["controls", i]);
    if (kind === "few_shot") {
      if (!/^few_shot:[1-9]\d?$/.test(control)) throw badShots(control, file, i);
    } else mustBeOneOf(control, [kind], file, ["controls", i]);
    if (kind === "random_init" && init === "random") throw alreadyRandom(file, i);
  });
  return controls;
}

function alreadyRandom(file: YamlFile, i: number): SpecError {
  return new SpecError({
    place: file.place(["controls", i]),
    expected: "train.init: pretrained, which random_init is a control of",
    got: "train.init: random",
    remedy: "Leave one of them out: every run begins at random weights already.",
  });
}

function badShots(control: string, file: YamlFile, i: number): SpecError {
  return new SpecError({
    place: file.place(["controls", i]),
    expected: "few_shot:K with K from 1 to 99",
    got: control,
    remedy: "Write for example few_shot:5.",
  });
}

function mustBeOneOf(word: string, known: string[], file: YamlFile, at: KeyPath): void {
  if (known.includes(word)) return;
  throw new SpecError({
    place: file.place(at),
    expected: known.length > 12 ? "a known name" : `one of ${known.join(", ")}`,
    got: describeValue(word),
    remedy: didYouMean(word, known),
  });
}
