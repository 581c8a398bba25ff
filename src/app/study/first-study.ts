/** @file A first study: a commented study.yaml that runs as it is, with tasks proposed from a person's files. */

import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DataError, SpecError } from "../../base/errors.ts";
import { keySlug } from "../../base/slug.ts";
import { addRow, noFacts } from "../../data/own/file-facts.ts";
import { type Proposal, type ProposedAnswer, proposeTask } from "../../data/own/propose.ts";
import { SHAPE_NAMES } from "../../data/own/shapes.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import { readRows } from "../../formats/row-file.ts";
import { metricsOfKind } from "../../specs/metrics.ts";
import type { Split } from "../../specs/types.ts";

/** A task as it is written into the file. */
export interface ProposedTask {
  name: string;
  train: string;
  dev?: string;
  test?: string;
  numRows: number;
  proposal: Proposal;
}

export interface FirstStudyOptions {
  /** Files of rows; each name says its task and split. Default none: the study is of two generated tasks. */
  data?: readonly string[] | undefined;
}

type SplitFiles = Partial<Record<Split, string>>;

/** File names that say which split they hold. */
const SPLIT_NAME = /(?:^|[-_.])(train|training|dev|valid|validation|val|eval|test)(?:$|[-_.])/i;
const ENDING = /(\.(jsonl|ndjson|json|csv|tsv|parquet))?(\.gz)?$/i;
/** Prompts of more characters than this may pass cutoff_len (1,024 tokens) under mixtune/tiny's tokenizer. */
const LONG_PROMPT = 2000;

/**
 * Writes study.yaml into a folder.
 * @throws {SpecError} a study.yaml that is there, files without a train split
 * @throws {DataError} files from which no task can be proposed
 */
export async function writeFirstStudy(
  dir: string,
  { data = [] }: FirstStudyOptions = {},
): Promise<{ path: string; tasks: ProposedTask[] }> {
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
  const tasks = await proposeTasks(data, folder);
  const text = studyText(basename(folder), tasks);
  makeFolder(folder);
  writeWhole(path, text);
  return { path, tasks };
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
    const facts = noFacts();
    for (const file of Object.values(splits)) {
      for await (const rows of readRows(resolve(file))) {
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
    tasks.push({ name, ...(Object.fromEntries(paths) as { train: string }), numRows: facts.numRows, proposal });
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

/** The file. The instruction stands before the row's text: what all prompts begin with is computed once. Without data it is a study of two generated tasks, so that it runs at once. */
function studyText(folderName: string, tasks: readonly ProposedTask[]): string {
  const name = keySlug(folderName) || "study";
  const scored = tasks.filter(({ proposal }) => proposal.answer?.kind !== "document");
  const documents = tasks.filter((task) => !scored.includes(task));
  const design = scored.length === 1 ? "[all]" : "[singles, all]";
  return `# A study: which mixture of these tasks trains the best model for each of them?
# mixtune tasks check study.yaml   looks at the data
# mixtune plan study.yaml          says what it will cost
# mixtune run study.yaml           does it; may be stopped and started again
name: ${name}
models: [mixtune/tiny]          # the model that ships; or a folder in Hugging Face's layout: ./my-model
tasks:
${scored.length === 0 ? EXAMPLE_TASKS : scored.map(taskText).join("")}${mixersText(documents)}design: ${design}${" ".repeat(Math.max(1, 24 - design.length))}# singles, pairs, leave-one-out, all
seeds: [1, 2]                   # every mixture once per seed: two say something about luck, five say more
train:
  method: full                  # full | lora. A model as small as mixtune/tiny learns best in full
  learning_rate: 5.0e-4
  num_train_epochs: 3
  train_batch_size: 32
  evaluate: best                # the checkpoint with the lowest loss on dev
  eval_steps: 50
  save_steps: 50
`;
}

const EXAMPLE_TASKS = `  # Generated tasks, to have something that runs. Your own look like this:
  #   our-tickets:
  #     data: {train: tickets.jsonl, test: tickets-test.jsonl}
  #     prompt: "Which team should answer this?\\n{text}"
  #     answer: {kind: label, field: team, labels: [cards, loans, fraud]}
  gen-sentiment: {}
  gen-topic: {}
`;

function mixersText(documents: readonly ProposedTask[]): string {
  if (documents.length === 0) return "";
  return `mixers:                         # only mixed in: documents have no answer to score\n${documents.map(taskText).join("")}`;
}

function taskText({ name, train, dev, test, numRows, proposal }: ProposedTask): string {
  const { shape, text, answer, group, longest, remarks } = proposal;
  const files = Object.entries({ train, dev, test }).filter(([, file]) => file !== undefined);
  const written = files.map(([split, file]) => `${split}: ${JSON.stringify(file)}`).join(", ");
  const isLong = longest.characters > LONG_PROMPT;
  const lines = [
    `  ${name}:   # ${numRows} rows${shape === undefined ? "" : ` of the ${shape} shape, which needs no prompt`}`,
    `    data: {${written}}${carvedText(dev, test)}`,
    ...remarks.map((remark) => `    # ${commented(remark)}`),
    ...(text.length > 0 && answer !== undefined ? [`    prompt: ${JSON.stringify(promptText(text, answer))}`] : []),
    ...(answer === undefined ? [] : answerText(answer)),
    ...(group === undefined ? [] : [`    group: ${JSON.stringify(group.field)}   # ${commented(group.reason)}`]),
    ...(isLong && longest.field !== undefined
      ? [
          `    fit: {field: ${JSON.stringify(longest.field)}, keep: start}   # some rows are long: this field is cut to train.cutoff_len, counted`,
        ]
      : []),
    ...(isLong && shape !== undefined
      ? ["    on_bad_row: skip   # some rows are long: those over train.cutoff_len are left out, counted and listed"]
      : []),
    ...(answer === undefined || answer.kind === "document" ? [] : [metricText(answer.kind)]),
    "",
  ];
  return lines.join("\n");
}

function carvedText(dev: string | undefined, test: string | undefined): string {
  if (test !== undefined) return dev === undefined ? "   # dev: 10 % of train" : "";
  return dev === undefined ? "   # test: 20 % of the rows, dev: 10 % of the rest" : "   # test: 20 % of train";
}

function promptText(text: readonly string[], answer: ProposedAnswer): string {
  const fields = text.length === 1 ? `{${text[0]}}` : text.map((field) => `${field}: {${field}}`).join("\n");
  if (answer.kind === "label") return `Answer with one of: ${answer.labels.join(", ")}.\n${fields}`;
  if (answer.kind === "number") return `Answer with a number.\n${fields}`;
  if (answer.kind === "spans")
    return `List what is named here, as type: text; type: text, or none. Types: ${answer.types.join(", ")}.\n${fields}`;
  return fields;
}

function answerText(answer: ProposedAnswer): string[] {
  const { kind } = answer;
  const field = JSON.stringify(answer.field);
  if (kind !== "label") return [`    answer: {kind: ${kind}, field: ${field}}`];
  const counts = answer.labels.map((label, i) => `${label} ${answer.counts[i]}`).join(", ");
  return [
    `    answer: {kind: label, field: ${field}, labels: [${answer.labels.map((label) => JSON.stringify(label)).join(", ")}]}`,
    `    # rows: ${commented(counts)}`,
  ];
}

/** The default among the metrics of the kind. */
function metricText(kind: ProposedAnswer["kind"]): string {
  const names = metricsOfKind(kind);
  return `    metric: ${names[0]}   # ${names.join(" | ")}`;
}

/** Words of a file inside a comment: on one line. */
function commented(text: string): string {
  return text.replace(/\s+/g, " ");
}
