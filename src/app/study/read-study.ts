/** @file Study and run files, read. A run file is a study of one mixture. */

import { dirname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { CATALOGUE } from "../../data/catalogue.ts";
import type { StudyFile } from "../../specs/schema.ts";
import { parseStudy } from "../../specs/study-file.ts";
import { parseTrainFile } from "../../specs/train-file.ts";
import type { StudySpec, TaskSpec, TrainFileSpec } from "../../specs/types.ts";
import { packageRoot } from "../package.ts";
import { readSourceFile } from "./source-file.ts";

const HINT = "Check the path; mixtune init writes a first study.yaml.";

/** A study file as it was read. */
export interface StudyInput {
  study: StudySpec;
  /** The file's text, as the person wrote it. */
  text: string;
  /** Folder that results go under: the file's. Absent, as of values and of recipes that ship: the current one. */
  folder?: string;
}

/**
 * Reads a study file.
 * @param assignments  `key=value` words laid over it, such as `seeds=[1,2,3]`
 * @throws {SpecError} no such file, or what parseStudy finds
 */
export function readStudy(path: string, assignments: string[] = []): StudyInput {
  const { text } = readSourceFile(path, HINT);
  const study = parseStudy(text, resolve(path), { assignments, cwd: process.cwd() }, CATALOGUE);
  return { study, text, ...folderOf(path) };
}

function folderOf(path: string): Pick<StudyInput, "folder"> {
  const folder = dirname(resolve(path));
  return folder === join(packageRoot(), "recipes") ? {} : { folder };
}

/**
 * A study from a value in place of a file: the same keys, with the same meanings and defaults.
 * @param cwd  folder that relative paths in it start from; default the current one
 * @throws {SpecError} with the key that is wrong
 */
export function defineStudy(study: StudyFile, cwd: string = process.cwd()): StudyInput {
  const text = stringify(study);
  return { study: parseStudy(text, resolve(cwd, "study.yaml"), { assignments: [], cwd }, CATALOGUE), text };
}

/** Reads a run file: a study of one mixture, one model, one seed, without the untuned model beside it. */
export function readTrainFile(path: string, assignments: string[] = []): StudyInput {
  const { text } = readSourceFile(path, HINT);
  const file = parseTrainFile(text, resolve(path), { assignments, cwd: process.cwd() }, CATALOGUE);
  return { study: studyOfOne(file), text, ...folderOf(path) };
}

/** Documents cannot be scored, so they are only mixed in. */
function studyOfOne(file: TrainFileSpec): StudySpec {
  const { name, model, data_root, mixture, temperature, shuffled_labels, train, seed } = file;
  const options = {
    ...(temperature !== undefined ? { temperature } : {}),
    ...(shuffled_labels !== undefined ? { shuffled_labels } : {}),
  };
  const all = Object.entries(file.tasks);
  const mixedIn = all.filter(([, spec]) => answerKind(spec) === "document");
  return {
    name,
    models: [model],
    ...(data_root !== undefined ? { data_root } : {}),
    tasks: Object.fromEntries(all.filter(([, spec]) => answerKind(spec) !== "document")),
    mixers: Object.fromEntries(mixedIn.map(([key, source]) => [key, { task: key, role: "ingredient", source }])),
    ...(file.allow_overlap !== undefined ? { allow_overlap: file.allow_overlap } : {}),
    design: [{ name: mixture.name, tasks: mixture.ingredients, ...options }],
    budget: { match: ["none"], reference: mixture.name },
    seeds: [seed],
    factors: {},
    controls: [],
    train,
    eval: file.eval,
  };
}

/**
 * What kind of answer a task has. Unknown catalogue names count as labels: loading them says what is wrong. Files whose own shape says what
 * the answer is hold texts.
 */
export function answerKind(spec: TaskSpec): string {
  if (spec.texts_of !== undefined) return "document";
  if (spec.data !== undefined && spec.answer === undefined) return "text";
  return (spec.answer ?? CATALOGUE[spec.catalogue ?? spec.name]?.answer)?.kind ?? "label";
}
