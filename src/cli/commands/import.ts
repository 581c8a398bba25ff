/** @file mixtune import: a configuration of LLaMA-Factory or Axolotl becomes a study file, with an account of every key. */

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { type ImportStudyOptions, importStudy } from "../../app/study/import-study.ts";
import { SpecError } from "../../base/errors.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { recordWithFlags } from "../options/flags.ts";
import { wholeNumber } from "../options/numbers.ts";

interface ImportFlags extends Omit<ImportStudyOptions, "folder"> {
  out: string;
}

export function addImport(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <file>", "file to write, never over an existing one; - prints the study", "study.yaml")
    .optionsGroup("Data:")
    .option(
      "--dataset-info <file>",
      "LLaMA-Factory's dataset_info.json (default: in dataset_dir, else beside the configuration)",
    )
    .optionsGroup("Training:")
    .option(
      "--devices <n>",
      "number of devices that the configuration was written for; it multiplies the batch size",
      wholeNumber(1, 100_000),
      1,
    )
    .addOption(
      new Option(
        "--design <name>",
        "mixtures to train in place of the imported one: paper-55 is the 55 of arXiv 2410.01109",
      ).choices(["paper-55"]),
    )
    .addHelpText("after", "\nExample: mixtune import examples/train_lora/llama3_lora_sft.yaml --devices 4")
    .action((config: string, flags: ImportFlags) => act((context) => importOne(config, flags, context)));
}

function importOne(config: string, { out, ...options }: ImportFlags, context: Context): number {
  const isToStdout = out === "-";
  const path = resolve(isToStdout ? "study.yaml" : out);
  if (!isToStdout && existsSync(path)) {
    throw new SpecError({
      place: path,
      expected: "no such file yet",
      got: "one that is there",
      remedy: "Give another name with --out, or --out - to see it.",
    });
  }
  const { imported, text, account } = recordWithFlags(importStudy(config, { ...options, folder: dirname(path) }));
  if (!isToStdout) {
    makeFolder(dirname(path));
    writeWhole(path, text);
  }
  if (isToStdout && !context.options.json) {
    context.note(account);
    context.print(text);
    return EXIT_DONE;
  }
  const { tool, study, carried, remarks } = imported;
  context.result(
    { tool, ...(isToStdout ? { text } : { path }), study, carried, remarks },
    `${account}\n\nWrote ${out}.\nNext: mixtune tasks check ${out}, then mixtune plan ${out}. To try every mixture: 'design=[singles,pairs,all]'.`,
  );
  return EXIT_DONE;
}
