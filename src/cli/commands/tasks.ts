/** @file mixtune tasks: the catalogue, real rendered examples, and a check of data. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { tokenizerDir } from "../../app/models/named-model.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { type CheckRequest, checkTasks } from "../../app/tasks/check-tasks.ts";
import { fetchHubData, fetchWhatThereIs } from "../../app/tasks/hub-data.ts";
import { taskList } from "../../app/tasks/list-tasks.ts";
import { taskNamed } from "../../app/tasks/named-task.ts";
import { showTask } from "../../app/tasks/show-task.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { loadTask } from "../../data/load-task.ts";
import { isAssignment } from "../../specs/yaml-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_WRONG_REQUEST } from "../exit.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { taskWords } from "../options/task-words.ts";
import { formatCheck } from "../screen/check-text.ts";

const NUM_SHOWN = 3;
const MODEL = "mixtune/tiny";

export function addTasks(program: Command, act: Act): void {
  const tasks = program
    .command("tasks")
    .description("the catalogue; rendered examples; a check of data")
    .addHelpText("after", "\nExample: mixtune tasks show gen-sentiment");
  tasks
    .command("list", { isDefault: true })
    .description("the tasks that mixtune knows by name")
    .addHelpText("after", "\nExample: mixtune tasks list --json")
    .action(() => act((context) => list(context)));
  tasks
    .command("show <name> [key=value...]")
    .description("real rendered examples, with what is trained on marked; --json has every token")
    .option(
      "--study <file>",
      "where the task is described, for one that is not in the catalogue; words then change the study",
    )
    .option("--model <name>", `whose tokenizer and template to use (default: the study's first, or ${MODEL})`)
    .addOption(
      new Option("--split <name>", "which examples (default: the first split there is)").choices([
        "train",
        "dev",
        "test",
      ]),
    )
    .option("--limit <n>", "how many", wholeNumber, NUM_SHOWN)
    .addHelpText("after", "\nExample: mixtune tasks show fpb variant=allagree prompt_style=fingpt --limit 1")
    .action((name: string, words: string[], options: ShowFlags) =>
      act((context) => show(name, words, options, context)),
    );
  tasks
    .command("check [study-or-names...]")
    .description(
      "data contracts and leakage of a study (STUDY key=value…), of tasks of the catalogue (NAME… key=value…), or of all that are on this machine",
    )
    .option("--model <name>", `for names: whose tokenizer to use (default: ${MODEL})`)
    .addHelpText("after", "\nExample: mixtune tasks check study.yaml")
    .action((words: string[], options: { model?: string }) => act((context) => check(words, options, context)));
}

function list(context: Context): number {
  const { entries, text } = taskList(context.settings.dataRoot);
  context.result(entries, text);
  return EXIT_DONE;
}

interface ShowFlags {
  study?: string;
  model?: string;
  split?: "train" | "dev" | "test";
  limit: number;
}

async function show(name: string, words: string[], flags: ShowFlags, context: Context): Promise<number> {
  const described = flags.study === undefined ? undefined : readStudy(flags.study, assignmentsOf(words)).study;
  const { options, cutoffLen } = taskWords(described === undefined ? words : []);
  const spec = { ...taskNamed(name, described && ingredientTasks(described)), ...options };
  const dataRoot = described?.data_root ?? context.settings.dataRoot;
  const data = await fetchHubData({ [spec.name]: spec }, dataRoot, context);
  const task = await loadTask(spec, { ...data, isOnlyEvaluated: true });
  const folder = await tokenizerDir(flags.model ?? described?.models[0] ?? MODEL, "--model", context);
  const { record, text } = showTask(task, folder, {
    split: flags.split,
    limit: flags.limit,
    cutoffLen: described?.train.cutoff_len ?? cutoffLen,
    lossOn: described?.train.loss_on ?? "answer",
  });
  context.result(record, text);
  return EXIT_DONE;
}

async function check(words: string[], { model = MODEL }: { model?: string }, context: Context): Promise<number> {
  const [first] = words;
  const isStudy = first !== undefined && !isAssignment(first) && (/\.ya?ml$/i.test(first) || existsSync(first));
  const request = isStudy
    ? await studyRequest(first, words.slice(1), context)
    : await namesRequest(words, model, context);
  const report = await checkTasks(request);
  const said = report.ok
    ? isStudy
      ? `Nothing of a test split is trained on; ${resolve(first)} is good to run.`
      : "No contract is broken."
    : "What is marked BROKEN must be put right.";
  context.result(report, `${formatCheck(report)}\n\n${said}`);
  return report.ok ? EXIT_DONE : EXIT_WRONG_REQUEST;
}

async function studyRequest(path: string, words: string[], context: Context): Promise<CheckRequest> {
  const { study } = readStudy(path, assignmentsOf(words));
  const modelDirs: Record<string, string> = {};
  for (const [i, model] of study.models.entries())
    modelDirs[model] = await tokenizerDir(model, `models[${i}]`, context);
  const specs = ingredientTasks(study);
  return {
    specs,
    settings: await fetchWhatThereIs(specs, study.data_root ?? context.settings.dataRoot, context),
    scored: Object.keys(study.tasks),
    isStudy: true,
    allowed: study.allow_overlap ?? [],
    modelDirs,
    cutoffLen: study.train.cutoff_len,
    progress: progressOf(context),
  };
}

async function namesRequest(words: string[], model: string, context: Context): Promise<CheckRequest> {
  const { options, cutoffLen } = taskWords(words.filter(isAssignment));
  const { dataRoot } = context.settings;
  const asked = words.filter((word) => !isAssignment(word));
  const names = asked.length > 0 ? asked : namesOnThisMachine(options.data_dir ?? dataRoot);
  const specs = Object.fromEntries(names.map((name) => [name, { ...taskNamed(name, undefined), ...options }]));
  return {
    specs,
    settings: { ...(await fetchWhatThereIs(specs, dataRoot, context)), isOnlyEvaluated: true },
    scored: names,
    isStudy: false,
    allowed: [],
    modelDirs: { [model]: await tokenizerDir(model, "--model", context) },
    cutoffLen,
    progress: progressOf(context),
  };
}

function namesOnThisMachine(root: string | undefined): string[] {
  return Object.values(CATALOGUE)
    .filter(({ generate, local }) => {
      const isLocal = root !== undefined && local?.files.every((file) => existsSync(join(root, file)));
      return generate !== undefined || isLocal === true;
    })
    .map(({ name }) => name);
}

function progressOf(context: Context): (what: string) => void {
  return (what) => context.note(`checking ${what}`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("a whole number above 0 is wanted.");
}
