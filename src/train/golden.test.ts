import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { forEachLabel, type PackOptions, packExamples, packLabels } from "../data/batches/packing.ts";
import { liveSessions, Session } from "../engine/runtime/session.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { packBindings } from "../models/decoder.ts";
import { initMagnitudes, loraOf } from "../models/lora.ts";
import { Network, networkGraph, packFeeds, type Tuning, tunedLayout } from "../models/network.ts";
import { type ParameterLayout, parameterViews } from "../models/parameters.ts";
import { openModelFolder, rawWeights, readParameters } from "../models/weights.ts";
import { type AdamState, AdamW, newAdamState } from "../optim/adamw.ts";
import { resolveTrain } from "../specs/train.ts";
import type { TrainSpec } from "../specs/types.ts";
import { checkpointWriter, readState } from "./checkpoint.ts";
import { type BatchExample, batchGradient } from "./step.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/models");
const cache = mkdtempSync(join(tmpdir(), "mixtune-golden-"));
afterAll(() => {
  rmSync(cache, { recursive: true });
  expect(liveSessions()).toBe(0);
});

interface Expected {
  settings: {
    full_rate: number;
    lora_rate: number;
    weight_decay: number;
    max_grad_norm: number;
    r: number;
    lora_alpha: number;
  };
  examples: { prompt: number[]; answer: number[] }[];
  loss: number;
  full_losses: number[];
  full_norms: number[];
  lora_loss: number;
  lora_losses: number[];
  lora_norms: number[];
  dora_loss: number;
  dora_losses: number[];
  dora_norms: number[];
}

const METHODS = ["full", "lora", "dora"] as const;
type Method = (typeof METHODS)[number];
const TRAIN: Record<Method, TrainSpec> = {
  full: resolveTrain({ method: "full" }),
  lora: resolveTrain({ method: "lora" }),
  dora: resolveTrain({ method: "lora", use_dora: true }),
};

function openCase(name: string) {
  const folder = join(GOLDEN, name);
  const model = openModelFolder(join(folder, "model"));
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
  const tensors = openSafetensors(join(folder, "expected.safetensors"));
  const batch: BatchExample[] = expected.examples.map(({ prompt, answer }, i) => ({
    task: "golden",
    tokens: { id: `golden#${i}`, prompt: Int32Array.from(prompt), answer: Int32Array.from(answer) },
  }));
  const { r, lora_alpha } = expected.settings;
  const adapter = (method: "lora" | "dora"): Tuning => ({
    method: "lora",
    lora: { ...loraOf(TRAIN[method]), lora_rank: r, lora_alpha },
    frozen: rawWeights(model, cache),
  });
  const tunings: Record<Method, Tuning> = { full: { method: "full" }, lora: adapter("lora"), dora: adapter("dora") };
  const initial = (method: Method) => {
    const layout = tunedLayout(model.config, tunings[method]);
    const parameters = new Float32Array(layout.size);
    if (method === "full") readParameters(model, layout, parameters);
    else
      for (const [tensor, view] of Object.entries(parameterViews(layout, parameters)))
        tensors.readInto(`${method}.init.${tensor}`, view);
    return { layout, parameters };
  };
  return { model, expected, tensors, batch, tunings, initial };
}

/** Layouts that must all give what PyTorch gives for each example alone. */
const LAYOUTS: Record<string, PackOptions> = {
  "shared prefixes": { packing: "isolated", sharePrefix: true, maxTokens: 1024, lossOn: "answer" },
  "shared prefixes in small packs": { packing: "isolated", sharePrefix: true, maxTokens: 24, lossOn: "answer" },
  "several examples a row": { packing: "isolated", sharePrefix: false, maxTokens: 1024, lossOn: "answer" },
  "one example a row": { packing: "none", sharePrefix: false, maxTokens: 1024, lossOn: "answer" },
  "one example a pack": { packing: "none", sharePrefix: false, maxTokens: 1, lossOn: "answer" },
};

/** Of a gradient's norm, where both engines have the same parameters, and later in a training, where rounding has grown. */
const FIRST_NORM = 1e-5;
const LATER_NORM = { full: 2e-5, lora: 4e-4, dora: 1e-3 };

