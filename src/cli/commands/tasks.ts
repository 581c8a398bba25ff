/** @file mixtune tasks: the catalogue, real rendered examples, and a check of data. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { readStudy } from "../../app/study/read-study.ts";
import { CHECK_MODEL, checkTasks } from "../../app/tasks/check-tasks.ts";
import { listTasks } from "../../app/tasks/list-tasks.ts";
import { SHOWN_EXAMPLES, type ShowOptions, showTask } from "../../app/tasks/show-task.ts";
import { isAssignment } from "../../specs/yaml-file.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_WRONG_REQUEST } from "../exit.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { wholeNumber } from "../options/numbers.ts";
import { taskWords } from "../options/task-words.ts";
import { formatCheck } from "../screen/check-text.ts";
import { listText } from "../screen/list-text.ts";
import { nextText } from "../screen/next-text.ts";
import { showText } from "../screen/show-text.ts";

export function addTasks(command: Command, act: Act): void {
  command.addHelpText("after", "\nExamples:\n  mixtune tasks list\n  mixtune tasks check study.yaml");
  command
    .command("list", { isDefault: true })
    .description("list the tasks that mixtune knows by name")
    .addHelpText("after", "\nExample: mixtune tasks list --json")
    .action(() =>
      act((context) => {
        const entries = listTasks(context.settings.dataRoot);
        context.result(entries, listText(entries));
        return EXIT_DONE;
      }),
    );
  command
    .command("show <name> [key=value...]")
    .description("show rendered examples of a task with the trained part marked; --json prints every token")
    .optionsGroup("Data:")
    .option("--study <file>", "study file that describes the task; key=value words then change the study")
    .option(
      "--model <name>",
      `model whose tokenizer and chat template are used (default: the study's first, else ${CHECK_MODEL})`,
    )
    .addOption(
      new Option("--split <name>", "split to show (default: the first that has examples)").choices([
        "train",
        "dev",
        "test",
      ]),
    )
    .option("--limit <n>", "number of examples", wholeNumber(1, 1_000_000), SHOWN_EXAMPLES)
    .addHelpText("after", "\nExample: mixtune tasks show fpb variant=allagree prompt_style=fingpt --limit 1")
    .action((name: string, words: string[], flags: ShowFlags) => act((context) => show(name, words, flags, context)));
  command
    .command("check [study-or-names...]")
    .description(
      "check data contracts and leakage of a study (STUDY key=value…), of catalogue tasks (NAME… key=value…), or of all tasks on this machine",
    )
    .optionsGroup("Data:")
    .option("--model <name>", "model whose tokenizer counts lengths; a study names its own", CHECK_MODEL)
    .addHelpText(
      "after",
      "\nExamples:\n  mixtune tasks check study.yaml\n  mixtune tasks check fpb headline variant=allagree",
    )
    .action((words: string[], options: { model: string }) => act((context) => check(words, options, context)));
}

interface ShowFlags extends Pick<ShowOptions, "model" | "split" | "limit"> {
  study?: string;
}

async function show(name: string, words: string[], { study: file, ...flags }: ShowFlags, context: Context) {
  const study = file === undefined ? undefined : readStudy(file, assignmentsOf(words)).study;
  const { options: task, cutoffLen } = taskWords(study === undefined ? words : []);
  const shown = await showTask(name, context, { ...flags, study, task, cutoffLen });
  context.result(shown.task, showText(shown));
  return EXIT_DONE;
}

async function check(words: string[], { model }: { model: string }, context: Context): Promise<number> {
  const [first] = words;
  const isStudy = first !== undefined && !isAssignment(first) && (/\.ya?ml$/i.test(first) || existsSync(first));
  const report = isStudy
    ? await checkTasks(readStudy(first, assignmentsOf(words.slice(1))).study, context)
    : await checkNames(words, model, context);
  const said = report.ok
    ? isStudy
      ? `Nothing of a test split is trained on; ${resolve(first)} is good to run.`
      : "No contract is broken."
    : "Fix what is marked BROKEN.";
  const next = report.ok && isStudy ? nextText([[["plan", ...words], "shows every run with time and memory"]]) : [];
  context.result(report, [`${formatCheck(report)}\n\n${said}`, ...next].join("\n"));
  return report.ok ? EXIT_DONE : EXIT_WRONG_REQUEST;
}

function checkNames(words: readonly string[], model: string, context: Context) {
  const { options: task, cutoffLen } = taskWords(words.filter(isAssignment));
  const names = words.filter((word) => !isAssignment(word));
  return checkTasks(names, context, { model, task, cutoffLen });
}
