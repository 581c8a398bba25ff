import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatGraph } from "../engine/graph/print.ts";
import { cachedGraph } from "./cached-network.ts";
import { networkGraph, type Tuning } from "./network.ts";
import { openModelFolder, rawOffsets, rawTensors } from "./weights.ts";

const { config } = openModelFolder(join(import.meta.dirname, "../../test/golden/models/llama/model"));
const oneLayer = { ...config, num_hidden_layers: 1 };
const frozen = { folder: "/w", file: "/w/w.f32", byteOffsets: rawOffsets(rawTensors(oneLayer)) };
const tunings: Record<string, Tuning> = {
  full: { method: "full" },
  lora: { method: "lora", lora: { lora_rank: 3, lora_alpha: 6, lora_target: "all" }, frozen },
  dora: { method: "lora", lora: { lora_rank: 3, lora_alpha: 6, lora_target: "all", use_dora: true }, frozen },
};

/** A refactor changes none of these files; a change of one is read line by line. */
describe("graphs as text", () => {
  test.each(Object.keys(tunings))("training graph of one layer, %s", async (name) => {
    const text = formatGraph(networkGraph(oneLayer, tunings[name]!, 16, true));
    await expect(text).toMatchFileSnapshot(`../../test/snapshots/llama-${name}.train.txt`);
  });

  test("graph that reads on, of one layer", async () => {
    const text = formatGraph(cachedGraph(oneLayer, tunings.lora!, 16));
    await expect(text).toMatchFileSnapshot("../../test/snapshots/llama-lora.read-on.txt");
  });
});

test.each(["lora", "dora"])("%s computes no gradient of the first block's input and none of frozen tensors", (name) => {
  const graph = networkGraph(oneLayer, tunings[name]!, 16, true);
  expect(
    [...graph.outputs.keys()].filter((name) => name.endsWith("_grad")).every((name) => name.includes(".lora_")),
  ).toBe(true);
  const toEmbedding = graph.nodes.filter(({ name }) => name.startsWith("gather_Grad"));
  expect(toEmbedding).toEqual([]);
});
