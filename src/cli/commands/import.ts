/** @file mixtune import: a configuration of LLaMA-Factory or Axolotl becomes a study file, with an account of every key. */

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type Command, Option } from "commander";
import { SpecError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import {
  accountText,
  datasetDirOf,
  importConfig,
  type SourceFile,
  studyText,
} from "../../specs/import/import-config.ts";
import type { CatalogueEntry, ImportOptions } from "../../specs/import/types.ts";
import { parseStudy } from "../../specs/study-file.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { withFlags } from "../options/flags.ts";
import { wholeNumber } from "../options/numbers.ts";

interface Flags {
  out: string;
  datasetInfo?: string;
  devices: number;
  design?: "paper-55";
}

export function addImport(program: Command, act: Act): void {
  program
    .command("import <config>")
    .description("a LLaMA-Factory or Axolotl configuration as a study file; every key is accounted for")
    .option("--out <file>", "where to write it, never over an existing one; - is standard output", "study.yaml")
    .option("--dataset-info <file>", "LLaMA-Factory's dataset_info.json (default: in dataset_dir, or beside the file)")
    .option("--devices <n>", "devices it would have run on: a factor of the batch", wholeNumber(1, 100_000), 1)
    .addOption(
      new Option("--design <name>", "the 55 mixtures of arXiv 2410.01109 in place of the one imported").choices([
        "paper-55",
      ]),
    )
    .addHelpText("after", "\nExample: mixtune import examples/train_lora/llama3_lora_sft.yaml --devices 4")
    .action((config: string, flags: Flags) => act((context) => importOne(config, flags, context)));
}

function importOne(path: string, flags: Flags, context: Context): number {
  const isToStdout = flags.out === "-";
  const out = resolve(isToStdout ? "study.yaml" : flags.out);
  if (!isToStdout && existsSync(out)) {
    throw new SpecError({
      place: out,
      expected: "no such file yet",
      got: "one that is there",
      remedy: "Give another name with --out, or --out - to see it.",
    });
  }
  const config = sourceFile(path);
  const info = infoFile(config, flags);
  const options: ImportOptions = {
    name: nameOf(path),
    devices: flags.devices,
    ...(flags.design === undefined ? {} : { design: flags.design }),
    catalogue: CATALOGUE_ENTRIES,
    rebase: (inside, of) =>
      of === "dataset_dir" && info !== undefined
        ? fromFolder(dirname(out), join(dirname(info.path), inside))
        : isAbsolute(inside)
          ? inside
          : fromFolder(dirname(out), inside),
  };
  const imported = importConfig(config, info, options);
  const text = withFlags(studyText(imported, basename(path)));
  refuseBadStudy(text, out, config);
  const { tool, study } = imported;
  const { carried, remarks } = JSON.parse(withFlags(JSON.stringify(imported))) as typeof imported;
  const account = withFlags(accountText(imported));
  if (!isToStdout) {
    makeFolder(dirname(out));
    writeWhole(out, text);
  }
  if (isToStdout && !context.options.json) {
    context.note(account);
    context.print(text);
    return EXIT_DONE;
  }
  context.result(
    { tool, ...(isToStdout ? { text } : { path: out }), study, carried, remarks },
    `${account}\n\nWrote ${flags.out}.\nNext: mixtune tasks check ${flags.out}, then mixtune plan ${flags.out}. To try every mixture: 'design=[singles,pairs,all]'.`,
  );
  return EXIT_DONE;
}

/** Values that the other tool takes and a study does not. */
function refuseBadStudy(text: string, out: string, config: SourceFile): void {
  try {
    parseStudy(text, out, { assignments: [], cwd: process.cwd() }, CATALOGUE);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    const { place, expected, got } = error;
    const key = place.split(": ").at(-1);
    throw new SpecError({
      place: `${config.path}: as a study, ${key}`,
      expected,
      got,
      remedy: "Change the key of the configuration that it comes from.",
      cause: error,
    });
  }
}

/** What importing asks of the catalogue. */
const CATALOGUE_ENTRIES: Readonly<Record<string, CatalogueEntry>> = Object.fromEntries(
  Object.values(CATALOGUE).map(({ name, hub, isEvaluationOnly }): [string, CatalogueEntry] => [
    name,
    { ...(hub === undefined ? {} : { hubId: hub.id }), ...(isEvaluationOnly ? { isEvaluationOnly } : {}) },
  ]),
);

function infoFile(config: SourceFile, { datasetInfo, design }: Flags): SourceFile | undefined {
  if (datasetInfo !== undefined) return sourceFile(datasetInfo);
  const dir = datasetDirOf(config);
  if (dir === undefined || design !== undefined || dir === "ONLINE") return undefined;
  const beside = dirname(config.path);
  const found = [join(resolve(beside, dir), NAME), join(resolve(dir), NAME), join(beside, NAME)].find((one) =>
    existsSync(one),
  );
  return found === undefined ? undefined : sourceFile(found);
}

const NAME = "dataset_info.json";

function sourceFile(path: string): SourceFile {
  try {
    return { text: readFileSync(path, "utf8"), path: resolve(path) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new SpecError({
      place: path,
      expected: "a file",
      got: code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder" : String(code),
      remedy: "Check the path.",
      cause,
    });
  }
}

/** A path as a file of that folder names it. */
function fromFolder(folder: string, path: string): string {
  return relative(folder, resolve(path)).split(sep).join("/") || ".";
}

function nameOf(path: string): string {
  const stem = basename(path).replace(/\.(ya?ml|json)$/i, "");
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "")
    .slice(0, 64);
  return name || "imported";
}
