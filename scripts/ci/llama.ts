/**
 * @file Exported GGUFs in llama.cpp, by way of node-llama-cpp, against the models in our own engine: token ids of texts, logits behind prompts,
 * greedy tokens, choices of labels.
 *
 *     node --import ./test/support/run-typescript.js scripts/ci/llama.ts MODEL FILE.gguf [MODEL FILE.gguf ...]
 *
 * MIXTUNE_LLAMA names a folder in which `npm install --ignore-scripts node-llama-cpp` was run.
 */

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openLocalModels } from "../../src/app/models/served-models.ts";
import { taskNamed } from "../../src/app/tasks/named-task.ts";
import { openWorkspace } from "../../src/app/workspace.ts";
import { loadTask } from "../../src/data/load-task.ts";
import { tokenizeExample, tokenizeLabels } from "../../src/data/tokens/chat-template.ts";
import { turnsOf } from "../../src/data/tokens/turns.ts";
import { generate } from "../../src/eval/generate.ts";
import { likeliest, logProbability } from "../../src/eval/sampling.ts";
import { bestLabel, scoreLabels } from "../../src/eval/score.ts";

const TASKS = ["gen-sentiment", "gen-topic"];
const ROWS_A_TASK = 30;
const NEW_TOKENS = 12;
/** Largest difference of logits, in nats: Gemma's activation is read from a table of halves. */
const TOLERANCE = 1e-2;

/** Texts that tokenizers trip over; a prompt each. */
const TEXTS = [
  "Prices rose 12.5% to $1,234.56 in 2026; 3 of 4 analysts' notes said “hold”.",
  "  two blanks in front, two  inside\n\n and lines\n \n7 of them\t\tand tabs 5",
  "Zürich, São Paulo, Ærø, naïve café, Łódź – Ελλάδα, Москва, 東京、ソウル 서울 😀👍🏽",
  "don't can't we'll I'M they've HE'LL x's",
  "a_b-c/d\\e (f) [g] {h} <i> #j @k ^l &m *n ~o `p` |q| = + ? !",
  "CamelCaseWords ALLCAPS mixed123numbers45 6e-10 0x1F 1,2,3",
  "",
];

/** The little of node-llama-cpp that is used. */
interface Llama {
  loadModel(options: object): Promise<LlamaModel>;
}
interface LlamaModel {
  tokenize(text: string, specialTokens: boolean): number[];
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
  dispose(): Promise<void>;
}
type Wanted = [token: number, options: { generateNext: { logits: true } }];
interface LlamaSequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(tokens: (number | Wanted)[]): Promise<({ next: { logits: Map<number, number> } } | undefined)[]>;
}

async function openLlama(): Promise<Llama> {
  const folder = process.env.MIXTUNE_LLAMA;
  if (folder === undefined) throw new Error("MIXTUNE_LLAMA is not set to a folder with node-llama-cpp");
  const entry = createRequire(join(resolve(folder), "x.js")).resolve("node-llama-cpp");
  const { getLlama } = await import(pathToFileURL(entry).href);
  return getLlama({ gpu: false, build: "never", maxThreads: 1, logLevel: "error" });
}

