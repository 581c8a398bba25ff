/**
 * @file Models of the hub. Config, tokenizer and the headers of the weights come first: they tell whether the model can be run here, and which
 * bytes its weights will be. The weights come when they are needed.
 */

import { CheckpointError, DataError, SpecError } from "../../base/errors.ts";
import { sha256OfFile } from "../../formats/files.ts";
import { headerLength, parseSafetensorsHeader, type TensorEntry } from "../../formats/safetensors.ts";
import { type Hub, recordOf } from "../../hub/hub.ts";
import { isRepoId } from "../../hub/names.ts";
import type { Snapshot } from "../../hub/types.ts";
import { checkTensors, modelDigest, readModelConfig, weightFileNames } from "../../models/weights.ts";
import type { LockedRepo } from "../../study/lock-file.ts";
import type { Workspace } from "../workspace.ts";
import { type BaseModel, modelIdentity, sizeOf } from "./base-model.ts";
import { fetchShown } from "./fetch-shown.ts";

const CONFIG = "config.json";
/** What a model has besides its weights; all but config.json and tokenizer.json may be missing. */
const SMALL_FILES = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
  "added_tokens.json",
  "model.safetensors.index.json",
];
/** The largest tokenizer known is a third of it. */
const MAX_SMALL_BYTES = 100_000_000;
/** Headers are shorter, but for models of very many tensors; a second request then brings the rest. */
const HEADER_GUESS_BYTES = 256 * 1024;

/**
 * Opens `org/name` or `org/name@revision`. Nothing large is fetched.
 * @param locked what an earlier call took under this name: without a revision in the name, its commit holds
 * @throws {SpecError} no such model, no access, one without safetensors
 * @throws {CheckpointError} a model_type or a feature that the engine has not, weights that disagree with the config
 */
export async function openHubModel(
  name: string,
  place: string,
  workspace: Workspace,
  locked?: LockedRepo,
): Promise<BaseModel> {
  const { hub } = workspace;
  const { id, revision } = parseName(name, place);
  const pinned = revision ?? locked?.revision;
  const snapshot = await hub.resolve({ kind: "model", id, ...(pinned === undefined ? {} : { revision: pinned }) });
  refuseOtherFormats(snapshot, name);
  const label = `${name}: config and tokenizer`;
  await fetchShown(workspace, label, snapshot, smallFiles(snapshot, [CONFIG]));
  const { folder } = snapshot;
  const { config, configText } = readModelConfig(folder);
  const small = smallFiles(snapshot, [CONFIG, ...SMALL_FILES]);
  await fetchShown(workspace, label, snapshot, small);
  const weights = weightFileNames(
    folder,
    snapshot.files.map(({ path }) => path),
  );
  const tensors = await readTensors(hub, snapshot, weights);
  checkTensors(name, config, tensors);
  // whether a head beside a tied embedding differs from it is known when the weights are there
  const size = sizeOf({ ...config, tie_word_embeddings: config.tie_word_embeddings && !tensors.has("lm_head.weight") });
  const used = [...small, ...weights];
  return {
    folder,
    identity: modelIdentity(name, folder, modelDigest(configText, await weightDigests(hub, snapshot, weights))),
    size,
    isThere: hub.has(snapshot, weights),
    fetchWeights: async () => {
      await fetchShown(workspace, name, snapshot, weights);
    },
    record: recordOf(snapshot, used),
  };
}

function parseName(name: string, place: string): { id: string; revision: string | undefined } {
  const [id = "", ...rest] = name.split("@");
  if (isRepoId(id)) return { id, revision: rest.length === 0 ? undefined : rest.join("@") };
  throw new SpecError({
    place,
    expected: "mixtune/tiny, a folder, or org/name[@revision] of the hub",
    got: name,
    remedy: "Write the name as it stands on the model's page, or ./ before a folder.",
  });
}

/** Pickles are code: they are not read, whoever wrote them. */
function refuseOtherFormats({ files }: Snapshot, name: string): void {
  const paths = files.map(({ path }) => path);
  if (paths.includes("model.safetensors") || paths.includes("model.safetensors.index.json")) return;
  const other = paths.filter((path) => /\.(bin|pt|pth|ckpt|gguf|h5|msgpack|onnx|safetensors)$/.test(path));
  throw new SpecError({
    place: name,
    expected: "model.safetensors, or model.safetensors.index.json with its shards",
    got: other.length === 0 ? `${paths.length} files without weights` : `weights as ${other.slice(0, 3).join(", ")}`,
    remedy:
      "Choose a revision or a copy of the model in safetensors, or write one with transformers: AutoModelForCausalLM.from_pretrained(…).save_pretrained(folder), and give that folder.",
  });
}

function smallFiles(snapshot: Snapshot, names: readonly string[]): string[] {
  return names.filter((name) => {
    const file = snapshot.files.find(({ path }) => path === name);
    if (file === undefined && name !== CONFIG) return false;
    if (file !== undefined && file.bytes <= MAX_SMALL_BYTES) return true;
    throw new DataError({
      place: `${snapshot.id}: ${name}`,
      expected: `a file of at most ${MAX_SMALL_BYTES} bytes`,
      got: file === undefined ? "none" : `${file.bytes} bytes`,
      remedy: "Choose another model: this repository does not hold one in Hugging Face's layout.",
    });
  });
}

/** All tensors, by range requests where the files are not there. */
async function readTensors(
  hub: Hub,
  snapshot: Snapshot,
  weights: readonly string[],
): Promise<Map<string, TensorEntry>> {
  const tensors = new Map<string, TensorEntry>();
  for (const path of weights) {
    for (const [name, entry] of await readHeader(hub, snapshot, path)) tensors.set(name, entry);
  }
  return tensors;
}

async function readHeader(hub: Hub, snapshot: Snapshot, path: string): Promise<Map<string, TensorEntry>> {
  const place = `${snapshot.id}: ${path}`;
  const fileBytes = snapshot.files.find((file) => file.path === path)?.bytes;
  if (fileBytes === undefined) {
    throw new CheckpointError({
      place: `${snapshot.id}: model.safetensors.index.json`,
      expected: "names of files of the repository",
      got: `${path}, which is not there`,
      remedy: "Choose another revision: this one is incomplete.",
    });
  }
  const start = await hub.range(snapshot, path, 0, HEADER_GUESS_BYTES);
  const length = headerLength(start, fileBytes, place);
  const header =
    8 + length <= start.length ? start.subarray(8, 8 + length) : await hub.range(snapshot, path, 8, 8 + length);
  return parseSafetensorsHeader(header.toString("utf8"), length, fileBytes, place).tensors;
}

/** SHA-256 of each file of weights; the list of files has it of all but small ones, which are fetched. */
async function weightDigests(hub: Hub, snapshot: Snapshot, weights: readonly string[]): Promise<string[]> {
  const digests: string[] = [];
  for (const path of weights) {
    const { digest } = snapshot.files.find((file) => file.path === path)!;
    digests.push(digest.length === 64 ? digest : sha256OfFile((await hub.fetch(snapshot, [path]))[0]!));
  }
  return digests;
}
