/** @file Opens models for serve and chat. Adapters of one base share its network: only their parameters are their own. */

import { basename } from "node:path";
import { digestOf } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { asked } from "../../data/tokens/turns.ts";
import type { LocalModel } from "../../eval/local-model.ts";
import { CachedNetwork } from "../../models/cached-network.ts";
import { Network } from "../../models/network.ts";
import { maxPositions } from "../../models/tuning.ts";
import type { Workspace } from "../workspace.ts";
import {
  modelRef,
  type OpenedModel,
  type OpenFolders,
  openModelFiles,
  parametersOf,
  weightsOf,
} from "./model-files.ts";

/** Tokens of prompt that there is room for unless told, or a run was trained with more. */
const CONTEXT = 2048;

export interface LocalModels {
  models: LocalModel[];
  close(): Promise<void>;
}

/**
 * Opens models under a name each.
 *
 * @param words    as on the command line
 * @param names    one each; default: a run's mixture, or its id where several have the same; a folder's own; else the word
 * @param workspace  tokens of prompt that there is room for
 * @throws {SpecError} names that are not one each, a model that cannot be opened
 */
export async function openLocalModels(
  words: readonly string[],
  { names, contextLen }: { names?: readonly string[] | undefined; contextLen?: number | undefined },
  workspace: Workspace,
): Promise<LocalModels> {
  const folders: OpenFolders = new Map();
  const opened: OpenedModel[] = [];
  for (const word of words) opened.push(await openModelFiles(await modelRef(word, workspace), workspace, folders));
  const shared = new Map<string, Shared>();
  const models: LocalModel[] = [];
  const close = async () => {
    for (const { network, scoring } of shared.values()) {
      await network.release();
      await (await scoring)?.release();
    }
  };
  try {
    const known = servedNames(opened, names);
    for (const [i, model] of opened.entries()) {
      models.push(await localModel(known[i]!, model, opened, contextLen, shared));
      if (model.template.mergedIn([{ role: "system", content: "Be brief." }, ...asked("Why?")]) !== null)
        workspace.note(`${known[i]}: its chat template takes no system turn; system text stands in the user's turn.`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { models, close };
}

interface Shared {
  network: CachedNetwork;
  scoring: Promise<Network> | undefined;
}

async function localModel(
  name: string,
  own: OpenedModel,
  all: readonly OpenedModel[],
  contextLen: number | undefined,
  shared: Map<string, Shared>,
): Promise<LocalModel> {
  const { model, tokenizer, template } = own;
  // a base beside adapters of it is the adapter that adds nothing: one copy of its weights serves both
  const { tuning, threads } =
    own.spec === undefined
      ? (all.find((other) => other.model.digest === model.digest && other.tuning.method === "lora") ?? own)
      : own;
  const length = contextLen ?? Math.max(CONTEXT, own.spec?.train.cutoff_len ?? 0);
  const options = { threads, maxPositions: maxPositions(model.config, length) };
  const shape = tuning.method === "lora" ? tuning.lora : {};
  const key = JSON.stringify([model.digest, tuning.method, shape, options]);
  const common = shared.get(key) ?? {
    network: await CachedNetwork.create(model.config, tuning, options),
    scoring: undefined,
  };
  shared.set(key, common);
  return {
    name,
    digest: answersDigest(own),
    tokenizer,
    template,
    network: common.network,
    parameters: parametersOf({ ...own, tuning }, common.network.layout),
    scoring: () => {
      common.scoring ??= Network.create("score", model.config, tuning, options);
      return common.scoring;
    },
  };
}

function answersDigest({ ref, spec, model, tokenizer, template }: OpenedModel): string {
  const run = spec && [basename(ref.dir), basename(weightsOf(ref, spec))];
  return digestOf([model.digest, tokenizer.digest, template.digest, run ?? null]);
}

function servedNames(opened: readonly OpenedModel[], asked: readonly string[] | undefined): string[] {
  const own = opened.map(({ ref, spec }) => (ref.kind === "run" ? spec!.mixture.name : ref.name));
  const isAlone = (name: string) => own.filter((other) => other === name).length === 1;
  const names =
    asked ?? opened.map(({ ref }, i) => (ref.kind === "run" && !isAlone(own[i]!) ? basename(ref.dir) : own[i]!));
  if (names.length === opened.length && new Set(names).size === names.length && !names.includes("")) return [...names];
  throw new SpecError({
    place: "options.names",
    expected: `${opened.length} different names, one for each model`,
    got: names.join(","),
    remedy: "Give them with commas, in the order of the models.",
  });
}
