import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type PackOptions, packExamples } from "../data/packing.ts";
import { liveSessions, Session } from "../engine/runtime/session.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { packBindings } from "../models/decoder.ts";
import { Network, networkGraph, packFeeds, type Tuning, tunedLayout } from "../models/network.ts";
import { parameterViews } from "../models/parameters.ts";
import { openModelFolder, rawWeights, readParameters } from "../models/weights.ts";
import { AdamW, newAdamState } from "../optim/adamw.ts";
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
}

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
  const lora: Tuning = {
    method: "lora",
    lora: { lora_rank: r, lora_alpha, lora_target: "all" },
    frozen: rawWeights(model, cache),
  };
  const tunings = { full: { method: "full" } as Tuning, lora };
  const initial = (method: "full" | "lora") => {
    const layout = tunedLayout(model.config, tunings[method]);
    const parameters = new Float32Array(layout.size);
    if (method === "full") readParameters(model, layout, parameters);
    else
      for (const [tensor, view] of Object.entries(parameterViews(layout, parameters)))
        tensors.readInto(`lora.init.${tensor}`, view);
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

/** Largest difference over the norm of the expected tensor, so that near-zero elements do not decide. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const norm = Math.hypot(...expected);
  return Math.hypot(...actual.map((value, i) => value - expected[i]!)) / norm;
}

describe.each(["llama", "llama3"])("%s equals transformers and PEFT", (name) => {
  const { model, expected, tensors, batch, tunings, initial } = openCase(name);
  const goldenLoss = { full: expected.loss, lora: expected.lora_loss };
  const goldenGradient = { full: "full.", lora: "lora.grad." };

  test.each(["full", "lora"] as const)("logits, %s", async (method) => {
    const graph = networkGraph(model.config, tunings[method], 64, false);
    graph.output("logits", graph.nodes.find((node) => node.op === "logSoftmax")!.inputs[0]!);
    const session = await Session.create(graph, { threads: 1, weightFolder: cache });
    const { layout, parameters } = initial(method);
    const wanted = tensors.readFloat32(method === "full" ? "logits" : "lora.logits");
    for (const options of Object.values(LAYOUTS)) {
      const firstRow = new Map<number, number>();
      for (const pack of packExamples(
        batch.map(({ tokens }) => tokens),
        options,
      )) {
        const outputs = await session.run(
          { ...packFeeds(pack), ...parameterViews(layout, parameters) },
          packBindings(model.config, pack),
        );
        const V = model.config.vocab_size;
        pack.example.forEach((example, r) => {
          const earlier = batch.slice(0, example).reduce((sum, { tokens }) => sum + tokens.answer.length, 0);
          const seen = firstRow.get(example) ?? 0;
          firstRow.set(example, seen + 1);
          for (let v = 0; v < V; v++) {
            expect(Math.abs(outputs.logits![r * V + v]! - wanted[(earlier + seen) * V + v]!)).toBeLessThan(1e-4);
          }
        });
      }
    }
    await session.release();
  });

  test.each(["full", "lora"] as const)("loss and every gradient in every layout, %s", async (method) => {
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
        expect(relativeError(view, wanted), `${title}: ${tensor}`).toBeLessThan(1e-3);
      }
    }
    await network.release();
    await optimizer.release();
  });

  test.each(["full", "lora"] as const)("ten AdamW steps, %s", async (method) => {
    const network = await Network.create("train", model.config, tunings[method], { threads: 1, maxPositions: 64 });
    const optimizer = await AdamW.create(adam(expected), { threads: 1 });
    const { layout, parameters } = initial(method);
    const state = { ...newAdamState(layout.size, layout.decaySize), parameters };
    const [total, part] = [new Float32Array(layout.size), new Float32Array(layout.size)];
    const buffers = { total, part, accumulate: optimizer.accumulate.bind(optimizer) };
    const rate = expected.settings[method === "full" ? "full_rate" : "lora_rate"];
    for (let step = 0; step < 10; step++) {
      const { loss } = await batchGradient(
        network,
        parameters,
        batch,
        "token",
        LAYOUTS["shared prefixes in small packs"]!,
        buffers,
      );
      const norm = await optimizer.norm(total);
      expect(Math.abs(loss - expected[`${method}_losses`][step]!), `loss of step ${step}`).toBeLessThan(1e-4);
      expect(Math.abs(norm / expected[`${method}_norms`][step]! - 1), `norm of step ${step}`).toBeLessThan(1e-3);
      await optimizer.step(state, total, step + 1, rate, norm);
    }
    await network.release();
    await optimizer.release();
  });
});

function adam({ settings }: Expected) {
  const { weight_decay, max_grad_norm } = settings;
  return { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay, max_grad_norm };
}
