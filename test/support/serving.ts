/** @file The shipped model and an adapter of it with values from chance, behind a server that listens on the loopback interface. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { Rng } from "../../src/base/rng.ts";
import { openTemplate } from "../../src/data/tokens/chat-template.ts";
import { openTokenizer } from "../../src/data/tokens/tokenizers.ts";
import type { LocalModel } from "../../src/eval/local-model.ts";
import { type AppOptions, serveApp } from "../../src/eval/serve/app.ts";
import { type Listening, listen } from "../../src/eval/serve/listen.ts";
import { GenerationQueue, type QueueOptions } from "../../src/eval/serve/queue.ts";
import { CachedNetwork } from "../../src/models/cached-network.ts";
import { Network, type Tuning } from "../../src/models/network.ts";
import { openModelFolder, rawWeights } from "../../src/models/weights.ts";

const TINY = fileURLToPath(new URL("../../assets/tiny", import.meta.url));
/** Tokens that the models read. */
export const CONTEXT = 512;

/** `base` (an adapter of zeros) and `tuned`. */
export interface TwoModels {
  base: LocalModel;
  tuned: LocalModel;
  close(): Promise<void>;
}

export async function twoModels(folder = TINY): Promise<TwoModels> {
  const cache = mkdtempSync(join(tmpdir(), "mixtune-serving-"));
  const model = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  const lora = { lora_rank: 4, lora_alpha: 8, lora_target: "all" } as const;
  const tuning: Tuning = { method: "lora", lora, frozen: rawWeights(model, cache) };
  const options = { threads: 1, maxPositions: CONTEXT };
  const network = await CachedNetwork.create(model.config, tuning, options);
  let scoring: Promise<Network> | undefined;
  const common = {
    tokenizer,
    template: openTemplate(folder, tokenizer),
    network,
    scoring: () => {
      scoring ??= Network.create("score", model.config, tuning, options);
      return scoring;
    },
  };
  const rng = new Rng("serving");
  const { size } = network.layout;
  return {
    base: { name: "base", digest: "of base", parameters: new Float32Array(size), ...common },
    tuned: {
      name: "org/tuned",
      digest: "of tuned",
      parameters: Float32Array.from({ length: size }, () => 0.2 * rng.normal()),
      ...common,
    },
    close: async () => {
      await network.release();
      await (await scoring)?.release();
      rmSync(cache, { recursive: true });
    },
  };
}

export interface Served extends Listening {
  queue: GenerationQueue;
  /** Address without the /v1. */
  origin: string;
  client: OpenAI;
  /** What went wrong in the server. */
  faults: unknown[];
}

/** Serves models on a free port. */
export async function served(
  models: readonly LocalModel[],
  options: Partial<AppOptions & QueueOptions> = {},
): Promise<Served> {
  const faults: unknown[] = [];
  const chance = new Rng("chance");
  const now = () => performance.timeOrigin + performance.now();
  const queue = new GenerationQueue({ maxWaiting: 64, now, ...options });
  const host = "127.0.0.1";
  const app = serveApp(models, queue, {
    host,
    machine: "a-machine",
    now,
    chance: () => chance.int(2 ** 32),
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const listening = await listen(app, queue, host, 0);
  const origin = `http://${host}:${listening.port}`;
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: options.apiKey ?? "none", maxRetries: 0 });
  return { ...listening, queue, origin, client, faults };
}
