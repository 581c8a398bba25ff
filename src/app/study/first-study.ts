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
import { parseStudy } from "../../specs/study-file.ts";
import type { Split, StudySpec } from "../../specs/types.ts";
import type { CheckReport } from "../tasks/check-data.ts";
import { checkTasks } from "../tasks/check-tasks.ts";
import type { Workspace } from "../workspace.ts";
import { lookedAt, NOTHING_YET, type ProposedTask } from "./first-look.ts";
import { studyText } from "./first-text.ts";

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
  { data = [] }: FirstStudyOptions = {},
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
  const proposed = await proposeTasks(data, folder);
  const tasks =
    proposed.length === 0 ? [] : await lookedAt(proposed, (all) => studyIn(studyText(name, all), path), workspace);
  const text = studyText(name, tasks);
  const report = tasks.length === 0 ? undefined : await checkTasks(studyIn(text, path), workspace);
  makeFolder(folder, OTHER_FOLDER);
  writeWhole(path, text, OTHER_FOLDER);
  return { path, tasks, ...(report && { report }) };
}

function studyIn(text: string, path: string): StudySpec {
  return parseStudy(text, path, { assignments: [], cwd: dirname(path) }, CATALOGUE);
}

async function proposeTasks(files: readonly string[], folder: string): Promise<ProposedTask[]> {
  const tasks: ProposedTask[] = [];
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
    const proposal = proposeTask(facts);
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
  return tasks;
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
