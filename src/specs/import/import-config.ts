/** @file Another tool's configuration, whichever it is, as the text of a study file with an account of every key. */

import { stringify } from "yaml";
import { SpecError } from "../../base/errors.ts";
import { describeValue } from "../validate.ts";
import { parseYamlFile, type YamlFile } from "../yaml-file.ts";
import { importAxolotl } from "./axolotl.ts";
import { importLlamaFactory } from "./llama-factory.ts";
import type { Imported, ImportOptions, Remark, RemarkKind } from "./types.ts";

/** A file that was read. */
export interface SourceFile {
  text: string;
  /** Absolute. */
  path: string;
}

/**
 * Reads a LLaMA-Factory or an Axolotl configuration; which it is is told by the key that names the model.
 * @throws {SpecError} not YAML, not one of the two, values that cannot be; with file, line and column
 */
export function importConfig(config: SourceFile, info: SourceFile | undefined, options: ImportOptions): Imported {
  const file = parsed(config);
  const { value } = file;
  const keys = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
  if (keys.includes("model_name_or_path")) {
    return importLlamaFactory(file, info === undefined ? undefined : parsed(info), options);
  }
  if (keys.includes("base_model")) return importAxolotl(file, options);
  throw new SpecError({
    place: file.place([]),
    expected: "a configuration of LLaMA-Factory (model_name_or_path) or of Axolotl (base_model)",
    got: Array.isArray(value)
      ? "a list"
      : keys.length > 0
        ? `a mapping with ${describeValue(keys.slice(0, 5))}`
        : describeValue(value),
    remedy: "Give the YAML file that the tool trains by.",
  });
}

/** Whether the configuration is one that dataset_info.json goes with, and in which folder it says that is. */
export function datasetDirOf(config: SourceFile): string | undefined {
  const { value } = parsed(config);
  const { model_name_or_path, dataset_dir } = (value ?? {}) as Record<string, unknown>;
  if (model_name_or_path === undefined) return undefined;
  return typeof dataset_dir === "string" && dataset_dir !== "" ? dataset_dir : "data";
}

function parsed({ text, path }: SourceFile): YamlFile {
  return parseYamlFile(text, path, { assignments: [], cwd: "" });
}

const HEADINGS: Readonly<Record<RemarkKind, string>> = {
  not_carried: "Not carried over",
  deviation: "Means something else here",
  unknown: "Unknown keys",
  default: "Written out, or assumed",
  no_bearing: "No bearing on what is learned",
};

/** The study file. What was not carried over stands in comments at its head. */
export function studyText({ tool, study, remarks }: Imported, source: string): string {
  const head = [`Imported from ${source}, a configuration of ${tool}, by mixtune import.`];
  for (const kind of ["not_carried", "deviation", "unknown"] as const) {
    const some = remarks.filter((remark) => remark.kind === kind);
    if (some.length > 0) head.push(`${HEADINGS[kind]}:`, ...some.map(({ key, why }) => `  ${key}: ${why}`));
  }
  const comment = head.map((line) => `# ${line.replace(/\p{Cc}+/gu, " ")}`).join("\n");
  const yaml = stringify(study, { lineWidth: 0, aliasDuplicateObjects: false });
  return `${comment}\n${yaml.replace(/^ +(warmup|decay)_steps: 0\.\d+$/gm, "$& # below 1: a share of all steps")}`;
}

/** The account for people: what changes learning first. */
export function accountText({ carried, remarks }: Imported): string {
  const parts = (Object.keys(HEADINGS) as RemarkKind[]).flatMap((kind) => {
    const some = remarks.filter((remark) => remark.kind === kind);
    return some.length === 0
      ? []
      : [`${HEADINGS[kind]}:\n${kind === "no_bearing" ? byReason(some) : some.map(line).join("\n")}`];
  });
  const said = carried.map(({ key, to }) => `${key} → ${to.join(", ")}`).join("; ");
  return [...parts, `Carried over: ${said || "nothing"}.`].join("\n\n");
}

function line({ key, place, value, why }: Remark): string {
  const at = /:(\d+:\d+)(?:: |$)/.exec(place)?.[1];
  return `  ${key}${value === undefined ? "" : `: ${describeValue(value)}`}${at === undefined ? "" : ` (${at})`}: ${why}`;
}

function byReason(remarks: readonly Remark[]): string {
  const keys = new Map<string, string[]>();
  for (const { key, why } of remarks) keys.set(why, [...(keys.get(why) ?? []), key]);
  return [...keys].map(([why, some]) => `  ${some.join(", ")}: ${why}`).join("\n");
}
