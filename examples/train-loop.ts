/**
 * @file Fine-tuning in one page, without the trainer, the run directory or a study: what every other line of this project is for.
 * Text becomes tokens, tokens become a pack, the network gives a loss and its gradient, AdamW takes a step; then the labels are scored.
 */

import { join } from "node:path";
import {
  AdamW,
  bestLabel,
  initLora,
  Network,
  newAdamState,
  openModelFolder,
  openTemplate,
  openTokenizer,
  packExamples,
  parameterViews,
  Rng,
  rawWeights,
  scoreLabels,
  type Tuning,
  tokenizeExample,
  tokenizeLabels,
} from "../src/train.ts";

const MODEL = join(import.meta.dirname, "..", "assets", "tiny");
const LABELS = ["up", "down"];
const ROWS = [
  ["Shares of the miner climbed after record sales.", "up"],
  ["The bank's profit fell short and its shares dropped.", "down"],
  ["Strong demand lifted the carmaker's outlook.", "up"],
  ["A weak quarter sent the retailer lower.", "down"],
] as const;

/**
 * Trains a rank-8 adapter on four sentences until it knows them by heart.
 *
 * @param cacheFolder  where the float32 copy of the weights is kept, to be mapped
 * @returns            loss of each step in nats per token, and the label that the tuned model gives each sentence
 */
export async function trainLoop(cacheFolder: string, numSteps = 30): Promise<{ losses: number[]; answers: string[] }> {
  // Text to tokens.
  const tokenizer = openTokenizer(MODEL);
  const template = openTemplate(MODEL, tokenizer);
  const examples = ROWS.map(([text, answer], i) => {
    const prompt = `Did the price go up or down?\n${text}`;
    return tokenizeExample(
      { id: `train#${i}`, prompt, answer, group: `${i}` },
      { kind: "label", field: "direction", labels: LABELS },
      tokenizer,
      template,
    );
  });

  // A model with an adapter: graph, gradients and session.
  const model = openModelFolder(MODEL);
  const lora = { lora_rank: 8, lora_alpha: 16, lora_target: "all" } as const;
  const tuning: Tuning = { method: "lora", lora, frozen: rawWeights(model, cacheFolder) };
  const options = { threads: 1, maxPositions: 128 };
  const network = await Network.create("train", model.config, tuning, options);
  const optimizer = await AdamW.create(
    { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 },
    options,
  );
  const state = newAdamState(network.layout.size, network.layout.decaySize);
  const views = parameterViews(network.layout, state.parameters);
  const rng = new Rng(1);
  for (const parameter of network.layout.parameters) initLora(parameter, views[parameter.name]!, rng);

  // The loop: all four sentences fit one pack, their shared beginning encoded once.
  const [pack] = packExamples(examples, { packing: "isolated", sharePrefix: true, maxTokens: 512, lossOn: "answer" });
  const weights = new Float32Array(pack!.targets.length).fill(1 / pack!.targets.length);
  const gradient = new Float32Array(network.layout.size);
  const losses: number[] = [];
  for (let step = 1; step <= numSteps; step++) {
    const nll = await network.lossAndGradients(pack!, weights, state.parameters, gradient);
    losses.push(nll.reduce((sum, value) => sum + value, 0) / nll.length);
    await optimizer.step(state, gradient, step, 5e-3, await optimizer.norm(gradient));
  }

  // What does it answer now?
  const scorer = await Network.create("score", model.config, tuning, options);
  const labels = tokenizeLabels(LABELS, template);
  const scores = await scoreLabels(scorer, state.parameters, examples, labels);
  await Promise.all([network.release(), optimizer.release(), scorer.release()]);
  return { losses, answers: scores.map((one) => LABELS[bestLabel(one)]!) };
}
