/** @file Fine-tuning in one page, without trainer, run directory or study: what every other line of this project is for. */

import * as mixtune from "mixtune/train";

const task = { answer: { kind: "label" as const, field: "direction", labels: ["up", "down"] } };
const rows = [
  ["Shares of the miner climbed after record sales.", "up"],
  ["The bank's profit fell short and its shares dropped.", "down"],
] as const;
const folder = mixtune.modelFolder("mixtune/tiny");

// Text to tokens.
const tokenizer = mixtune.openTokenizer(folder);
const template = mixtune.openTemplate(folder, tokenizer);
const examples = rows.map(([text, answer], i) => {
  const example = { id: `train#${i}`, prompt: `Did the price go up or down?\n${text}`, answer, group: `${i}` };
  return mixtune.tokenizeExample(example, task, tokenizer, template);
});

// A model with an adapter: graph, gradients and session.
const model = mixtune.openModelFolder(folder);
const lora = { lora_rank: 8, lora_alpha: 16, lora_target: "all" } as const;
const tuning = { method: "lora", lora, frozen: mixtune.rawWeights(model, "cache") } as const;
const options = { threads: 1, maxPositions: 128 };
const network = await mixtune.Network.create("train", model.config, tuning, options);
const adam = { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
const optimizer = await mixtune.AdamW.create(adam, options);
const state = mixtune.newAdamState(network.layout.size, network.layout.decaySize);
mixtune.initAdapter(network.layout, state.parameters, new mixtune.Rng(1));

// The loop: both sentences fit one pack, their shared beginning encoded once.
const packing = { packing: "isolated", sharePrefix: true, maxTokens: 512, lossOn: "answer" } as const;
const [pack] = mixtune.packExamples(examples, packing);
const weights = new Float32Array(pack!.targets.length).fill(1 / pack!.targets.length);
const gradient = new Float32Array(network.layout.size);
for (let step = 1; step <= 30; step++) {
  const nll = await network.lossAndGradients(pack!, weights, state.parameters, gradient);
  if (step % 10 === 0) console.log(`step ${step}: loss ${nll.reduce((sum, value) => sum + value, 0) / nll.length}`);
  await optimizer.step(state, gradient, step, 5e-3, optimizer.norm(gradient));
}