async function openSequence(model: LlamaModel): Promise<LlamaSequence> {
  // keys and values as exact as ours: by default they are kept in half the bits
  const exact = { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32", flashAttention: false };
  const context = await model.createContext({ contextSize: 2048, batchSize: 2048, threads: 1, ...exact });
  return context.getSequence();
}

/** Logits [V] behind the tokens from `from` on. */
async function logitsOf(
  sequence: LlamaSequence,
  ids: ArrayLike<number>,
  from: number,
  V: number,
): Promise<Float32Array[]> {
  await sequence.clearHistory();
  const wanted = Array.from(ids, (id, i): number | Wanted =>
    i < from ? id : [id, { generateNext: { logits: true } }],
  );
  const results = await sequence.controlledEvaluate(wanted);
  return results.slice(from).map((result) => {
    const logits = new Float32Array(V).fill(Number.NaN);
    for (const [id, logit] of result!.next.logits) logits[id] = logit;
    return logits;
  });
}

/** Whether llama.cpp answers from a file as the engine does from the model; prints by how much they differ. */
async function isSameModel(llama: Llama, word: string, file: string): Promise<boolean> {
  const context = openWorkspace();
  const { models, close } = await openLocalModels([word], {}, context);
  const [own] = models as [(typeof models)[0]];
  const { tokenizer, template, network, parameters } = own;
  const { vocab_size: V } = network.config;
  const model = await llama.loadModel({ modelPath: resolve(file), gpuLayers: 0, defaultContextFlashAttention: false });
  const sequence = await openSequence(model);

  let [numTexts, otherIds] = [0, 0];
  const sameIds = (text: string, ids: ArrayLike<number>) => {
    numTexts++;
    const theirs = model.tokenize(text, true);
    if (theirs.join() === Array.from(ids).join()) return;
    otherIds++;
    console.log(
      `other ids for ${JSON.stringify(text)}:\n  ours   ${Array.from(ids).join(" ")}\n  theirs ${theirs.join(" ")}`,
    );
  };

  let [prompts, worst, largest, greedySame, labelsSame, labelWorst] = [0, 0, 0, 0, 0, 0];
  const asked = [];
  for (const name of TASKS) {
    const task = await loadTask(taskNamed(name, undefined), {});
    if (task.answer.kind !== "label") throw new Error(`${name} has no labels`);
    const labels = tokenizeLabels(task.answer.labels, template);
    const examples = task.splits.test.slice(0, ROWS_A_TASK);
    const tokens = examples.map((example) => tokenizeExample(example, task, tokenizer, template));
    examples.forEach((example, i) => {
      sameIds(template.render(turnsOf(example)), tokens[i]!.prompt.subarray(template.leadIds.length));
    });
    asked.push({ labels, tokens, scores: await scoreLabels(await own.scoring(), parameters, tokens, labels) });
  }
  for (const text of TEXTS) {
    const rendered = template.render([{ role: "user", content: text }]);
    sameIds(rendered, tokenizer.encode(rendered));
  }
  for (const { labels, tokens, scores } of asked) {
    const endIds = [template.endOfTurnId, tokenizer.eosId];
    const decode = (ids: ArrayLike<number>) => tokenizer.decode(ids);
    const written = await generate(network, parameters, tokens, { endIds, maxNewTokens: NEW_TOKENS, decode });
    for (const [i, { prompt }] of tokens.entries()) {
      prompts++;
      const [logits] = await network.readOn(network.newCache(1), network.newCache(1), 0, [prompt], parameters);
      const [theirs] = await logitsOf(sequence, prompt, prompt.length - 1, V);
      for (let id = 0; id < V; id++) {
        worst = Math.max(worst, Math.abs(logits![id]! - theirs![id]!));
        largest = Math.max(largest, Math.abs(logits![id]!));
      }
      const greedy: number[] = [];
      let next = theirs!;
      while (greedy.length < NEW_TOKENS) {
        greedy.push(likeliest(next, null));
        if (endIds.includes(greedy.at(-1)!) || greedy.length === NEW_TOKENS) break;
        const whole = [...prompt, ...greedy];
        [next] = (await logitsOf(sequence, whole, whole.length - 1, V)) as [Float32Array];
      }
      if (greedy.join() === Array.from(written[i]!.ids).join()) greedySame++;
      const theirScores = new Float64Array(labels.length);
      for (const [k, label] of labels.entries()) {
        const steps = await logitsOf(sequence, [...prompt, ...label.subarray(0, -1)], prompt.length - 1, V);
        for (const [t, id] of label.entries()) theirScores[k]! += logProbability(steps[t]!, id);
        labelWorst = Math.max(labelWorst, Math.abs(theirScores[k]! - scores[i]![k]!));
      }
      if (bestLabel(theirScores) === bestLabel(scores[i]!)) labelsSame++;
    }
  }
  await model.dispose();
  await close();
  console.log(
    `llama: ${own.name}: ids of ${numTexts - otherIds} of ${numTexts} texts; ${prompts} prompts: largest difference of logits ${worst.toExponential(1)} ` +
      `(largest logit ${largest.toFixed(1)}), of labels' log-probabilities ${labelWorst.toExponential(1)}; ` +
      `same greedy tokens ${greedySame}, same label ${labelsSame}`,
  );
  const isSame =
    prompts > 0 && otherIds === 0 && greedySame === prompts && labelsSame === prompts && worst <= TOLERANCE;
  return isSame;
}

const llama = await openLlama();
const args = process.argv.slice(2);
let areSame = args.length > 0;
for (let i = 0; i < args.length; i += 2) areSame = (await isSameModel(llama, args[i]!, args[i + 1]!)) && areSame;
process.exit(areSame ? 0 : 1);
