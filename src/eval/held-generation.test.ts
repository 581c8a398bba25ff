import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDecoder } from "../../test/support/decoders.ts";
import { labelLanguage } from "../../test/support/label-language.ts";
import { MAX_NUMBER_TOKENS } from "../data/answers.ts";
import { openTemplate, tokenizeLabels } from "../data/tokens/chat-template.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import { asked } from "../data/tokens/turns.ts";
import { readNumberStrict } from "../metrics/number-answer.ts";
import { CachedNetwork } from "../models/cached-network.ts";
import { Network } from "../models/network.ts";
import { openModelFolder, rawWeights } from "../models/weights.ts";
import { type Generated, generate, type Prompt } from "./generate.ts";
import { type Language, numberLanguage } from "./languages.ts";
import type { Sampling } from "./sampling.ts";
import { scoreLabels } from "./score.ts";

const ROOT = join(import.meta.dirname, "../..");
const TINY = join(ROOT, "assets/tiny");
const END = 0;
/** Of the two best allowed logits; closer ones rounding could swap. */
const SAFE_GAP = 1e-3;
/** Above this chi-square of 2 degrees of freedom lies one in a hundred thousand. */
const CRITICAL_2 = 23.0;
const cache = mkdtempSync(join(tmpdir(), "mixtune-held-"));
afterAll(() => rmSync(cache, { recursive: true }));

interface Held {
  ids: number[][];
  smallest_gap: number;
}
const golden: {
  shipped: {
    labels: Held & { texts: string[]; label_texts: string[] };
    numbers: { texts: string[]; words: string[] } & Record<"alone" | "or_words", Held & { texts: string[] }>;
  };
  random: Record<string, { prompts: number[][]; labels: number[][]; full: Held; lora: Held }>;
} = JSON.parse(readFileSync(join(ROOT, "test/golden/eval/constrained/expected.json"), "utf8"));

const idsOf = (results: readonly Generated[]) => results.map(({ ids }) => [...ids]);

describe.each(Object.entries(golden.random))("%s held to labels writes what transformers writes", (name, wanted) => {
  const language = labelLanguage(wanted.labels.map((ids) => Int32Array.from(ids)));
  const prompts = wanted.prompts.map((ids, i): Prompt => ({ id: `p${i}`, prompt: Int32Array.from(ids) }));
  const options = { endIds: [END], maxNewTokens: 32, decode: () => "", language: () => language };

  test.each(["full", "lora", "frozen"] as const)("%s", async (method) => {
    const { ids, smallest_gap } = method === "lora" ? wanted.lora : wanted.full;
    expect(smallest_gap).toBeGreaterThan(SAFE_GAP);
    const { config, tuning, parameters } = openDecoder(name, method, cache);
    const network = await CachedNetwork.create(config, tuning, { threads: 1, maxPositions: 64 });
    expect(idsOf(await generate(network, parameters, prompts, options))).toEqual(ids);
    expect(idsOf(await generate(network, parameters, prompts, { ...options, maxRows: 2 }))).toEqual(ids);
    await network.release();
  });
});

