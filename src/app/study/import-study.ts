/** @file A configuration of LLaMA-Factory or Axolotl becomes a study, with an account of every key. */

import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { keySlug } from "../../base/slug.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import {
  accountText,
  datasetDirOf,
  importConfig,
  type SourceFile,
  studyText,
} from "../../specs/import/import-config.ts";
import type { CatalogueEntry, Imported } from "../../specs/import/types.ts";
import { parseStudy } from "../../specs/study-file.ts";
import { readSourceFile } from "./source-file.ts";

export interface ImportStudyOptions {
  /** The folder that the study file will lie in: paths in it begin there. Default the current one. */
  folder?: string | undefined;
  /** LLaMA-Factory's dataset_info.json. Default: in dataset_dir, or beside the configuration. */
  datasetInfo?: string | undefined;
  /** Devices that the configuration was for: a factor of the batch. Default 1. */
  devices?: number | undefined;
  /** The 55 mixtures of arXiv 2410.01109 in place of the one imported. */
  design?: "paper-55" | undefined;
}

/** A configuration as a study. */
export interface ImportedStudy {
  imported: Imported;
  /** The study file. */
  text: string;
  /** What became of every key, for people. */
  account: string;
}

/**
 * Imports a configuration; nothing is written.
 * @throws {SpecError} a configuration of neither tool, training that mixtune does not do, values that a study does not take
 */
export function importStudy(path: string, options: ImportStudyOptions = {}): ImportedStudy {
  const { devices = 1, design } = options;
  const folder = resolve(options.folder ?? ".");
  const config = readSourceFile(path, HINT);
  const info = infoFile(config, options);
  const imported = importConfig(config, info, {
    name: nameOf(path),
    devices,
    ...(design === undefined ? {} : { design }),
    catalogue: CATALOGUE_ENTRIES,
    rebase: (inside, of) =>
      of === "dataset_dir" && info !== undefined
        ? fromFolder(folder, join(dirname(info.path), inside))
        : isAbsolute(inside)
          ? inside
          : fromFolder(folder, inside),
  });
  const text = studyText(imported, basename(path));
  refuseBadStudy(text, join(folder, "study.yaml"), config);
  return { imported, text, account: accountText(imported) };
}

/** Values that the other tool takes and a study does not. */
function refuseBadStudy(text: string, path: string, config: SourceFile): void {
  try {
    parseStudy(text, path, { assignments: [], cwd: process.cwd() }, CATALOGUE);
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

function infoFile(config: SourceFile, { datasetInfo, design }: ImportStudyOptions): SourceFile | undefined {
  if (datasetInfo !== undefined) return readSourceFile(datasetInfo, HINT);
  const dir = datasetDirOf(config);
  if (dir === undefined || design !== undefined || dir === "ONLINE") return undefined;
  const beside = dirname(config.path);
  const found = [join(resolve(beside, dir), NAME), join(resolve(dir), NAME), join(beside, NAME)].find((one) =>
    existsSync(one),
  );
  return found === undefined ? undefined : readSourceFile(found, HINT);
}

const NAME = "dataset_info.json";
const HINT = "Check the path.";

/** A path as a file of that folder names it. */
function fromFolder(folder: string, path: string): string {
  return relative(folder, resolve(path)).split(sep).join("/") || ".";
}

function nameOf(path: string): string {
  return keySlug(basename(path).replace(/\.(ya?ml|json)$/i, "")) || "imported";
}
