/** @file Model names: which folder stands behind one, what its bytes are, and what it takes to run it. Names of the hub: hub-model.ts. */

import { type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { CheckpointError, SpecError } from "../../base/errors.ts";
import { openModelFolder, readModelConfig } from "../../models/weights.ts";
import { readReceipt, runPaths } from "../../runs/run-dir.ts";
import { isHosted } from "../../specs/hosted.ts";
import type { RunSpec } from "../../specs/types.ts";
import { findStudyLock, type LockedRepo } from "../../study/lock-file.ts";
import type { Workspace } from "../workspace.ts";
import { type BaseModel, type ModelSize, modelIdentity, sizeOf } from "./base-model.ts";
import { folderOfGguf } from "./gguf-model.ts";
import { openHubModel } from "./hub-model.ts";
import { refuseLargeModel } from "./memory.ts";
import { modelFolder } from "./shipped-models.ts";

/**
 * Opens a model by its name: one that ships, a folder, or `org/name[@revision]` of the hub, of which only what is small is fetched.
 * @param place  where the name was written, for messages
 * @param locked what an earlier call took from the hub under this name: its revision holds
 * @throws {SpecError} a name behind which there is no model
 * @throws {CheckpointError} a damaged or incomplete folder, a model that cannot be run
 */
export async function openBaseModel(
  name: string,
  place: string,
  workspace: Workspace,
  locked?: LockedRepo,
): Promise<BaseModel> {
  const folder = localModelDir(name, place, workspace);
  if (folder === undefined) return openHubModel(name, place, workspace, locked);
  const { config, digest } = openModelFolder(folder);
  return {
    folder,
    identity: modelIdentity(name, folder, digest),
    size: sizeOf(config),
    isThere: true,
    fetchWeights: async () => {},
  };
}

/**
 * The folder of a model with everything in it, for our own engine; see {@link openBaseModel}.
 * @throws {SpecError} one that this machine cannot hold
 */
export async function modelDir(
  name: string,
  place: string,
  workspace: Workspace,
  locked?: LockedRepo,
): Promise<string> {
  const local = localModelDir(name, place, workspace);
  if (local !== undefined) return local;
  const model = await openHubModel(name, place, workspace, locked);
  refuseLargeModel(name, model.size);
  await model.fetchWeights();
  return model.folder;
}

/**
 * The base model of a finished run, at the revision that its study took.
 * @throws {CheckpointError} weights other than those that the run was trained on
 */
export async function modelDirOfRun(dir: string, { model }: RunSpec, workspace: Workspace): Promise<string> {
  const place = `${runPaths.spec(dir)}: model.name`;
  if (isHosted(model.name)) throw atService(dir, model.name);
  const locked = findStudyLock(resolve(dir, "..", ".."))?.hub?.[model.name];
  const { folder, identity, size, fetchWeights } = await openBaseModel(model.name, place, workspace, locked);
  if (identity.weights_digest === model.weights_digest) {
    refuseLargeModel(model.name, size);
    await fetchWeights();
    return folder;
  }
  throw new CheckpointError({
    place,
    expected: `the base model with the digest ${model.weights_digest}, which the run was trained on`,
    got: `${identity.weights_digest} in ${folder}`,
    remedy:
      "Bring back the weights of that time, or keep the run inside its study's folder, whose lock knows the revision.",
  });
}

/** A run whose weights nobody but the service has. */
function atService(dir: string, base: string): SpecError {
  const tuned = readReceipt(dir)?.hosted?.fine_tuned_model;
  return new SpecError({
    place: dir,
    expected: "a run whose weights are on this machine",
    got: `one that a service fine-tuned from ${base}`,
    remedy:
      tuned === undefined
        ? "Let the run end first: mixtune run."
        : `mixtune eval takes the service's model in its place: openai:${tuned}.`,
  });
}

/** A folder that has a model's tokenizer and template, if nothing else; see {@link openBaseModel}. */
export async function tokenizerDir(name: string, place: string, workspace: Workspace): Promise<string> {
  return localModelDir(name, place, workspace) ?? (await openHubModel(name, place, workspace)).folder;
}

/**
 * The folder of a model that ships or that a path names, of a GGUF file the one that is made of it; undefined for a name of the hub, which nothing
 * here has.
 * @throws {SpecError} an unknown mixtune/ name, a folder that is not there
 * @throws {CheckpointError} a GGUF file that is damaged or cannot be reproduced
 */
export function localModelDir(name: string, place: string, workspace: Workspace): string | undefined {
  if (name.startsWith("mixtune/")) return modelFolder(name, place);
  const path = resolve(name);
  const there = statOf(path);
  if (there?.isDirectory()) return path;
  if (there?.isFile() && /\.gguf$/i.test(path)) return folderOfGguf(path, workspace);
  if (!/^\.{0,2}\//.test(name)) return undefined;
  throw new SpecError({
    place,
    expected: "a model folder, or a GGUF file (.gguf)",
    got: there === undefined ? "nothing there" : "another file",
    remedy: `Check the path ${path}.`,
  });
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // also what can be no path: too long, or with a zero byte
  }
}

/** What of a model folder decides what it costs to run. */
export function modelSize(folder: string): ModelSize {
  return sizeOf(readModelConfig(folder).config);
}
