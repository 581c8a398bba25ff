/** @file What importing another tool's configuration gives: a study file, and an account of every key. */

import type { StudyFile } from "../schema.ts";

/**
 * - `not_carried`: asks for something that the study does not do;
 * - `deviation`: carried over, and means something else here;
 * - `default`: the other tool's default, or an assumption, written out;
 * - `no_bearing`: does not change what is learned;
 * - `unknown`: in neither tool's documentation.
 */
export type RemarkKind = "not_carried" | "deviation" | "default" | "no_bearing" | "unknown";

/** One sentence about one key. */
export interface Remark {
  kind: RemarkKind;
  key: string;
  /** File, line, column and key; of a default: the tool. */
  place: string;
  /** As written; absent for defaults and for what may be a secret. */
  value?: unknown;
  why: string;
}

/** A key whose value stands in the study. */
export interface Carried {
  key: string;
  place: string;
  /** Keys of the study file. */
  to: string[];
}

export type Tool = "LLaMA-Factory" | "Axolotl";

export interface Imported {
  tool: Tool;
  study: StudyFile;
  carried: Carried[];
  remarks: Remark[];
}

/** What the catalogue says of an entry, as far as importing asks. */
export interface CatalogueEntry {
  /** Dataset of the Hugging Face hub behind it. */
  hubId?: string;
  isEvaluationOnly?: boolean;
}

/** What is known where an importer is called. */
export interface ImportOptions {
  /** Of the study. */
  name: string;
  /** Devices that the configuration would have run on: a factor of the batch. */
  devices: number;
  /** `paper-55`: the grid of arXiv 2410.01109 in place of the one mixture. */
  design?: "paper-55";
  catalogue: Readonly<Record<string, CatalogueEntry>>;
  /** A path of the configuration as the study writes it: of data inside LLaMA-Factory's dataset_dir, else of where the other tool runs. */
  rebase(path: string, inside?: "dataset_dir"): string;
}
