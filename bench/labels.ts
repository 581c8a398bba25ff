/**
 * @file How fast a task with very many labels is scored: 1,200 labels of one to four words out of 77, a word one to three tokens, under mixtune/tiny's
 * shape. Prints one JSON line.
 */

import { Rng } from "../src/base/rng.ts";
import { packLabels } from "../src/data/batches/packing.ts";
import { scoreLabels } from "../src/eval/score.ts";
import { Network } from "../src/models/network.ts";
import { fpbLikeExamples, randomWeights, SHAPES } from "./workloads.ts";

const NUM_LABELS = 1200;
const NUM_WORDS = 77;
const NUM_PROMPTS = 8;
const ROUNDS = 5;

const config = SHAPES.tiny;
const rng = new Rng("labels");
const drawn = (least: number, most: number) => least + rng.int(most - least + 1);
const words = Array.from({ length: NUM_WORDS }, () =>
  Array.from({ length: drawn(1, 3) }, () => drawn(2, config.vocab_size - 1)),
);
const texts = new Map<string, number[]>();
while (texts.size < NUM_LABELS) {
  const label = Array.from({ length: drawn(1, 4) }, () => words[rng.int(NUM_WORDS)]!).flat();
  texts.set(label.join(), [...label, 0]);
}
const labels = [...texts.values()].map((ids) => Int32Array.from(ids));
const prompts = fpbLikeExamples(NUM_PROMPTS, config.vocab_size);
const tuning = { method: "frozen", frozen: randomWeights("tiny") } as const;
const network = await Network.create("score", config, tuning, { threads: 2, maxPositions: 1024 });
const nothing = new Float32Array(0);

const seconds: number[] = [];
let sum = 0;
for (let round = 0; round <= ROUNDS; round++) {
  const began = performance.now();
  const scores = await scoreLabels(network, nothing, prompts, labels);
  sum = scores.reduce((all, row) => row.reduce((part, score) => part + score, all), 0);
  if (round > 0) seconds.push((performance.now() - began) / 1000 / NUM_PROMPTS); // the first warms up
}
await network.release();
seconds.sort((a, b) => a - b);
const packs = packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 2048 });
const rounded = (value: number) => Math.round(1000 * value) / 1000;
const result = {
  labels: NUM_LABELS,
  labelTokens: labels.reduce((all, { length }) => all + length, 0),
  tokensPerPrompt: rounded(packs.reduce((all, { ids }) => all + ids.length, 0) / NUM_PROMPTS),
  medianSecondsPerPrompt: rounded(seconds[Math.floor(seconds.length / 2)]!),
  bestSecondsPerPrompt: rounded(seconds[0]!),
  peakMemoryGb: rounded(process.resourceUsage().maxRSS / 1e6),
  meanLogProbability: rounded(sum / NUM_PROMPTS / NUM_LABELS),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
