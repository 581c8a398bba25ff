/** @file Opens finished runs and model folders: what stands behind a name on the command line, and everything that running it takes. */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { openTemplate, type PromptTemplate } from "../../data/tokens/chat-template.ts";
import { openTokenizer, type Tokenizer } from "../../data/tokens/tokenizers.ts";
import { initMagnitudes } from "../../models/lora.ts";
import type { Tuning } from "../../models/network.ts";
import type { ParameterLayout } from "../../models/parameters.ts";
import { tuningOf } from "../../models/tuning.ts";
import { type ModelFolder, openModelFolder, readParameters } from "../../models/weights.ts";
import { readSpec, readStatus, runPaths } from "../../runs/run-dir.ts";
import type { RunSpec } from "../../specs/types.ts";
import { evaluatedCheckpoint, readWeights } from "../../train/checkpoint.ts";
import { weightCache } from "../../workers/shared-parts.ts";
import { threadsFor } from "../../workers/threads.ts";
import type { Workspace } from "../workspace.ts";
import { localModelDir, modelDir, modelDirOfRun, modelSize } from "./named-model.ts";
import { runOfStudy } from "./run-of-study.ts";

/** A finished run, one checkpoint of any run, or a model folder by the name it was asked for. */
export type ModelRef =
  | { kind: "run"; dir: string; checkpoint?: string }
  | { kind: "folder"; dir: string; name: string };

/** What a word of the command line means. */
export async function modelRef(word: string, workspace: Workspace): Promise<ModelRef> {
  const model = runOfStudy(word, workspace);
  if (existsSync(runPaths.spec(model))) return { kind: "run", dir: resolve(model) };
  const around = resolve(model, "..", "..");
  if (resolve(model, "..") === runPaths.checkpoints(around) && existsSync(runPaths.spec(around)))
    return { kind: "run", dir: around, checkpoint: resolve(model) };
  const dir = await modelDir(model, "command line", workspace);
  const isPath = !model.startsWith("mixtune/") && localModelDir(model, "command line", workspace) !== undefined;
  return { kind: "folder", dir, name: isPath ? basename(dir) : model };
}

/** A model's files, checked, and how its networks are made. */
export interface OpenedModel {
  ref: ModelRef;
  /** Of a run. */
  spec?: RunSpec;
  model: ModelFolder;
  tokenizer: Tokenizer;
  template: PromptTemplate;
  tuning: Tuning;
  /** A run computes with those that it was evaluated with. */
  threads: number;
}

/** Folders that several models have in common are opened once. */
export type OpenFolders = Map<string, Pick<OpenedModel, "model" | "tokenizer" | "template">>;

/**
 * Opens a model.
 * @throws {SpecError} a run that is not done
 */
export async function openModelFiles(
  ref: ModelRef,
  workspace: Workspace,
  opened: OpenFolders = new Map(),
): Promise<OpenedModel> {
  const { threads, cacheDir } = workspace.settings;
  const spec = ref.kind === "run" ? specOf(ref) : undefined;
  const folder = spec === undefined ? ref.dir : await modelDirOfRun(ref.dir, spec, workspace);
  const files = opened.get(folder) ?? openFolder(folder);
  opened.set(folder, files);
  return {
    ref,
    ...files,
    ...(spec === undefined ? {} : { spec }),
    tuning: tuningOf(spec?.train, files.model, weightCache(cacheDir)),
    threads: spec?.worker.threads ?? threads ?? threadsFor(modelSize(folder).parameters),
  };
}

function openFolder(folder: string): Pick<OpenedModel, "model" | "tokenizer" | "template"> {
  const model = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  return { model, tokenizer, template: openTemplate(folder, tokenizer) };
}

/**
 * The values of a network's parameters: a run's from the checkpoint it was evaluated with; of a base model's network whatever it has, which in an
 * adapter is what adds nothing.
 * @throws {WorkerError} a run whose weights were not kept
 */
export function parametersOf({ ref, spec, model, tuning }: OpenedModel, layout: ParameterLayout): Float32Array {
  const parameters = new Float32Array(layout.size);
  if (spec !== undefined) readWeights(weightsOf(ref, spec), spec.train, layout, parameters);
  else if (tuning.method === "full") readParameters(model, layout, parameters);
  else initMagnitudes(model, layout, parameters);
  return parameters;
}

/** The folder of a run's weights: those it was evaluated with, but for a checkpoint that was named. */
export function weightsOf(ref: ModelRef, spec: RunSpec): string {
  return ref.kind === "run" && ref.checkpoint !== undefined ? ref.checkpoint : evaluatedCheckpoint(ref.dir, spec.train);
}

function specOf({ dir, checkpoint }: Extract<ModelRef, { kind: "run" }>): RunSpec {
  return checkpoint === undefined ? specOfFinished(dir) : readSpec(dir);
}

/** The spec of a run. @throws {SpecError} a run that is not done */
export function specOfFinished(dir: string): RunSpec {
  const { state } = readStatus(dir);
  if (state === "done") return readSpec(dir);
  throw new SpecError({
    place: dir,
    expected: "a run that is done",
    got: `one that is ${state}`,
    remedy: "Finish it with mixtune run.",
  });
}
