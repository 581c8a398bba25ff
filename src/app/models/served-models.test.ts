import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../base/rng.ts";
import { liveSessions } from "../../engine/runtime/session.ts";
import { tunedLayout } from "../../models/network.ts";
import { tuningOf } from "../../models/tuning.ts";
import { openModelFolder, readParameters } from "../../models/weights.ts";
import { newAdamState } from "../../optim/adamw.ts";
import { commitCheckpoint } from "../../runs/checkpoints.ts";
import { openRunDir, writeSpec, writeStatus } from "../../runs/run-dir.ts";
import { resolveTrain, type TrainBlock } from "../../specs/train.ts";
import { checkpointWriter } from "../../train/checkpoint.ts";
import { weightCache } from "../../workers/shared-parts.ts";
import { readSettings } from "../settings.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";
import { modelIdentity } from "./base-model.ts";
import { type LocalModels, openLocalModels } from "./served-models.ts";
import { modelFolder } from "./shipped-models.ts";

let folder: string;
let context: Workspace;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-local-models-"));
  const settings = readSettings({ MIXTUNE_CACHE: join(folder, "cache"), HF_HUB_OFFLINE: "1" });
  context = openWorkspace({ settings });
});
afterAll(() => rmSync(folder, { recursive: true }));

const TINY = modelFolder("mixtune/tiny");
const model = openModelFolder(TINY);

/** A finished run whose weights are from chance. @returns its directory and its weights */
function finishedRun(id: string, mixture: string, block: TrainBlock): { dir: string; weights: Float32Array } {
  const dir = openRunDir(join(folder, "runs", id));
  const train = resolveTrain({ max_steps: 1, ...block });
  writeSpec(dir, {
    format: 1,
    model: modelIdentity("mixtune/tiny", TINY, model.digest),
    mixture: { name: mixture, ingredients: {} },
    data: {},
    train,
    seed: 1,
    worker: { kind: "local", threads: 1 },
  });
  const layout = tunedLayout(model.config, tuningOf(train, model, weightCache(context.settings.cacheDir)));
  const state = newAdamState(layout.size, layout.decaySize);
  if (train.method === "full") readParameters(model, layout, state.parameters);
  const rng = new Rng(id);
  for (let i = 0; i < layout.size; i++) state.parameters[i]! += 0.01 * rng.normal();
  const texts = { train, baseModel: "mixtune/tiny", configText: model.configText };
  commitCheckpoint(dir, 1, checkpointWriter(layout, state, texts), { best: false });
  writeStatus(dir, { state: "done" });
  return { dir, weights: state.parameters };
}

/** note: toEqual takes a minute for millions of numbers */
const isSame = (a: Float32Array, b: Float32Array) => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

let opened: LocalModels | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
  expect(liveSessions()).toBe(0);
});
const open = async (words: string[], options: { names?: string[]; contextLen?: number } = {}) => {
  opened = await openLocalModels(words, options, context);
  return opened.models;
};

describe("models that are opened together", () => {
  test("share one network where they are adapters of one shape, with the base as one of zeros", async () => {
    const a = finishedRun("a", "one", { method: "lora", lora_rank: 4 });
    const b = finishedRun("b", "two", { method: "lora", lora_rank: 4, lora_alpha: 16 });
    const [base, first, second] = await open(["mixtune/tiny", a.dir, b.dir]);
    expect(liveSessions()).toBe(1);
    expect([base!.network, second!.network]).toEqual([first!.network, first!.network]);
    expect([base!.tokenizer, second!.tokenizer]).toEqual([first!.tokenizer, first!.tokenizer]);
    expect(base!.parameters.every((value) => value === 0)).toBe(true);
    expect(isSame(first!.parameters, a.weights)).toBe(true);
    expect(isSame(second!.parameters, b.weights)).toBe(true);
    expect(await first!.scoring()).toBe(await second!.scoring());
  });

  test("share one network of magnitudes, where the base has its own rows' lengths and answers as alone", async () => {
    const { dir } = finishedRun("m", "one", { method: "lora", lora_rank: 4, use_dora: true });
    const plain = finishedRun("n", "two", { method: "lora", lora_rank: 4 });
    const [alone] = await open(["mixtune/tiny"]);
    const read = async ({ network, parameters }: LocalModels["models"][number]) =>
      (
        await network.readOn(network.newCache(1), network.newCache(1), 0, [Int32Array.of(5, 6, 7)], parameters)
      )[0]!.slice();
    const wanted = await read(alone!);
    await opened!.close();
    const [base, adapted, other] = await open(["mixtune/tiny", dir, plain.dir]);
    expect([base!.network === adapted!.network, base!.network === other!.network]).toEqual([true, false]);
    const largest = (logits: Float32Array) => wanted.reduce((max, x, i) => Math.max(max, Math.abs(x - logits[i]!)), 0);
    expect(largest(await read(base!))).toBeLessThan(1e-4);
    expect(largest(await read(adapted!))).toBeGreaterThan(1e-2);
  });

  test("have networks of their own where they are not", async () => {
    const a = finishedRun("c", "one", { method: "lora", lora_rank: 4 });
    const b = finishedRun("d", "two", { method: "lora", lora_rank: 2 });
    const c = finishedRun("e", "three", { method: "full" });
    const models = await open([a.dir, b.dir, c.dir]);
    expect(new Set(models.map(({ network }) => network)).size).toBe(3);
    expect(isSame(models[2]!.parameters, c.weights)).toBe(true);
  });

  test("are named by mixture, by id where two have the same, by folder, or as is asked", async () => {
    const runs = ["f", "g", "h"].map((id, i) => finishedRun(id, i < 2 ? "same" : "other", { method: "lora" }).dir);
    const names = async (words: string[], asked?: string[]) => {
      const models = await open(words, asked === undefined ? {} : { names: asked });
      await opened!.close();
      return models.map(({ name }) => name);
    };
    expect(await names(runs)).toEqual(["f", "g", "other"]);
    expect(await names(["mixtune/tiny"])).toEqual(["mixtune/tiny"]);
    expect(await names([TINY])).toEqual([basename(TINY)]);
    expect(await names(runs.slice(0, 2), ["x", "org/y"])).toEqual(["x", "org/y"]);
    for (const asked of [["x"], ["x", "x"], ["x", ""]])
      await expect(openLocalModels(runs.slice(0, 2), { names: asked }, context)).rejects.toThrow(/2 different names/);
    opened = undefined;
  });

  test("have room for prompts as is asked, or as the run was trained with", async () => {
    const { dir } = finishedRun("i", "one", { method: "lora", cutoff_len: 3000 });
    const roomOf = async (contextLen?: number) => {
      const [first] = await open([dir], contextLen === undefined ? {} : { contextLen });
      const { maxPositions } = first!.network;
      await opened!.close();
      return maxPositions;
    };
    expect([await roomOf(), await roomOf(100), await roomOf(100_000)]).toEqual([3256, 356, 4096]);
    opened = undefined;
  });
});
