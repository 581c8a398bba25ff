/** @file A task of a study, with its data in memory: from the catalogue or from a person's own files. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../base/digest.ts";
import { DataError, SpecError } from "../base/errors.ts";
import { metricsOfKind } from "../specs/metrics.ts";
import { didYouMean } from "../specs/nearest.ts";
import type { AnswerSpec, MetricName, Split, TaskSpec } from "../specs/types.ts";
import { CATALOGUE } from "./catalogue.ts";
import { apartFrom, type HeldOut, holdOut } from "./checks/leakage.ts";
import { loadOwnData } from "./own/own-data.ts";
import type { ReadContext, SplitRecords, TaskDefinition } from "./readers/definition.ts";
import { type HubFiles, readHubRecords } from "./readers/hub-rows.ts";
import { withoutHeldOut } from "./readers/published.ts";
import { asGiven, carveSplits, type Row, type SourceSplits } from "./splits/splits.ts";
import { licencesOf, namesOf, textsOf } from "./task-texts.ts";
import { fitRange } from "./tokens/fit.ts";
import type { Example, LoadedTask } from "./types.ts";

/** Where data is found. */
export interface LoadSettings {
  /** Folder with local copies of the datasets; `data_dir` of a task overrides it. */
  dataRoot?: string | undefined;
  /** By task name: files of the hub, of tasks whose local copies are not there. */
  hubFiles?: Readonly<Record<string, HubFiles>> | undefined;
  /** Nothing will be trained on the task: it may be without training rows. */
  isOnlyEvaluated?: boolean;
  /** What tasks hold out, kept for who loads several tasks that are kept apart from the same ones. Default: not kept. */
  heldOut?: Map<string, Promise<HeldOut>>;
}

/**
 * Loads a task, carves the splits it lacks, and leaves out the training rows that the tasks it is kept apart from hold out.
 *
 * @throws {SpecError} an unknown name of the catalogue, of a variant or of a prompt style; no data; a column that is not there
 * @throws {DataError} missing or damaged files, rows that cannot be used, nothing left
 */
export async function loadTask(spec: TaskSpec, settings: LoadSettings): Promise<LoadedTask> {
  const whole = await loadWhole(spec, settings);
  if (spec.apart_from === undefined) return whole;
  const held = await Promise.all(
    spec.apart_from.map((other) =>
      other.name === spec.name ? holdOut(whole, HELD_OUT) : heldOutBy(other, { ...settings, isOnlyEvaluated: true }),
    ),
  );
  const isDevCarved = spec.data !== undefined && spec.data.dev === undefined;
  const { train, dev, sentence, overlapping } = apartFrom(whole, held, isDevCarved);
  if (sentence === undefined) return whole;
  return {
    ...whole,
    splits: { ...whole.splits, train, dev },
    digests: { ...whole.digests, train: digestOfExamples(train), dev: digestOfExamples(dev) },
    notes: [...whole.notes, sentence],
    overlapping,
  };
}

const HELD_OUT = ["test", "dev"] as const;

function heldOutBy(spec: TaskSpec, settings: LoadSettings): Promise<HeldOut> {
  const key = digestOf([spec, settings.dataRoot ?? null]);
  const known = settings.heldOut?.get(key) ?? loadWhole(spec, settings).then((task) => holdOut(task, HELD_OUT));
  settings.heldOut?.set(key, known);
  return known;
}

async function loadWhole(spec: TaskSpec, settings: LoadSettings): Promise<LoadedTask> {
  const notes: string[] = [];
  if (spec.data !== undefined) {
    const { answer, splits, numUnusable } = await loadOwnData(spec, notes);
    const about = { answer, metric: undefined, licence: "not stated", source: "own data" };
    const task = finish(spec, about, splits, notes);
    return numUnusable === 0 ? task : { ...task, numUnusable };
  }
  if (spec.texts_of !== undefined) {
    const tasks = await Promise.all(spec.texts_of.map((one) => loadTask(one, settings)));
    const answer = { kind: "document", field: "text" } as const;
    const about = { metric: undefined, licence: licencesOf(tasks), source: `texts of ${namesOf(tasks)}` };
    return finish(spec, { answer, ...about }, textsOf(tasks), notes);
  }
  const definition = definitionOf(spec);
  const variant = choice(spec, "variant", spec.variant, Object.keys(definition.variants ?? {}));
  const style = choice(spec, "prompt_style", spec.prompt_style, Object.keys(definition.prompts));
  const read = await readRecords(spec, definition, settings, { variant, notes });
  const source = shapeRecords(definition, style, read.records);
  const splits = splitsOf(spec, definition, source, settings);
  const { answer, metric, licence, publication, unit, isEvaluationOnly = false } = definition;
  const task = finish(spec, { answer, metric, licence, source: `${publication}; ${read.from}` }, splits, notes);
  return { ...task, unit, isEvaluationOnly };
}

