/** @file The command line as commander knows it: global options and every command. */

import { Command, Option } from "commander";
import { packageVersion } from "../app/package.ts";
import type { Act } from "./act.ts";
import { refuseOldSpellings } from "./options/old-spellings.ts";

/** A command: what the program's help says of it, and where its options and its work are declared. */
interface Entry {
  usage: string;
  what: string;
  declare(): Promise<(command: Command, act: Act) => void>;
}

const COMMANDS: readonly Entry[] = [
  {
    usage: "demo [key=value...]",
    what: "run a whole small study offline: shipped base model, generated tasks, several mixtures and seeds; takes minutes on 2 cores",
    declare: async () => (await import("./commands/demo.ts")).addDemo,
  },
  {
    usage: "init [dir]",
    what: "write a commented study.yaml; an existing one is never overwritten",
    declare: async () => (await import("./commands/init.ts")).addInit,
  },
  {
    usage: "import <config>",
    what: "convert a LLaMA-Factory or Axolotl configuration into a study file and account for every key",
    declare: async () => (await import("./commands/import.ts")).addImport,
  },
  {
    usage: "tasks",
    what: "list the known tasks, show rendered examples, check data",
    declare: async () => (await import("./commands/tasks.ts")).addTasks,
  },
  {
    usage: "fetch [study] [key=value...]",
    what: "download the models and data that a study (default: ./study.yaml) needs into the Hugging Face cache, to work offline afterwards",
    declare: async () => (await import("./commands/fetch.ts")).addFetch,
  },
  {
    usage: "plan [study] [key=value...]",
    what: "list every run of a study (default: ./study.yaml) with examples, tokens, steps, estimated time, memory and disk; start nothing",
    declare: async () => (await import("./commands/plan.ts")).addPlan,
  },
  {
    usage: "run [study] [key=value...]",
    what: "train and evaluate everything of a study (default: ./study.yaml) that is not done yet; stop it at any time and run it again to resume",
    declare: async () => (await import("./commands/run.ts")).addRun,
  },
  {
    usage: "train <file> [key=value...]",
    what: "train and evaluate one model on one mixture, without a study",
    declare: async () => (await import("./commands/train.ts")).addTrain,
  },
  {
    usage: "eval <model>",
    what: "score a model on tasks: STUDY_DIR:MIXTURE, a run's directory, a folder in Hugging Face's layout, org/name of the Hub, mixtune/tiny, or openai:NAME",
    declare: async () => (await import("./commands/eval.ts")).addEval,
  },
  {
    usage: "rescore <dir>",
    what: "score the stored answers of a run, a study or an evaluation again; no model is run",
    declare: async () => (await import("./commands/rescore.ts")).addRescore,
  },
  {
    usage: "export <model>",
    what: "export a model as PEFT adapter, Hugging Face folder, GGUF, Ollama Modelfile or ONNX, and check the result",
    declare: async () => (await import("./commands/export.ts")).addExport,
  },
  {
    usage: "judge [dir]",
    what: "let hosted models judge stored answers against the human reference: correct, incorrect or refused",
    declare: async () => (await import("./commands/judge.ts")).addJudge,
  },
  {
    usage: "predict <model>",
    what: "answer new rows with a model: answer, probability and parsed value of each",
    declare: async () => (await import("./commands/predict.ts")).addPredict,
  },
  {
    usage: "serve <model...>",
    what: "serve runs and models through an OpenAI-compatible API; MIXTUNE_API_KEY sets the key; Ctrl-C stops",
    declare: async () => (await import("./commands/serve.ts")).addServe,
  },
  {
    usage: "chat <model>",
    what: "chat with a run or a model; /clear forgets the conversation, /exit leaves",
    declare: async () => (await import("./commands/chat.ts")).addChat,
  },
  {
    usage: "status <dir>",
    what: "show which runs of a study are done, running, failed or still to do",
    declare: async () => (await import("./commands/status.ts")).addStatus,
  },
  {
    usage: "cancel <dir>",
    what: "cancel the jobs that a fine-tuning service still works on for a study",
    declare: async () => (await import("./commands/cancel.ts")).addCancel,
  },
  {
    usage: "report <dir>",
    what: "print the table of a study as far as it is done, and write report.html with charts and report.json",
    declare: async () => (await import("./commands/report.ts")).addReport,
  },
  {
    usage: "log <dir>",
    what: "write settings, numbers by step and scores of every run for TensorBoard or wandb",
    declare: async () => (await import("./commands/log.ts")).addLog,
  },
  {
    usage: "compare <a> <b>",
    what: "compare two scored models by a paired test, task by task. Each is a run's directory, a directory that mixtune eval filled, or STUDY_DIR:NAME (all seeds of a mixture, one with @SEED, or a baseline)",
    declare: async () => (await import("./commands/compare.ts")).addCompare,
  },
  {
    usage: "recommend <dir>",
    what: "recommend a mixture for each task, with its chance of being best, and runs to add next; reads dev scores only",
    declare: async () => (await import("./commands/recommend.ts")).addRecommend,
  },
  {
    usage: "ui <dir>",
    what: "show the report in the browser, updated while the study runs; on this machine only; Ctrl-C stops",
    declare: async () => (await import("./commands/ui.ts")).addUi,
  },
  {
    usage: "doctor",
    what: "check this machine: versions, cores, memory, engines, writable places, models that fit",
    declare: async () => (await import("./commands/doctor.ts")).addDoctor,
  },
  {
    usage: "setup",
    what: "install optional components",
    declare: async () => (await import("./commands/setup.ts")).addSetup,
  },
];

/**
 * The program. A command's options and what it works with are loaded only where its name is among the words, so that help is quick.
 * @param act    runs what a command does
 * @param words  of the command line; absent: every command is declared in full
 */
export async function commandLine(act: Act, words?: readonly string[]): Promise<Command> {
  const program = new Command("mixtune")
    .description(
      "Mix task datasets, fine-tune a language model on each mixture, and learn which ingredient helps which task.",
    )
    .version(packageVersion())
    .option("--json", "print the result as JSON on standard output, everything else on standard error")
    .option("--quiet", "print no progress and no notes")
    .option("--debug", "print stack traces")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(mixtune --help lists the commands)")
    .addHelpText("after", "\nExamples:\n  mixtune demo\n  mixtune init tickets --data tickets.csv")
    .exitOverride();
  for (const { usage, what, declare } of COMMANDS) {
    const command = program.command(usage).description(what);
    if (words === undefined || words.includes(command.name())) (await declare())(command, act);
  }
  refuseOldSpellings(program);
  for (const command of program.commands) allowGlobalOptions(command, program);
  return program;
}

/** `mixtune run x --json` works as `mixtune --json run x` does. */
function allowGlobalOptions(command: Command, program: Command): void {
  for (const name of ["json", "quiet", "debug"]) {
    command.addOption(new Option(`--${name}`).hideHelp());
    command.on(`option:${name}`, () => program.setOptionValue(name, true));
  }
  for (const inner of command.commands) allowGlobalOptions(inner, program);
}
