/** @file What jobs of one thread have in common, made once and kept: opened models, tokenised tasks, networks. */

import { join } from "node:path";
import { type LoadSettings, loadTask } from "../data/load-task.ts";
import { withShuffledAnswers } from "../data/shuffled-answers.ts";
import { openTemplate, type PromptTemplate } from "../data/tokens/chat-template.ts";
import { drawShots, SHOT_SEED, withShots } from "../data/tokens/few-shot.ts";
import { type PreparedTask, prepareTask } from "../data/tokens/prepare.ts";
import type { TokenCache } from "../data/tokens/token-cache.ts";
import { openTokenizer, type Tokenizer } from "../data/tokens/tokenizers.ts";
import { CachedNetwork } from "../models/cached-network.ts";
import { Network, type Tuning } from "../models/network.ts";
import { maxPositions } from "../models/tuning.ts";
import { type ModelFolder, openModelFolder } from "../models/weights.ts";
import type { TaskSpec, TrainSpec } from "../specs/types.ts";
import { withCap } from "../study/factors.ts";
import type { Job } from "../study/types.ts";

export interface SharedSettings {
  /** Where tokenised splits are kept; absent: nowhere. */
  tokenCache?: TokenCache | undefined;
}

/** A model folder with what its text needs. */
export interface OpenModel {
  model: ModelFolder;
  tokenizer: Tokenizer;
  template: PromptTemplate;
}

/** Which training rows of a task are used, and how. */
export interface TrainingRows {
  /** In place of the task's own; null: none; undefined: its own. */
  cap?: number | null | undefined;
  /** Deals its training answers out anew; undefined: they stay. */
  shuffleSeed?: number | undefined;
}

/** What a network is alive for: gradients, likelihoods, text. */
type Purpose = "train" | "score" | "write";

export class SharedParts {
  private readonly settings: SharedSettings;
  private readonly models = new Map<string, OpenModel>();
  private readonly tasks = new Map<string, Promise<PreparedTask>>();
  private readonly heldOut: NonNullable<LoadSettings["heldOut"]> = new Map();
  /** At most one network a purpose is alive: each may hold a rearranged copy of the weights. */
  private readonly networks = new Map<Purpose, { key: string; network: Network | CachedNetwork }>();

  constructor(settings: SharedSettings) {
    this.settings = settings;
  }

  model({ model_dir }: Job): OpenModel {
    const known = this.models.get(model_dir);
    if (known !== undefined) return known;
    const tokenizer = openTokenizer(model_dir);
    const opened = { model: openModelFolder(model_dir), tokenizer, template: openTemplate(model_dir, tokenizer) };
    this.models.set(model_dir, opened);
    return opened;
  }

  task(
    job: Job,
    name: string,
    lossOn: TrainSpec["loss_on"],
    { cap, shuffleSeed }: TrainingRows = {},
  ): Promise<PreparedTask> {
    const named = job.tasks.find((task) => task.name === name);
    if (named === undefined) throw new Error(`job ${job.id} names task ${name} but does not carry it`);
    const spec = withCap(named, cap);
    const key = JSON.stringify([
      job.model_dir,
      job.cutoff_len,
      job.few_shot,
      lossOn,
      job.data_root,
      job.hub_files,
      spec,
      shuffleSeed,
    ]);
    let task = this.tasks.get(key);
    if (task === undefined) {
      task = this.load(job, spec, lossOn, shuffleSeed);
      this.tasks.set(key, task);
    }
    return task;
  }

  private async load(
    job: Job,
    spec: TaskSpec,
    lossOn: TrainSpec["loss_on"],
    shuffleSeed: number | undefined,
  ): Promise<PreparedTask> {
    const { model, tokenizer, template } = this.model(job);
    const stored = await loadTask(spec, { dataRoot: job.data_root, hubFiles: job.hub_files, heldOut: this.heldOut });
    const loaded = shuffleSeed === undefined ? stored : withShuffledAnswers(stored, shuffleSeed);
    const task = job.few_shot === undefined ? loaded : withShots(loaded, drawShots(loaded, job.few_shot, SHOT_SEED));
    const positions = maxPositions(model.config, job.cutoff_len);
    const options = { cutoffLen: job.cutoff_len, positions, lossOn, onBadRow: spec.on_bad_row ?? "stop" };
    return prepareTask(task, tokenizer, template, options, this.settings.tokenCache);
  }

  network(purpose: "write", job: Job, tuning: Tuning): Promise<CachedNetwork>;
  network(purpose: "train" | "score", job: Job, tuning: Tuning): Promise<Network>;
  async network(purpose: Purpose, job: Job, tuning: Tuning): Promise<Network | CachedNetwork> {
    const { model } = this.model(job);
    const positions = maxPositions(model.config, job.cutoff_len);
    const shape = tuning.method === "lora" ? tuning.lora : {};
    const key = JSON.stringify([model.digest, tuning.method, shape, job.threads, positions]);
    const alive = this.networks.get(purpose);
    if (alive?.key === key) return alive.network;
    await this.releaseNetwork(purpose);
    const options = { threads: job.threads, maxPositions: positions };
    const network = await (purpose === "write"
      ? CachedNetwork.create(model.config, tuning, options)
      : Network.create(purpose, model.config, tuning, options));
    this.networks.set(purpose, { key, network });
    return network;
  }

  /** Gives back a network, with the packed weights and the buffers that its library holds. */
  async releaseNetwork(purpose: Purpose): Promise<void> {
    const alive = this.networks.get(purpose);
    this.networks.delete(purpose);
    await alive?.network.release();
  }

  async release(): Promise<void> {
    for (const purpose of [...this.networks.keys()]) await this.releaseNetwork(purpose);
  }
}

/** The cache of converted weights under a general cache folder. */
export function weightCache(folder: string): string {
  return join(folder, "weights");
}