describe("mixtune/tiny", () => {
  const tokenizer = openTokenizer(TINY);
  const template = openTemplate(TINY, tokenizer);
  const model = openModelFolder(TINY);
  const nothing = new Float32Array(0);
  const promptsOf = (texts: readonly string[]) =>
    texts.map((text, i): Prompt => ({ id: `p${i}`, prompt: tokenizer.encode(template.render(asked(text))) }));
  const tuning = { method: "frozen", frozen: rawWeights(model, cache) } as const;
  let network: CachedNetwork;
  beforeAll(async () => {
    network = await CachedNetwork.create(model.config, tuning, { threads: 1, maxPositions: 512 });
  });
  afterAll(() => network.release());
  const held = (prompts: readonly Prompt[], language: (prompt: number) => Language, sampling?: Sampling) =>
    generate(network, nothing, prompts, {
      endIds: [END],
      maxNewTokens: MAX_NUMBER_TOKENS,
      decode: (ids) => tokenizer.decode(ids),
      language,
      ...(sampling && { sampling }),
    });

  const { labels, numbers } = golden.shipped;
  const labelIds = tokenizeLabels(labels.label_texts, template);
  const ofLabels = labelLanguage(labelIds);
  const ofNumbers = { alone: numberLanguage(tokenizer, END), or_words: numberLanguage(tokenizer, END, numbers.words) };

  test("held to labels writes what transformers writes", async () => {
    expect(labels.smallest_gap).toBeGreaterThan(SAFE_GAP);
    expect(idsOf(await held(promptsOf(labels.texts), () => ofLabels))).toEqual(labels.ids);
  });

  test.each(["alone", "or_words"] as const)("held to numbers (%s) writes what transformers writes", async (kind) => {
    const { ids, texts, smallest_gap } = numbers[kind];
    expect(smallest_gap).toBeGreaterThan(SAFE_GAP);
    const written = await held(promptsOf(numbers.texts), () => ofNumbers[kind]);
    expect(written.map(({ text }) => text)).toEqual(texts);
    expect(idsOf(written)).toEqual(ids);
  });

  test("holds each row of a batch to its own, and the free ones to nothing", async () => {
    const [text] = numbers.texts;
    const prompts = promptsOf([text!, text!, text!]);
    const free = await generate(network, nothing, promptsOf([text!]), {
      endIds: [END],
      maxNewTokens: MAX_NUMBER_TOKENS,
      decode: (ids) => tokenizer.decode(ids),
    });
    const anything: Language = {
      allowed: Array.from({ length: tokenizer.vocabSize }, (_, id) => id),
      after: () => anything,
    };
    const languages = [ofNumbers.alone, anything, ofLabels];
    const together = await held(prompts, (i) => languages[i]!);
    expect([...together[1]!.ids]).toEqual([...free[0]!.ids]);
    for (const i of [0, 2])
      expect(idsOf(await held([prompts[i]!], () => languages[i]!))[0]).toEqual([...together[i]!.ids]);
  });

  test("drawn numbers are numbers, drawn labels labels, whatever the temperature", async () => {
    const seen = new Set<string>();
    for (const [seed, temperature] of [0.5, 1, 3, 20].entries()) {
      const sampling = { temperature, topP: 1, seed };
      for (const { text, stopped } of await held(promptsOf(numbers.texts), () => ofNumbers.or_words, sampling)) {
        expect(readNumberStrict(text), text).not.toBeNull();
        expect(stopped).toBe("end");
        seen.add(text);
      }
      for (const { text } of await held(promptsOf(labels.texts), () => ofLabels, sampling))
        expect(labels.label_texts).toContain(text.trim());
    }
    expect(seen.size).toBeGreaterThan(20);
  });

  test("draws labels of one token as often as their scores say, the other labels left out", async () => {
    const names = ["positive", "neutral", "price"]; // a token each
    const ids = names.map((name) => labelIds[labels.label_texts.indexOf(name)]!);
    expect(ids.map(({ length }) => length)).toEqual([2, 2, 2]);
    const [{ prompt }] = promptsOf([labels.texts[0]!]) as [Prompt];
    // The end of turn is certain where nothing else may follow, so that a label's share is that of its first token.
    const scoring = await Network.create("score", model.config, tuning, { threads: 1, maxPositions: 512 });
    const first = ids.map((label) => label.subarray(0, 1));
    const [scores] = await scoreLabels(scoring, nothing, [{ id: "p", prompt, answer: new Int32Array(0) }], first);
    await scoring.release();
    const temperature = 4; // so that all are seen
    const weights = [...scores!].map((score) => Math.exp(score / temperature));
    const total = weights.reduce((a, b) => a + b, 0);

    const draws = 1500;
    const language = labelLanguage(ids);
    const prompts = Array.from({ length: draws }, (_, i): Prompt => ({ id: `draw ${i}`, prompt }));
    const results = await held(prompts, () => language, { temperature, topP: 1, seed: 5 });
    const chiSquare = names.reduce((sum, name, k) => {
      const wanted = (draws * weights[k]!) / total;
      expect(wanted).toBeGreaterThan(20);
      return sum + (results.filter(({ text }) => text.trim() === name).length - wanted) ** 2 / wanted;
    }, 0);
    expect(chiSquare).toBeLessThan(CRITICAL_2);
  });
});
