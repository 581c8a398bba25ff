/** @file A task of a study, with its data in memory: from the catalogue or from a person's own files. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../base/digest.ts";
import { DataError, SpecError } from "../base/errors.ts";
import type { AnswerSpec, MetricName, Split, TaskSpec } from "../specs/types.ts";
import { CATALOGUE } from "./catalogue.ts";
import { loadOwnData } from "./own-data.ts";
import { carveSplits, type Row, type SourceSplits } from "./splits.ts";
import type { ReadContext, SplitRecords, TaskDefinition } from "./tasks/definition.ts";
import type { Example, LoadedTask } from "./types.ts";

/** Where data is found. */
export interface LoadSettings {
  /** Folder with local copies of the datasets; `data_dir` of a task overrides it. */
  dataRoot?: string | undefined;
}

/**
 * Loads a task and carves the splits it lacks.
 *
 * @throws {SpecError} an unknown name of the catalogue, of a variant or of a prompt style; no data; a column that is not there
 * @throws {DataError} missing or damaged files, rows that cannot be used, nothing left
 */
export async function loadTask(spec: TaskSpec, settings: LoadSettings): Promise<LoadedTask> {
  const notes: string[] = [];
  if (spec.data !== undefined) {
    const { answer, source } = loadOwnData(spec, notes);
    const splits = carveSplits(spec.name, source, spec.max_train);
    return finish(spec, { answer, metric: "weighted_f1", licence: "not stated", source: "own data" }, splits, notes);
  }
  const definition = definitionOf(spec);
  const variant = choice(spec, "variant", spec.variant, Object.keys(definition.variants ?? {}));
  const style = choice(spec, "prompt_style", spec.prompt_style, Object.keys(definition.prompts));
  const read = await readRecords(spec, definition, settings, { variant, notes });
  const source = shapeRecords(definition, style, read.records);
  const splits = carveSplits(spec.name, source, spec.max_train ?? definition.maxTrain);
  const { answer, metric = "accuracy", licence, publication } = definition;
  return finish(spec, { answer, metric, licence, source: `${publication}; ${read.from}` }, splits, notes);
}

/** The catalogue's entry behind a spec without own data. @throws {SpecError} no such entry */
export function definitionOf(spec: TaskSpec): TaskDefinition {
  const name = spec.catalogue ?? spec.name;
  const definition = CATALOGUE[name];
  if (definition !== undefined) return definition;
  throw new SpecError({
    place: `task ${spec.name}`,
    expected: `its own data, or one of the catalogue: ${Object.keys(CATALOGUE).sort().join(", ")}`,
    got: name,
    remedy: "Give the task a data key, or use a name of the catalogue.",
  });
}

async function readRecords(
  spec: TaskSpec,
  { generate, local }: TaskDefinition,
  { dataRoot }: LoadSettings,
  context: ReadContext,
): Promise<{ records: SplitRecords<unknown>; from: string }> {
  if (generate !== undefined) return { records: generate(), from: "nothing is read" };
  const root = spec.data_dir ?? dataRoot;
  if (root === undefined) {
    throw new SpecError({
      place: `task ${spec.name}`,
      expected: `a folder of datasets that holds ${local?.files.join(", ") ?? "its files"}`,
      got: "none",
      remedy: "Set data_root in the file, or the MIXTUNE_DATA variable.",
    });
  }
  const missing = local?.files.find((file) => !existsSync(join(root, file)));
  if (local === undefined || missing !== undefined) {
    throw new DataError({
      place: `task ${spec.name}: ${join(root, missing ?? "")}`,
      expected: "the dataset's file",
      got: "no such file",
      remedy: "Put it there, or name another folder with data_dir, data_root or the MIXTUNE_DATA variable.",
    });
  }
  return { records: await local.read(root, context), from: local.files.join(", ") };
}

function shapeRecords(
  { prompts, example }: TaskDefinition,
  style: string,
  records: SplitRecords<unknown>,
): SourceSplits {
  const write = prompts[style]!;
  const rows = (split: Split): Row[] | undefined =>
    records[split]?.map(({ number, record }) => ({ number, prompt: write(record), ...example(record) }));
  const [dev, test] = [rows("dev"), rows("test")];
  return { train: rows("train") ?? [], ...(dev && { dev }), ...(test && { test }) };
}

/** The named choice, or the first. */
function choice(spec: TaskSpec, key: string, asked: string | undefined, names: readonly string[]): string {
  if (asked === undefined) return names[0] ?? "";
  if (names.includes(asked)) return asked;
  throw new SpecError({
    place: `task ${spec.name}: ${key}`,
    expected: names.length === 0 ? `no ${key}, as the task has none to choose from` : `one of ${names.join(", ")}`,
    got: asked,
    remedy: names.length === 0 ? `Remove ${key}.` : "Use one of these names.",
  });
}

function finish(
  spec: TaskSpec,
  { answer, metric, licence, source }: { answer: AnswerSpec; metric: MetricName; licence: string; source: string },
  splits: Record<Split, Example[]>,
  notes: string[],
): LoadedTask {
  const { train, dev, test } = splits;
  notes.push(`${spec.name}: ${train.length} train, ${dev.length} dev, ${test.length} test examples.`);
  const digests = { train: digestOfExamples(train), dev: digestOfExamples(dev), test: digestOfExamples(test) };
  return { name: spec.name, answer, metric: spec.metric ?? metric, licence, source, splits, digests, notes };
}

function digestOfExamples(examples: readonly Example[]): string {
  return digestOf(examples.map(({ prompt, answer, group }) => [prompt, answer, group]));
}
