/** @file mixtune init: writes a commented study.yaml that runs as it is. */

import { existsSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { DataError, SpecError } from "../../base/errors.ts";
import { readRows } from "../../data/own-data.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { type Proposal, proposeTask } from "../propose.ts";

/** A task as it is written into the file. */
interface ProposedTask {
  name: string;
  train: string;
  dev?: string;
  test?: string;
  proposal: Proposal;
}

/** File names that say which split they hold. */
const SPLIT_NAME = /(?:^|[-_.])(train|training|dev|valid|validation|val|test)(?:$|[-_.])/i;

export function addInit(program: Command, act: Act): void {
  program
    .command("init [dir]")
    .description("write a commented study.yaml, never over an existing one")
    .option("--data <files...>", "your files: columns, labels, prompt and splits are proposed from them")
    .addHelpText("after", "\nExample: mixtune init tickets --data tickets-train.csv tickets-test.csv")
    .action((dir: string | undefined, { data }: { data?: string[] }) =>
      act((context) => {
        const folder = resolve(dir ?? ".");
        const path = join(folder, "study.yaml");
        if (existsSync(path)) {
          throw new SpecError({
            place: path,
            expected: "no study.yaml yet",
            got: "one that is there",
            remedy: "Edit it, or give another folder.",
          });
        }
        const tasks = proposeTasks(data ?? [], folder);
        const text = studyText(basename(folder), tasks);
        makeFolder(folder);
        writeWhole(path, text);
        const shown = dir === undefined ? "study.yaml" : join(dir, "study.yaml");
        context.result(
          { path, tasks },
          `Wrote ${shown}.\nNext: mixtune tasks check ${shown}, then mixtune plan ${shown}, then mixtune run ${shown}.`,
        );
        return EXIT_DONE;
      }),
    );
}

function proposeTasks(files: readonly string[], folder: string): ProposedTask[] {
  const groups = new Map<string, Partial<Record<"train" | "dev" | "test", string>>>();
  for (const file of files) {
    const { stem, split } = splitOf(file);
    const known = groups.get(stem) ?? {};
    if (known[split] !== undefined) {
      throw new SpecError({
        place: "--data",
        expected: "one file for each split of a task",
        got: `${known[split]} and ${file} for the ${split} split of ${stem}`,
        remedy: "Name the files <task>-train, <task>-dev and <task>-test.",
      });
    }
    groups.set(stem, { ...known, [split]: file });
  }
  return [...groups].map(([name, { train, dev, test }]) => {
    if (train === undefined) {
      throw new SpecError({
        place: "--data",
        expected: `a train file for ${name}`,
        got: [dev, test].filter(Boolean).join(" and "),
        remedy: "Add it.",
      });
    }
    const proposal = proposeTask(readRows(resolve(train)).map(({ fields }) => fields));
    if (typeof proposal === "string") {
      throw new DataError({
        place: train,
        expected: "a classification file: a column with the text, a column with one of a few labels",
        got: proposal,
        remedy: "Give a file with such columns, or write study.yaml by hand.",
      });
    }
    const there = (file: string | undefined) => (file === undefined ? undefined : relativePath(folder, file));
    const [devPath, testPath] = [there(dev), there(test)];
    return {
      name,
      train: relativePath(folder, train),
      ...(devPath ? { dev: devPath } : {}),
      ...(testPath ? { test: testPath } : {}),
      proposal,
    };
  });
}

function splitOf(file: string): { stem: string; split: "train" | "dev" | "test" } {
  const bare = basename(file).replace(/(\.(jsonl|ndjson|json|csv|tsv))?(\.gz)?$/i, "");
  const word = SPLIT_NAME.exec(bare)?.[1]?.toLowerCase();
  const split = word === undefined || word.startsWith("train") ? "train" : word === "test" ? "test" : "dev";
  const stem = word === undefined ? bare : bare.replace(SPLIT_NAME, "-");
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "")
    .slice(0, 64);
  return { stem: name || "task", split };
}

function relativePath(folder: string, file: string): string {
  const path = relative(folder, resolve(file)).split(sep).join("/");
  return path === "" ? basename(file) : path;
}

/** The file. The instruction stands before the row's text: what all prompts begin with is computed once. Without data it is a study of two generated tasks, so that it runs at once. */
function studyText(folderName: string, tasks: readonly ProposedTask[]): string {
  const name =
    folderName
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .replace(/^[-_]+/, "")
      .slice(0, 64) || "study";
  const design = tasks.length === 1 ? "[all]" : "[singles, all]";
  return `# A study: which mixture of these tasks trains the best model for each of them?
# mixtune tasks check study.yaml   looks at the data
# mixtune plan study.yaml          says what it will cost
# mixtune run study.yaml           does it; may be stopped and started again
name: ${name}
models: [mixtune/tiny]          # the model that ships; or a folder in Hugging Face's layout: ./my-model
tasks:
${tasks.length === 0 ? EXAMPLE_TASKS : tasks.map(taskText).join("")}design: ${design}${" ".repeat(Math.max(1, 24 - design.length))}# singles, pairs, leave-one-out, all
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

function taskText({ name, train, dev, test, proposal }: ProposedTask): string {
  const { text, answer, labels, group } = proposal;
  const fields = text.length === 1 ? `{${text[0]}}` : text.map((field) => `${field}: {${field}}`).join("\n");
  const files = Object.entries({ train, dev, test }).filter(([, file]) => file !== undefined);
  const written = files.map(([split, file]) => `${split}: ${JSON.stringify(file)}`).join(", ");
  const carved = test
    ? dev
      ? ""
      : "   # dev: 10 % of train"
    : dev
      ? "   # test: 20 % of train"
      : "   # test: 20 % of the rows, dev: 10 % of the rest";
  return [
    `  ${name}:`,
    `    data: {${written}}${carved}`,
    `    prompt: ${JSON.stringify(`Answer with one of: ${labels.join(", ")}.\n${fields}`)}`,
    `    answer: {kind: label, field: ${JSON.stringify(answer)}, labels: [${labels.map((label) => JSON.stringify(label)).join(", ")}]}`,
    ...(group !== undefined ? [`    group: ${JSON.stringify(group)}   # rows of one ${group} stay in one split`] : []),
    `    metric: weighted_f1   # accuracy | weighted_f1 | macro_f1 | mcc`,
    "",
  ].join("\n");
}
