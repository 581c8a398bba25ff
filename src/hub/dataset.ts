/** @file Which files of a dataset repository hold a split, and those files on disk. What is in them is src/data's business. */

import { DataError, SpecError } from "../base/errors.ts";
import { type Hub, recordOf } from "./hub.ts";
import { nameOf } from "./names.ts";
import type { FetchProgress, HubFile, HubRecord, RepoRef, Snapshot } from "./types.ts";

/** What a task wants of a dataset. */
export interface DatasetRequest {
  /** `org/name` */
  id: string;
  /** Configuration (subset), where the dataset has several. */
  config?: string;
  /** Branch, tag or commit; default `main`, and the hub's own conversion to Parquet where that holds no data files. */
  revision?: string;
  /** The hub's names of splits; one with a dot, a slash or a star is a pattern of paths, as `data/train-*.parquet`. */
  splits: readonly string[];
  /** Splits that are taken where they are there. */
  optional?: readonly string[];
}

/** A dataset's files in the cache. */
export interface DatasetFiles {
  /** Local paths of each split asked for, in the order of their names: .parquet .jsonl .json .csv .tsv, the last four also .gz. */
  splits: Record<string, string[]>;
  /** Repository, commit and digests. */
  record: HubRecord;
}

/** Where the hub keeps its own conversion of every dataset that it could read. */
const CONVERTED = "refs/convert/parquet";
const KINDS = [".parquet", ".jsonl", ".jsonl.gz", ".json", ".json.gz", ".csv", ".csv.gz", ".tsv", ".tsv.gz"];

/**
 * Brings the files of some splits into the cache.
 * @throws {DataError} a split that no file belongs to
 * @throws what {@link Hub} throws
 */
export async function fetchDataset(
  hub: Hub,
  request: DatasetRequest,
  onProgress?: (progress: FetchProgress) => void,
): Promise<DatasetFiles> {
  const { snapshot, chosen } = await findSplits(hub, request);
  const paths = [...new Set(Object.values(chosen).flat())];
  const local = await hub.fetch(snapshot, paths, onProgress);
  const splits = Object.entries(chosen).map(([split, names]) => [
    split,
    names.map((name) => local[paths.indexOf(name)]!),
  ]);
  return { splits: Object.fromEntries(splits), record: recordOf(snapshot, paths) };
}

async function findSplits(
  hub: Hub,
  request: DatasetRequest,
): Promise<{ snapshot: Snapshot; chosen: Record<string, string[]> }> {
  const { id, config, revision, splits, optional = [] } = request;
  const ref: RepoRef = { kind: "dataset", id, ...(revision === undefined ? {} : { revision }) };
  const own = await hub.resolve(ref);
  const first = choose(own, splits, optional, config);
  if (first !== undefined) return { snapshot: own, chosen: first };
  const isNamed = splits.every((split) => !isPattern(split));
  const converted = revision === undefined && isNamed ? await ifThere(hub, { ...ref, revision: CONVERTED }) : undefined;
  const second = converted && choose(converted, splits, optional, config);
  if (converted !== undefined && second !== undefined) return { snapshot: converted, chosen: second };
  const lacking = splits.find((split) => pathsOf(own.files, split, config).length === 0);
  throw new DataError({
    place: nameOf(request),
    expected: `files of the split ${lacking}${config === undefined ? "" : ` of ${config}`}`,
    got: `${own.files.length} files, none of them: ${exampleNames(own.files)}`,
    remedy: "Name another split or configuration, or fetch the data by hand and give its folder.",
  });
}

/** Undefined where any split has no files: a dataset is read from one place. */
function choose(
  { files }: Snapshot,
  splits: readonly string[],
  optional: readonly string[],
  config: string | undefined,
): Record<string, string[]> | undefined {
  const found = [...splits, ...optional].map((split) => [split, pathsOf(files, split, config)] as const);
  if (found.some(([split, paths]) => paths.length === 0 && splits.includes(split))) return undefined;
  return Object.fromEntries(found.filter(([, paths]) => paths.length > 0));
}

/** The conversion is missing for many datasets, which is no error of its own. */
async function ifThere(hub: Hub, ref: RepoRef): Promise<Snapshot | undefined> {
  try {
    return await hub.resolve(ref);
  } catch (error) {
    if (error instanceof SpecError) return undefined;
    throw error;
  }
}

/** The words by which file names tell their split, as the datasets library has them (datasets/data_files.py, SPLIT_KEYWORDS). */
const SPLIT_WORDS = [
  ["train", "training"],
  ["validation", "valid", "dev", "val"],
  ["test", "testing", "eval", "evaluation"],
];

/**
 * Paths of a split's files, sorted. The places in which datasets keep them are tried in order: below the configuration's name (where none was
 * asked for: data/, the root, the only folder that has such files), Parquet before text. Where none has them, the one file whose name holds a
 * word for the split, as `sent_valid.csv` does for validation.
 */
export function pathsOf(files: readonly HubFile[], split: string, config: string | undefined): string[] {
  const names = files.map(({ path }) => path).sort();
  if (isPattern(split)) return names.filter((name) => globOf(split).test(name));
  const folders =
    config === undefined ? ["data/", "", "default/", undefined] : [`${config}/`, `data/${config}/`, `${config}-`];
  for (const kind of KINDS) {
    for (const folder of folders) {
      const before = folder === undefined ? "[^/]+/" : escaped(folder);
      const pattern = new RegExp(`^(${before})${escaped(split)}(?:[-_]\\d[^/]*|/[^/]+)?${escaped(kind)}$`);
      const found = names.filter((name) => pattern.test(name));
      if (new Set(found.map((name) => pattern.exec(name)?.[1])).size === 1) return found;
    }
  }
  const words = SPLIT_WORDS.find((known) => known.includes(split)) ?? [];
  const named = new RegExp(`^(?:${words.join("|")})$`);
  const below = config === undefined ? "" : `${config}/`;
  const hinted = names.filter(
    (name) =>
      name.startsWith(below) &&
      KINDS.some((kind) => name.endsWith(kind)) &&
      name
        .slice(name.lastIndexOf("/") + 1)
        .split(/[-._ 0-9]+/)
        .some((word) => named.test(word)),
  );
  return words.length > 0 && hinted.length === 1 ? hinted : [];
}

function isPattern(split: string): boolean {
  return /[*/.]/.test(split);
}

/** `*` stands for anything within a name. */
function globOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(escaped).join("[^/]*")}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function exampleNames(files: readonly HubFile[]): string {
  return files
    .slice(0, 5)
    .map(({ path }) => path)
    .join(", ");
}