/** Carves what is missing; what is never trained on keeps the splits that it has. @throws {DataError} nothing to train on */
function splitsOf(
  spec: TaskSpec,
  { isEvaluationOnly = false, maxTrain, withoutTrain }: TaskDefinition,
  source: SourceSplits,
  { isOnlyEvaluated = false }: LoadSettings,
): Record<Split, Example[]> {
  const { train, dev = [], test = [] } = source;
  if (isEvaluationOnly) return asGiven({ train: [], dev, test });
  if (train.length > 0 || withoutTrain === undefined) return carveSplits(spec.name, source, spec.max_train ?? maxTrain);
  if (isOnlyEvaluated) return asGiven({ train, dev, test });
  throw new DataError({
    place: `task ${spec.name}`,
    expected: "training rows",
    got: "none in its source",
    remedy: withoutTrain,
  });
}

/** The catalogue's entry behind a spec without own data. @throws {SpecError} no such entry */
export function definitionOf(spec: TaskSpec): TaskDefinition {
  const name = spec.catalogue ?? spec.name;
  const definition = CATALOGUE[name];
  if (definition !== undefined) return definition;
  throw new SpecError({
    place: `task ${spec.name}`,
    expected: "its own data, or a name of the catalogue",
    got: name,
    remedy: `Give the task a data key, or use a name that mixtune tasks list shows. ${didYouMean(name, Object.keys(CATALOGUE).sort())}`,
  });
}

async function readRecords(
  spec: TaskSpec,
  { generate, local, hub, example }: TaskDefinition,
  { dataRoot, hubFiles }: LoadSettings,
  context: ReadContext,
): Promise<{ records: SplitRecords<unknown>; from: string }> {
  if (generate !== undefined) return { records: generate(), from: "nothing is read" };
  const files = hubFiles?.[spec.name];
  if (hub !== undefined && files !== undefined) {
    const all = await readHubRecords(hub, files, context);
    const isOne = Object.keys(all).length === 1; // nothing is held out
    const records = isOne ? all : withoutHeldOut(spec.name, all, (record) => example(record).group, context.notes);
    return { records, from: `${files.repo} at ${files.revision}, columns as in ${hub.seenIn}` };
  }
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
  { prompts, example, fit }: TaskDefinition,
  style: string,
  records: SplitRecords<unknown>,
): SourceSplits {
  const write = prompts[style]!;
  const rows = (split: Split): Row[] | undefined =>
    records[split]?.map(({ number, record }) => {
      const prompt = write(record);
      const range = fit && fitRange(prompt, fit.text(record), fit.keep);
      return { number, prompt, ...example(record), ...(range && { fit: range }) };
    });
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
  {
    answer,
    metric,
    licence,
    source,
  }: { answer: AnswerSpec; metric: MetricName | undefined; licence: string; source: string },
  splits: Record<Split, Example[]>,
  notes: string[],
): LoadedTask {
  const { train, dev, test } = splits;
  for (const example of train) delete example.gold; // train is scored by its loss alone
  notes.push(`${spec.name}: ${train.length} train, ${dev.length} dev, ${test.length} test examples.`);
  const digests = { train: digestOfExamples(train), dev: digestOfExamples(dev), test: digestOfExamples(test) };
  const ranking = rankingMetric(spec, answer, metric);
  const skips = spec.on_bad_row === "skip" && { skipsBadRows: true };
  return { name: spec.name, answer, metric: ranking, licence, source, splits, digests, notes, ...skips };
}

/** The metric that was asked for, the task's own, or that of the answer's kind. @throws {SpecError} a metric of other answers */
export function rankingMetric(spec: TaskSpec, answer: AnswerSpec, own: MetricName | undefined): MetricName {
  const ofKind = metricsOfKind(answer.kind);
  if (spec.metric === undefined) return own ?? ofKind[0]!;
  // Instructions to follow have no gold answer that another metric could compare with.
  const allowed: MetricName[] = own === "instruction_accuracy" ? [own, "answer_logprob"] : ofKind;
  if (allowed.includes(spec.metric)) return spec.metric;
  throw new SpecError({
    place: `task ${spec.name}: metric`,
    expected: `a metric of ${answer.kind} answers: ${allowed.join(", ")}`,
    got: spec.metric,
    remedy: "Use one of these, or remove metric.",
  });
}

function digestOfExamples(examples: readonly Example[]): string {
  return digestOf(
    examples.map(({ prompt, turns, answer, group }) => [
      prompt,
      answer,
      group,
      ...(turns === undefined ? [] : [turns]),
    ]),
  );
}
