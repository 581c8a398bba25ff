/** @file A first study: a commented study.yaml that runs as it is, with tasks proposed from a person's files. */

import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DataError, SpecError } from "../../base/errors.ts";
import { keySlug } from "../../base/slug.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { addRow, nextFile, noFacts } from "../../data/own/file-facts.ts";
import { proposeTask } from "../../data/own/propose.ts";
import { SHAPE_NAMES } from "../../data/own/shapes.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import { hasPlainQuotes, readRows } from "../../formats/row-file.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { parseStudy } from "../../specs/study-file.ts";
import type { Split, StudySpec } from "../../specs/types.ts";
import { localModelDir, modelSize, openBaseModel } from "../models/named-model.ts";
import type { CheckReport } from "../tasks/check-data.ts";
import { CHECK_MODEL, checkTasks } from "../tasks/check-tasks.ts";
import type { Workspace } from "../workspace.ts";
import { lookedAt, NOTHING_YET, type ProposedTask } from "./first-look.ts";
import { type Ask, askAnswer, askModel, askPreset, type Preset } from "./first-questions.ts";
import { type FirstModel, studyText } from "./first-text.ts";

/** A first study. */
export interface FirstStudy {
  path: string;
  tasks: ProposedTask[];
  /** What `tasks check` says of it; absent where no file was given. */
  report?: CheckReport;
}

export interface FirstStudyOptions {
  /** Files of rows; each name says its task and split. Default none: the study is of two generated tasks. */
  data?: readonly string[] | undefined;
  /** The base model; a folder is relative to the current one. Default mixtune/tiny. */
  model?: string | undefined;
  /** The column of the answer, in files that have it. Default: by what is in the columns. */
  answer?: string | undefined;
  /** Default normal. */
  preset?: Preset | undefined;
  /** Who is asked for what the options leave open. Default: nobody, the defaults hold. */
  ask?: Ask | undefined;
}

/** What chooses the folder, for messages. */
const OTHER_FOLDER = "mixtune init FOLDER";

type SplitFiles = Partial<Record<Split, string>>;

/** File names that say which split they hold. */
const SPLIT_NAME = /(?:^|[-_.])(train|training|dev|valid|validation|val|eval|test)(?:$|[-_.])/i;
const ENDING = /(\.(jsonl|ndjson|json|csv|tsv|parquet))?(\.gz)?$/i;

/**
 * Writes study.yaml into a folder. Files are looked at as `tasks check` does, and what would stop a run is left out by a key that says so.
 * @throws {SpecError} a study.yaml that is there, files without a train split
 * @throws {DataError} files from which no task can be proposed
 */
export async function writeFirstStudy(
  dir: string,
  workspace: Workspace,
  options: FirstStudyOptions = {},
): Promise<FirstStudy> {
  const folder = resolve(dir);
  const path = join(folder, "study.yaml");
  if (existsSync(path)) {
    throw new SpecError({
      place: path,
      expected: "no study.yaml yet",
      got: "one that is there",
      remedy: "Edit it, or give another folder.",
    });
  }
  const name = keySlug(basename(folder)) || "study";
  const proposed = await proposeTasks(options, folder);
  const model = await firstModel(options, proposed, folder, workspace);
  const studyOf = (all: readonly ProposedTask[]) => studyIn(studyText(name, all, model), path);
  const tasks = proposed.length === 0 ? [] : await lookedAt(proposed, studyOf, model.folder, workspace);
  const text = studyText(name, tasks, model);
  const report = tasks.length === 0 ? undefined : await checkTasks(studyIn(text, path), workspace);
  makeFolder(folder, OTHER_FOLDER);
  writeWhole(path, text, OTHER_FOLDER);
  return { path, tasks, ...(report && { report }) };
}

function studyIn(text: string, path: string): StudySpec {
  return parseStudy(text, path, { assignments: [], cwd: dirname(path) }, CATALOGUE);
}

