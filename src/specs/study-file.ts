/** @file A study file's text becomes a StudySpec: grammar, defaults, absolute paths, and everything that this version cannot do refused by name. */

import { resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import { didYouMean } from "./nearest.ts";
import { type EvalBlock, type StudyFile, studyFileSchema, trainBlockSchema } from "./schema.ts";
import { mixerSpecOf, taskSpecOf } from "./tasks.ts";
import { resolveTrain, type TrainBlock, trainConflict } from "./train.ts";
import type { BudgetSpec, EvalSpec, MixerSpec, StudySpec, TaskSpec, TrainSpec } from "./types.ts";
import { describeValue, validateFile } from "./validate.ts";
import { type KeyPath, type Overrides, parseYamlFile, type YamlFile } from "./yaml-file.ts";

/** Values of an `eval` block that says nothing. */
export const EVAL_DEFAULTS: EvalSpec = {
  splits: ["dev", "test"],
  max_dev: 1000,
  max_test: null,
  scoring: ["constrained"],
  baselines: ["majority", "ngram"],
  keep_prompts: false,
};

/**
 * Reads a study file.
 * @param text of the file
 * @param path absolute path of the file: for messages and as base of relative paths
 * @param overrides `key=value` words of the command line
 * @throws {SpecError} with file, line and column of the first thing that is wrong
 */
export function parseStudy(text: string, path: string, overrides: Overrides): StudySpec {
  const file = parseYamlFile(text, path, overrides);
  const written = validateFile(studyFileSchema, file);
  const tasks = tasksOf(written.tasks, file);
  const mixers = mixersOf(written, tasks, file);
  const ingredients = [...Object.keys(tasks), ...Object.keys(mixers)];
  if (Object.keys(tasks).length === 0) {
    throw new SpecError({
      place: file.place(["tasks"]),
      expected: "at least one task",
      got: "none",
      remedy: "Add a task; mixtune tasks list shows the catalogue.",
    });
  }
  written.design.forEach((part, i) => {
    if (typeof part === "string") return;
    if ("random" in part) {
      refuseLater(
        file,
        ["design", i, "random"],
        "random designs",
        "List the mixtures, or use singles, pairs, leave-one-out, all.",
      );
    }
    checkMixture(part.tasks, ingredients, file, ["design", i, "tasks"]);
  });
  return {
    name: written.name,
    models: written.models.map((model, i) => modelName(model, file, ["models", i])),
    ...dataRoot(written.data_root, file),
    tasks,
    mixers,
    design: written.design.map((part) =>
      typeof part === "string" || "random" in part ? part : { name: part.name, tasks: amountsOf(part.tasks) },
    ),
    budget: budgetOf(written.budget, file),
    seeds: distinctSeeds(written.seeds ?? [1], file),
    factors: factorsOf(written.factors ?? {}, written.train ?? {}, file),
    controls: controlsOf(written.controls ?? ["base"], file),
    train: trainOf(written.train ?? {}, file),
    eval: evalOf(written.eval ?? {}, file),
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

/** The `eval` block with defaults; refuses scorings and baselines that this version does not have. */
export function evalOf(block: EvalBlock, file: YamlFile): EvalSpec {
  block.scoring?.forEach((scoring, i) => {
    if (scoring !== "constrained")
      refuseLater(file, ["eval", "scoring", i], `scoring: ${scoring}`, "Use scoring: [constrained].");
  });
  block.baselines?.forEach((baseline, i) => {
    if (baseline.includes(":")) {
      refuseLater(file, ["eval", "baselines", i], "hosted baselines", "Use baselines: [majority, ngram].");
    }
    mustBeOneOf(baseline, ["majority", "ngram"], file, ["eval", "baselines", i]);
  });
  const written = Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
  return { ...EVAL_DEFAULTS, ...written };
}

/** Task blocks as specs. */
export function tasksOf(blocks: StudyFile["tasks"], file: YamlFile): Record<string, TaskSpec> {
  return Object.fromEntries(
    Object.entries(blocks).map(([name, block]) => [name, taskSpecOf(name, block, file, ["tasks", name])]),
  );
}

/** Refuses a mixture that is empty, names what is not there, or says twice how much. */
export function checkMixture(
  mixture: Record<string, object>,
  ingredients: string[],
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
    mustBeOneOf(name, ingredients, file, [...at, name]);
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

function mixersOf(written: StudyFile, tasks: Record<string, TaskSpec>, file: YamlFile): Record<string, MixerSpec> {
  const entries = Object.entries(written.mixers ?? {}).map(([name, block]): [string, MixerSpec] => {
    if (Object.hasOwn(tasks, name)) {
      throw new SpecError({
        place: file.place(["mixers", name]),
        expected: "a name that no task has",
        got: name,
        remedy: "Rename the mixer.",
      });
    }
    return [name, mixerSpecOf(name, block, file, ["mixers", name])];
  });
  return Object.fromEntries(entries);
}

function budgetOf(block: StudyFile["budget"], file: YamlFile): BudgetSpec {
  const match = block === undefined ? ["none" as const] : [block.match].flat();
  const later = match.find((kind) => kind === "tokens" || kind === "target_examples");
  if (later !== undefined) refuseLater(file, ["budget", "match"], `budget.match: ${later}`, "Use none or steps.");
  return { match, reference: block?.reference ?? "all" };
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

function factorsOf(factors: Record<string, unknown[]>, block: TrainBlock, file: YamlFile): Record<string, unknown[]> {
  for (const [dotted, values] of Object.entries(factors)) {
    const known = Object.keys(trainBlockSchema.shape).map((key) => `train.${key}`);
    mustBeOneOf(dotted, known, file, ["factors", dotted]);
    const key = dotted.slice("train.".length);
    values.forEach((value, i) => {
      const inner: YamlFile = { ...file, value: { [key]: value }, place: () => file.place(["factors", dotted, i]) };
      trainOf({ ...block, ...validateFile(trainBlockSchema, inner) }, inner);
    });
  }
  return factors;
}

function controlsOf(controls: string[], file: YamlFile): string[] {
  controls.forEach((control, i) => {
    const kind = control.split(":")[0]!;
    mustBeOneOf(kind, ["base", "few_shot", "shuffled_labels", "random_init"], file, ["controls", i]);
    if (control !== "base") refuseLater(file, ["controls", i], `controls: ${control}`, "Use controls: [base].");
  });
  return controls;
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

function refuseLater(file: YamlFile, at: KeyPath, what: string, remedy: string): never {
  throw new SpecError({
    place: file.place(at),
    expected: "what this version can do",
    got: `${what}, which it cannot do yet`,
    remedy,
  });
}
