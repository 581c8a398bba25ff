import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openDecoder } from "../../test/support/decoders.ts";
import { labelLanguage } from "../../test/support/label-language.ts";
import { DataError, SpecError, WorkerError } from "../base/errors.ts";
import { packLabels } from "../data/batches/packing.ts";
import { liveSessions } from "../engine/runtime/session.ts";
import { CachedNetwork } from "../models/cached-network.ts";
import { Network } from "../models/network.ts";
import { type Generated, type GenerateOptions, generate, type Prompt } from "./generate.ts";
import type { ScoredToken } from "./sampling.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden");
const cache = mkdtempSync(join(tmpdir(), "mixtune-generate-"));
afterAll(() => {
  rmSync(cache, { recursive: true });
  expect(liveSessions()).toBe(0);
});

interface Case {
  model: string;
  positions: number;
  prompts: number[][];
  full: { ids: number[][]; smallest_gap: number };
  lora: { ids: number[][]; smallest_gap: number };
  dora: { ids: number[][]; smallest_gap: number };
}
const cases: Record<string, Case> = JSON.parse(readFileSync(join(GOLDEN, "eval/greedy/expected.json"), "utf8"));

function openCase(name: string, method: "full" | "lora" | "dora" | "frozen") {
  const { model, prompts: ids } = cases[name]!;
  const prompts = ids.map((prompt, i): Prompt => ({ id: `p${i}`, prompt: Int32Array.from(prompt) }));
  return { ...openDecoder(model, method, cache), prompts };
}

/** Two letters a token, so that texts can be cut inside one. */
const decode = (ids: ArrayLike<number>) =>
  Array.from(ids, (id) => String.fromCharCode(97 + (id % 26), 65 + Math.floor(id / 26))).join("");
const NO_END = { endIds: [], decode };
const idsOf = (results: readonly Generated[]) => results.map(({ ids }) => [...ids]);

describe.each(Object.keys(cases))("%s writes what transformers writes", (name) => {
  const { positions, full, lora, dora } = cases[name]!;
  const maxNewTokens = full.ids[0]!.length;

  test.each(["full", "lora", "dora", "frozen"] as const)("%s", async (method) => {
    const wanted = { full, lora, dora, frozen: full }[method];
    expect(wanted.smallest_gap).toBeGreaterThan(1e-4); // else rounding could decide
    const { config, tuning, parameters, prompts } = openCase(name, method);
    const network = await CachedNetwork.create(config, tuning, { threads: 1, maxPositions: positions });
    const options: GenerateOptions = { ...NO_END, maxNewTokens, logprobs: true };
    const together = await generate(network, parameters, prompts, options);
    expect(idsOf(together), "all in one batch").toEqual(wanted.ids);
    for (const [i, prompt] of prompts.entries())
      expect(idsOf(await generate(network, parameters, [prompt], options)), "one alone").toEqual([wanted.ids[i]]);
    const inTurns = await generate(network, parameters, prompts, { ...options, maxRows: 2 });
    expect(idsOf(inTurns), "two rows at a time").toEqual(wanted.ids);
    await network.release();

    const scoring = await Network.create("score", config, tuning, {
      threads: 1,
      maxPositions: positions + maxNewTokens,
    });
    if (config.rotary.long === null)
      expect(await worstDifference(scoring, parameters, prompts, together)).toBeLessThan(1e-4);
    await scoring.release();
  });
});

/** Largest difference of a token's log-probability between generating and scoring it. */
async function worstDifference(
  scoring: Network,
  parameters: Float32Array,
  prompts: readonly Prompt[],
  results: readonly Generated[],
): Promise<number> {
  let worst = 0;
  for (const [i, { ids, logprobs }] of results.entries()) {
    const example = { ...prompts[i]!, answer: ids };
    for (const pack of packLabels([example], () => [ids], { sharePrefix: false, maxTokens: 4096 })) {
      const nll = await scoring.nll(pack, parameters);
      expect(nll.length).toBe(ids.length);
      for (const [r, value] of nll.entries()) worst = Math.max(worst, Math.abs(value + logprobs![r]!));
    }
  }
  return worst;
}

test.each(["llama", "mistral", "gemma2", "phi3-long"])(
  "%s: caches that grow give what reading all again gives",
  async (name) => {
    const { config, tuning, parameters, prompts } = openCase(name, "frozen");
    const size = { threads: 1, maxPositions: 256 };
    const network = await CachedNetwork.create(config, tuning, size);
    const results = await generate(network, parameters, prompts, { ...NO_END, maxNewTokens: 150, logprobs: true });
    await network.release();
    const scoring = await Network.create("score", config, tuning, size);
    expect(await worstDifference(scoring, parameters, prompts, results)).toBeLessThan(1e-4);
    await scoring.release();
  },
);

