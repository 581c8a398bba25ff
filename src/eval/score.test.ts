import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openDecoder } from "../../test/support/decoders.ts";
import { openTemplate, tokenizeLabels } from "../data/tokens/chat-template.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import { asked } from "../data/tokens/turns.ts";
import type { TokenizedExample } from "../data/types.ts";
import { Network } from "../models/network.ts";
import { openModelFolder, rawWeights } from "../models/weights.ts";
import { scoreLabels } from "./score.ts";

const ROOT = join(import.meta.dirname, "../..");
const TINY = join(ROOT, "assets/tiny");
const cache = mkdtempSync(join(tmpdir(), "mixtune-score-"));
afterAll(() => rmSync(cache, { recursive: true }));

/** What is asked for: log-probabilities in nats, of up to 19 tokens together. */
const TOLERANCE = 1e-4;

interface Case {
  prompts: number[][];
  labels: number[][];
  full: number[][];
}
const golden: {
  shipped: Case & {
    texts: string[];
    label_texts: string[];
    many: { label_texts: string[]; probed: number[]; full: number[][] };
  };
  random: Record<string, Case & { lora: number[][] }>;
} = JSON.parse(readFileSync(join(ROOT, "test/golden/eval/label-scores/expected.json"), "utf8"));

const examplesOf = (prompts: readonly number[][]) =>
  prompts.map((ids, i): TokenizedExample => ({ id: `p${i}`, prompt: Int32Array.from(ids), answer: new Int32Array(0) }));
const labelsOf = (labels: readonly number[][]) => labels.map((ids) => Int32Array.from(ids));

/** Largest distance between two tables of scores. */
function worst(scores: readonly Float64Array[], wanted: readonly number[][]): number {
  expect(scores.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  return Math.max(...scores.flatMap((row, i) => [...row].map((score, k) => Math.abs(score - wanted[i]![k]!))));
}

describe.each(Object.entries(golden.random))("labels with %s score as transformers has it", (name, wanted) => {
  const prompts = examplesOf(wanted.prompts);
  const labels = labelsOf(wanted.labels);

  test.each(["full", "lora", "frozen"] as const)("%s", async (method) => {
    const { config, tuning, parameters } = openDecoder(name, method, cache);
    const network = await Network.create("score", config, tuning, { threads: 1, maxPositions: 64 });
    const table = method === "lora" ? wanted.lora : wanted.full;
    expect(worst(await scoreLabels(network, parameters, prompts, labels), table)).toBeLessThan(TOLERANCE);
    for (const [i, prompt] of prompts.entries())
      expect(worst(await scoreLabels(network, parameters, [prompt], labels), [table[i]!])).toBeLessThan(TOLERANCE);
    const withoutEnd = labels.map((ids) => ids.slice(0, -1));
    expect(worst(await scoreLabels(network, parameters, prompts, withoutEnd), table), "a fault").toBeGreaterThan(1);
    await network.release();
  });
});

describe("labels with mixtune/tiny", () => {
  const { texts, label_texts, prompts, labels, full, many } = golden.shipped;
  const tokenizer = openTokenizer(TINY);
  const template = openTemplate(TINY, tokenizer);

  test("are the tokens that transformers has", () => {
    expect(texts.map((text) => [...template.leadIds, ...tokenizer.encode(template.render(asked(text)))])).toEqual(
      prompts,
    );
    expect(tokenizeLabels(label_texts, template).map((ids) => [...ids])).toEqual(labels);
  });

  test("score as transformers has it", async () => {
    const model = openModelFolder(TINY);
    const tuning = { method: "frozen", frozen: rawWeights(model, cache) } as const;
    const network = await Network.create("score", model.config, tuning, { threads: 1, maxPositions: 2048 });
    const nothing = new Float32Array(0);
    const scores = await scoreLabels(network, nothing, examplesOf(prompts), labelsOf(labels));
    expect(worst(scores, full)).toBeLessThan(TOLERANCE);
    const asked = examplesOf(prompts.slice(0, many.full.length));
    const all = await scoreLabels(network, nothing, asked, tokenizeLabels(many.label_texts, template));
    const probed = all.map((row) => Float64Array.from(many.probed, (k) => row[k]!));
    expect(worst(probed, many.full), "hundreds of labels with words in common").toBeLessThan(TOLERANCE);
    await network.release();
  });
});