/** Largest difference over the norm of the expected tensor, so that near-zero elements do not decide. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const norm = Math.hypot(...expected);
  return Math.hypot(...actual.map((value, i) => value - expected[i]!)) / norm;
}

/** A case a family at least; its name begins with the family's. */
const CASES = ["llama", "llama3", "mistral", "qwen2", "qwen3", "phi3", "phi3-long", "gemma2"];

describe.each(CASES)("%s equals transformers and PEFT", (name) => {
  const { model, expected, tensors, batch, tunings, initial } = openCase(name);
  const goldenLoss = { full: expected.loss, lora: expected.lora_loss, dora: expected.dora_loss };
  const goldenGradient = { full: "full.", lora: "lora.grad.", dora: "dora.grad." };

  test.for(METHODS)("logits, %s", async (method, { annotate }) => {
    let worst = 0;
    const graph = networkGraph(model.config, tunings[method], 64, false);
    graph.output("logits", graph.nodes.find((node) => node.op === "logSoftmax")!.inputs[0]!);
    const session = await Session.create(graph, { threads: 1, weightFolder: cache });
    const { layout, parameters } = initial(method);
    const wanted = tensors.readFloat32(method === "full" ? "logits" : `${method}.logits`);
    for (const options of Object.values(LAYOUTS)) {
      const firstRow = new Map<number, number>();
      for (const pack of packExamples(
        batch.map(({ tokens }) => tokens),
        options,
      )) {
        const outputs = await session.run(
          { ...packFeeds(pack, model.config.sliding_window), ...parameterViews(layout, parameters) },
          packBindings(model.config, pack),
        );
        const V = model.config.vocab_size;
        pack.example.forEach((example, r) => {
          const earlier = batch.slice(0, example).reduce((sum, { tokens }) => sum + tokens.answer.length, 0);
          const seen = firstRow.get(example) ?? 0;
          firstRow.set(example, seen + 1);
          for (let v = 0; v < V; v++) {
            worst = Math.max(worst, Math.abs(outputs.logits![r * V + v]! - wanted[(earlier + seen) * V + v]!));
          }
        });
      }
    }
    await session.release();
    await annotate(`largest difference of a logit ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(1e-4);
  });

  test.for(METHODS)("loss and every gradient in every layout, %s", async (method, { annotate }) => {
    let worst = 0;
    const network = await Network.create("train", model.config, tunings[method], { threads: 1, maxPositions: 64 });
    const optimizer = await AdamW.create(adam(expected), { threads: 1 });
    const { layout, parameters } = initial(method);
    for (const [title, options] of Object.entries(LAYOUTS)) {
      const [total, part] = [new Float32Array(layout.size), new Float32Array(layout.size)];
      const buffers = { total, part, accumulate: optimizer.accumulate.bind(optimizer) };
      const result = await batchGradient(network, parameters, batch, "token", options, buffers);
      expect(Math.abs(result.loss - goldenLoss[method]), title).toBeLessThan(1e-5);
      for (const [tensor, view] of Object.entries(parameterViews(layout, total))) {
        const wanted = tensors.readFloat32(`${goldenGradient[method]}${tensor}`);
        const error = relativeError(view, wanted);
        expect(error, `${title}: ${tensor}`).toBeLessThan(1e-3);
        worst = Math.max(worst, error);
      }
    }
    await network.release();
    await optimizer.release();
    await annotate(`largest relative difference of a gradient ${worst.toExponential(1)}`);
  });

  test.for(METHODS)("ten AdamW steps, a checkpoint written and read between them, %s", async (method, { annotate }) => {
    let worst = 0;
    const network = await Network.create("train", model.config, tunings[method], { threads: 1, maxPositions: 64 });
    const optimizer = await AdamW.create(adam(expected), { threads: 1 });
    const { layout, parameters } = initial(method);
    let state: AdamState = { ...newAdamState(layout.size, layout.decaySize), parameters };
    const [total, part] = [new Float32Array(layout.size), new Float32Array(layout.size)];
    const buffers = { total, part, accumulate: optimizer.accumulate.bind(optimizer) };
    const rate = expected.settings[method === "full" ? "full_rate" : "lora_rate"];
    for (let step = 0; step < 10; step++) {
      if (step === 5) state = throughCheckpoint(`${name}-${method}`, layout, state, TRAIN[method]);
      const { loss } = await batchGradient(
        network,
        state.parameters,
        batch,
        "token",
        LAYOUTS["shared prefixes in small packs"]!,
        buffers,
      );
      const norm = optimizer.norm(total);
      expect(Math.abs(loss - expected[`${method}_losses`][step]!), `loss of step ${step}`).toBeLessThan(1e-4);
      expect(Math.abs(norm / expected[`${method}_norms`][step]! - 1), `norm of step ${step}`).toBeLessThan(
        step === 0 ? FIRST_NORM : LATER_NORM[method],
      );
      worst = Math.max(worst, Math.abs(loss - expected[`${method}_losses`][step]!));
      await optimizer.step(state, total, step + 1, rate, norm);
    }
    await network.release();
    await optimizer.release();
    await annotate(`largest difference of a step's loss ${worst.toExponential(1)}`);
  });

  test("first magnitudes are PEFT's, and with them and B zero the model's answers are its own", async () => {
    const { layout, parameters } = initial("dora");
    const views = parameterViews(layout, parameters.fill(0));
    initMagnitudes(model, layout, parameters);
    const magnitudes = Object.entries(views).filter(([tensor]) => tensor.endsWith(".lora_magnitude_vector"));
    expect(magnitudes.length).toBeGreaterThan(0);
    for (const [tensor, view] of magnitudes)
      expect(relativeError(view, tensors.readFloat32(`dora.first.${tensor}`)), tensor).toBeLessThan(1e-6);
    const packs = packExamples(
      batch.map(({ tokens }) => tokens),
      LAYOUTS["shared prefixes"]!,
    );
    const nllOf = async (tuning: Tuning) => {
      const network = await Network.create("score", model.config, tuning, { threads: 1, maxPositions: 64 });
      const nll = await network.nll(packs[0]!, tuning.method === "lora" ? parameters : new Float32Array(0));
      await network.release();
      return nll;
    };
    const frozen = await nllOf({ method: "frozen", frozen: rawWeights(model, cache) });
    expect(relativeError(await nllOf(tunings.dora), frozen)).toBeLessThan(1e-6);
  });

  test("labels scored side by side are those scored alone", async () => {
    const tuning: Tuning = { method: "frozen", frozen: rawWeights(model, cache) };
    const network = await Network.create("score", model.config, tuning, { threads: 1, maxPositions: 64 });
    const labels = [[3], [4, 5, 6], [7, 3]].map((ids) => Int32Array.from([...ids, 0]));
    const prompts = batch.map(({ tokens }) => tokens);
    const together = new Map<string, number>();
    for (const pack of packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 64 })) {
      const nll = await network.nll(pack, new Float32Array(0));
      forEachLabel(pack, nll, (example, label, sum) => together.set(`${example}/${label}`, sum));
    }
    expect(together.size).toBe(prompts.length * labels.length);
    for (const [e, { id, prompt }] of prompts.entries()) {
      for (const [l, answer] of labels.entries()) {
        const [pack] = packExamples([{ id, prompt, answer }], LAYOUTS["one example a row"]!);
        const alone = (await network.nll(pack!, new Float32Array(0))).reduce((sum, value) => sum + value, 0);
        expect(together.get(`${e}/${l}`)).toBeCloseTo(alone, 4);
      }
    }
    await network.release();
  });
});

/** A state that was written as a checkpoint's files and read from them again. */
function throughCheckpoint(name: string, layout: ParameterLayout, state: AdamState, train: TrainSpec): AdamState {
  const folder = join(cache, name);
  mkdirSync(folder);
  checkpointWriter(layout, state, { train, baseModel: name, configText: "{}" })(folder);
  if (train.method === "lora") {
    const config = JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"));
    expect(config.use_dora).toBe(train.use_dora === true);
  }
  const read = newAdamState(layout.size, layout.decaySize);
  readState(folder, train, layout, read);
  return read;
}

function adam({ settings }: Expected) {
  const { weight_decay, max_grad_norm } = settings;
  return { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay, max_grad_norm };
}