/** The base model and how much is trained, as the options have it or a person says. */
async function firstModel(
  { model: named, preset, ask }: FirstStudyOptions,
  tasks: readonly ProposedTask[],
  folder: string,
  workspace: Workspace,
): Promise<FirstModel & { folder: string }> {
  const model = named ?? (ask && (await askModel(CHECK_MODEL, ask))) ?? CHECK_MODEL;
  const place = "options.model";
  const local = localModelDir(model, place, workspace);
  const { folder: modelFolder, size } =
    local === undefined ? await openBaseModel(model, place, workspace) : { folder: local, size: modelSize(local) };
  const numTasks = tasks.filter(({ proposal }) => proposal.answer?.kind !== "document").length || 2;
  const isShipped = model.startsWith("mixtune/");
  return {
    model: local === undefined || isShipped ? model : JSON.stringify(pathFrom(folder, resolve(model))),
    parameters: size.parameters,
    preset: preset ?? (ask && (await askPreset(numTasks, ask))) ?? "normal",
    folder: modelFolder,
  };
}

/** A model on this machine as a study file names it: beginning with a point or a slash. */
function pathFrom(folder: string, to: string): string {
  const path = relative(folder, to).split(sep).join("/");
  return /^\.{0,2}\//.test(path) ? path : `./${path}`;
}

async function proposeTasks(
  { data: files = [], answer, ask }: FirstStudyOptions,
  folder: string,
): Promise<ProposedTask[]> {
  const tasks: ProposedTask[] = [];
  const columns = new Set<string>();
  for (const [name, splits] of filesByTask(files)) {
    const { train } = splits;
    if (train === undefined) {
      throw new SpecError({
        place: "options.data",
        expected: `a train file for ${name}`,
        got: Object.values(splits).join(" and "),
        remedy: "Add it.",
      });
    }
    const arePlain = await Promise.all(Object.values(splits).map((file) => hasPlainQuotes(resolve(file))));
    const quotes = arePlain.includes(true) ? { quotes: false as const } : {};
    const facts = noFacts();
    for (const file of Object.values(splits)) {
      nextFile(facts);
      for await (const rows of readRows(resolve(file), quotes)) {
        for (const row of rows) {
          if ("error" in row) throw row.error;
          addRow(facts, row.fields);
        }
      }
    }
    for (const column of facts.columns.keys()) columns.add(column);
    const wanted = answer === undefined ? ask && (await askAnswer(name, facts, ask)) : answer;
    const proposal = proposeTask(facts, {
      answer: wanted !== undefined && facts.columns.has(wanted) ? wanted : undefined,
    });
    if (typeof proposal === "string") {
      throw new DataError({
        place: train,
        expected: "a column with an answer beside one with a text, long documents, or rows of a known shape",
        got: proposal,
        remedy: `Give a file with such columns (${SHAPE_NAMES.join(", ")} are known shapes), or write study.yaml by hand.`,
      });
    }
    const paths = Object.entries(splits).map(([split, file]) => [split, relativePath(folder, file)]);
    tasks.push({
      name,
      ...(Object.fromEntries(paths) as { train: string }),
      ...quotes,
      numRows: facts.numRows,
      proposal,
      found: NOTHING_YET,
    });
  }
  if (answer === undefined || columns.has(answer)) return tasks;
  throw new SpecError({
    place: "options.answer",
    expected: "a column of the files",
    got: answer,
    remedy: didYouMean(answer, [...columns]),
  });
}

/** The files by the task and split that their names say. */
function filesByTask(files: readonly string[]): Map<string, SplitFiles> {
  const tasks = new Map<string, SplitFiles>();
  for (const file of files) {
    const { name, split } = splitOf(file);
    const known = tasks.get(name) ?? {};
    if (known[split] !== undefined) {
      throw new SpecError({
        place: "options.data",
        expected: "one file for each split of a task",
        got: `${known[split]} and ${file} for the ${split} split of ${name}`,
        remedy: "Name the files <task>-train, <task>-dev and <task>-test.",
      });
    }
    tasks.set(name, { ...known, [split]: file });
  }
  return tasks;
}

function splitOf(file: string): { name: string; split: Split } {
  const bare = basename(file)
    .replace(ENDING, "")
    .replace(/-\d{5}-of-\d{5}$/, "");
  const word = SPLIT_NAME.exec(bare)?.[1]?.toLowerCase();
  const split = word === undefined || word.startsWith("train") ? "train" : word === "test" ? "test" : "dev";
  const stem = word === undefined ? bare : bare.replace(SPLIT_NAME, "-");
  // train.csv and test.csv are named after their folder.
  return { name: keySlug(stem) || keySlug(basename(dirname(resolve(file)))) || "task", split };
}

function relativePath(folder: string, file: string): string {
  const path = relative(folder, resolve(file)).split(sep).join("/");
  return path === "" ? basename(file) : path;
}