describe("generation", () => {
  const { config, tuning, parameters, prompts } = openCase("llama", "frozen");
  const greedy = cases.llama!.full.ids;
  let network: CachedNetwork;
  beforeAll(async () => {
    network = await CachedNetwork.create(config, tuning, { threads: 1, maxPositions: 64 });
  });
  afterAll(() => network.release());
  const run = (options: Partial<GenerateOptions>, some: readonly Prompt[] = prompts) =>
    generate(network, parameters, some, { ...NO_END, maxNewTokens: 20, ...options });

  test("ends at an end token, which is returned as id and not as text", async () => {
    const end = greedy[1]![6]!;
    const results = await run({ endIds: [end] });
    expect(results.some(({ stopped }) => stopped === "length")).toBe(true);
    for (const [i, { ids, text, stopped }] of results.entries()) {
      const at = greedy[i]!.indexOf(end);
      expect([...ids]).toEqual(at < 0 ? greedy[i] : greedy[i]!.slice(0, at + 1));
      expect(text).toBe(decode(at < 0 ? greedy[i]! : greedy[i]!.slice(0, at)));
      expect(stopped).toBe(at < 0 ? "length" : "end");
    }
  });

  test("ends before a stop string that spans tokens", async () => {
    const whole = decode(greedy[0]!);
    const stop = whole.slice(3, 6); // the second letter of one token and the next one
    const at = whole.indexOf(stop);
    const [result] = await run({ stopStrings: ["no such text", stop] });
    expect(result!.text).toBe(whole.slice(0, at));
    expect(result!.stopped).toBe("stop");
    expect(result!.ids.length).toBe(Math.ceil((at + stop.length) / 2));
  });

  test("hands on text while it grows, stop strings never", async () => {
    const stopStrings = [decode(greedy[2]!).slice(7, 10)];
    const pieces = prompts.map((): string[] => []);
    const results = await run({ stopStrings, onText: (i, piece) => pieces[i]!.push(piece) });
    expect(pieces.map((list) => list.join(""))).toEqual(results.map(({ text }) => text));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeGreaterThan(2);
    expect(results.every(({ text }) => !text.includes(stopStrings[0]!))).toBe(true);
  });

  test("reads every token once, and what all prompts share once for all", async () => {
    const readOn = vi.spyOn(network, "readOn");
    const results = await run({ maxRows: 3 });
    const numRead = readOn.mock.calls.flatMap(([, , , tokens]) => tokens).reduce((sum, ids) => sum + ids.length, 0);
    readOn.mockRestore();
    const shared = 9;
    const own = prompts.map(({ prompt }, i) => prompt.length - shared + results[i]!.ids.length - 1);
    expect(numRead).toBe(own.reduce((a, b) => a + b, shared));
  });

  test("does for a prompt what it asks for alone", async () => {
    const sampling = { temperature: 2, topP: 1, seed: 4 };
    const stopStrings = [decode(greedy[2]!).slice(7, 10)];
    const owns = [{}, { maxNewTokens: 3 }, { stopStrings }, { sampling }, { maxNewTokens: 30, sampling }];
    const own = prompts.map((prompt, i) => ({ ...prompt, own: owns[i]! }));
    const wanted: Generated[] = [];
    for (const [i, prompt] of prompts.entries()) wanted.push((await run(owns[i]!, [prompt]))[0]!);
    expect(await run({}, own)).toEqual(wanted);
    await expect(run({}, [{ ...prompts[0]!, own: { maxNewTokens: 0 } }])).rejects.toThrow(/max_new_tokens/);
  });

  test("hands over each answer when it is finished, and drops those that nobody wants", async () => {
    const finished: number[] = [];
    const own = prompts.map((prompt, i) => ({ ...prompt, own: { maxNewTokens: 20 - i } }));
    const results = await run(
      {
        onAnswer: (i, { ids }) => {
          expect(ids.length).toBe(i === 2 ? 1 : 20 - i);
          finished.push(i);
        },
        isWanted: (i) => i !== 2,
      },
      own,
    );
    expect(finished).toEqual([2, 4, 3, 1, 0]);
    expect(results.map(({ stopped }) => stopped === "dropped")).toEqual([false, false, true, false, false]);
  });

  test("tells of each token how likely it was, and which were likeliest", async () => {
    const tokens = prompts.map((): ScoredToken[] => []);
    const scored = {
      top: 3,
      onToken: (i: number, token: ScoredToken, likeliest: ScoredToken[]) => {
        tokens[i]!.push(token);
        expect(likeliest).toHaveLength(3);
        expect(likeliest[0]).toEqual(token); // nothing is drawn
      },
    };
    const results = await run({ scored, logprobs: true });
    expect(tokens.map((list) => list.map(({ id }) => id))).toEqual(results.map(({ ids }) => [...ids]));
    expect(tokens.map((list) => list.map(({ logprob }) => logprob))).toEqual(
      results.map(({ logprobs }) => [...logprobs!]),
    );
  });

  test("tells how many answers are finished", async () => {
    const seen: number[] = [];
    await run({ onProgress: async (done) => void seen.push(done) });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test("draws the same by the same seed, alone and among others, in any order", async () => {
    const sampling = { temperature: 1.5, topP: 0.95, seed: 7 };
    const together = idsOf(await run({ sampling }));
    for (const [i, prompt] of prompts.entries())
      expect(idsOf(await run({ sampling }, [prompt]))).toEqual([together[i]]);
    expect(idsOf(await run({ sampling, maxRows: 2 }, prompts.toReversed()))).toEqual(together.toReversed());
    expect(idsOf(await run({ sampling: { ...sampling, seed: 8 } }))).not.toEqual(together);
  });

  test("with temperature 0 takes the likeliest", async () => {
    expect(idsOf(await run({ sampling: { temperature: 0, topP: 0.5, seed: 1 } }))).toEqual(greedy);
  });

  test("held to labels writes one of them", async () => {
    const labels = [
      [5, 6, 0],
      [5, 0],
      [5, 6, 7, 0],
      [8, 0],
    ];
    const language = () => labelLanguage(labels.map((ids) => Int32Array.from(ids)));
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const results = await run({ endIds: [0], language, sampling: { temperature: 5, topP: 1, seed } });
      for (const { ids, stopped } of results) {
        expect(labels).toContainEqual([...ids]);
        expect(stopped).toBe("end");
        seen.add(ids.join());
      }
    }
    expect(seen.size).toBe(labels.length);
  });

  test("stops where the network has no more room", async () => {
    const [result] = await run({ maxNewTokens: 1000 }, [prompts[0]!]);
    expect(result!.stopped).toBe("length");
    expect(result!.ids.length).toBe(64 - prompts[0]!.prompt.length);
  });

  test("of no prompts is nothing", async () => expect(await run({}, [])).toEqual([]));

  test("of the same prompt several times differs by id", async () => {
    const { prompt } = prompts[0]!;
    const sampling = { temperature: 2, topP: 1, seed: 1 };
    const [a, b, c] = idsOf(
      await run(
        { sampling },
        ["a", "b", "a"].map((id) => ({ id, prompt })),
      ),
    );
    expect(a).not.toEqual(b);
    expect(a).toEqual(c);
  });

  test.each<[string, Partial<GenerateOptions>, RegExp]>([
    ["no tokens to write", { maxNewTokens: 0 }, /max_new_tokens: expected a whole number of 1 or more, got 0/],
    ["a negative temperature", { sampling: { temperature: -1, topP: 1, seed: 1 } }, /temperature/],
    ["no nucleus", { sampling: { temperature: 1, topP: 0, seed: 1 } }, /top_p/],
    ["an empty stop string", { stopStrings: [""] }, /stop strings/],
    ["no rows", { maxRows: 0 }, /rows at a time/],
  ])("refuses %s", async (_, options, message) => {
    await expect(run(options)).rejects.toThrow(SpecError);
    await expect(run(options)).rejects.toThrow(message);
  });

  test("refuses a prompt without tokens and one that leaves no room", async () => {
    for (const length of [0, 64, 100]) {
      const one = run({}, [{ id: "test#3", prompt: new Int32Array(length) }]);
      await expect(one).rejects.toThrow(DataError);
      await expect(one).rejects.toThrow(/prompt test#3: expected 1 to 63 tokens/);
    }
  });

  test("names logits that are no numbers", async () => {
    const broken = openCase("llama", "full");
    broken.parameters.fill(Number.NaN);
    const other = await CachedNetwork.create(config, broken.tuning, { threads: 1, maxPositions: 64 });
    const answers = generate(other, broken.parameters, prompts, { ...NO_END, maxNewTokens: 2 });
    await expect(answers).rejects.toThrow(WorkerError);
    await other.release();
  });
});
