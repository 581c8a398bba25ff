import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CONTEXT, type TwoModels, twoModels } from "../../../test/support/serving.ts";
import { textPrompt } from "../local-model.ts";
import { type Answer, GenerationQueue, type Job, type Manner } from "./queue.ts";

let two: TwoModels;
beforeAll(async () => {
  two = await twoModels();
}, 60_000);
afterAll(() => two.close());

const MANNER: Manner = {
  maxNewTokens: 3,
  temperature: 0,
  topP: 1,
  stopStrings: [],
  topLogprobs: null,
  scoresPrompt: false,
};
const never = new AbortController().signal;
const job = (text: string, more: Partial<Job> = {}): Job => ({
  model: two.base,
  prompt: textPrompt(two.base, text),
  manner: MANNER,
  seed: "1",
  signal: never,
  ...more,
});
const queueOf = (more: object = {}) => new GenerationQueue({ maxWaiting: 100, now: () => 0, ...more });

/** Rows of the first pass of each batch: a pass that reads whole prompts. */
async function batchSizes(queue: GenerationQueue, jobs: readonly Job[]): Promise<number[]> {
  const readOn = vi.spyOn(two.base.network, "newCache");
  await Promise.all(queue.submit(jobs));
  const sizes = readOn.mock.calls.map(([rows]) => rows);
  readOn.mockRestore();
  return sizes.filter((_, i) => i % 3 === 2); // nothing, the prefix, the rows
}

describe("the queue", () => {
  test("answers together what is asked in different manners, each in its own", async () => {
    const manners: Partial<Manner>[] = [
      {},
      { maxNewTokens: 5 },
      { temperature: 1.5 },
      { stopStrings: ["e"] },
      { topLogprobs: 2 },
      { maxNewTokens: 0, scoresPrompt: true },
      { scoresPrompt: true },
    ];
    const jobs = manners.map((more) => job("The bank said", { manner: { ...MANNER, ...more } }));
    const alone: Answer[] = [];
    for (const one of jobs) alone.push((await Promise.all(queueOf().submit([one])))[0]!);
    expect(new Set(alone.map(({ text }) => text)).size).toBeGreaterThan(3);
    expect((await Promise.all(queueOf().submit(jobs))).map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
    expect(alone.map(({ promptLogprobs }) => promptLogprobs !== undefined)).toEqual(
      manners.map(({ scoresPrompt = false }) => scoresPrompt),
    );
    expect(await batchSizes(queueOf(), jobs)).toEqual([6]);
  });

  test("gives each answer when it is finished, not when all are", async () => {
    const queue = queueOf();
    const [long, short] = queue.submit([job("a", { manner: { ...MANNER, maxNewTokens: 60 } }), job("b")]);
    expect((await short!).ids).toHaveLength(3);
    expect(queue.load).toEqual({ waiting: 0, running: 1 });
    expect((await long!).ids.length).toBeGreaterThan(3);
  });

  test("keeps models apart", async () => {
    const jobs = [two.base, two.tuned, two.base, two.tuned].map((model) => job("The bank said", { model }));
    const queue = queueOf();
    const [a, b, c, d] = (await Promise.all(queue.submit(jobs))).map(({ text }) => text);
    expect([c, d]).toEqual([a, b]);
    expect(a).not.toBe(b);
  });

  test("answers as many at a time as their keys and values have room for, one at least", async () => {
    const jobs = Array.from({ length: 5 }, () => job("One two three four five six seven eight nine ten"));
    const { num_hidden_layers, num_key_value_heads, head_dim } = two.base.network.config;
    const length = jobs[0]!.prompt.length + MANNER.maxNewTokens;
    const cacheBytes = 2 * length * 2 * num_hidden_layers * num_key_value_heads * head_dim * 4;
    expect(await batchSizes(queueOf({ cacheBytes }), jobs)).toEqual([2, 2, 1]);
    expect(await batchSizes(queueOf({ cacheBytes: 1 }), jobs.slice(0, 2))).toEqual([1, 1]);
  });

  test("gives back what goes wrong to all that it concerns, and goes on", async () => {
    const broken = { ...two.base, parameters: two.base.parameters.map(() => Number.NaN) };
    const queue = queueOf();
    const bad = queue.submit([job("a", { model: broken }), job("b", { model: broken })]);
    const good = queue.submit([job("a")]);
    for (const one of bad) await expect(one).rejects.toThrow(/expected finite logits/);
    expect((await good[0]!).ids).toHaveLength(3);
    await queue.idle();
    expect(queue.load).toEqual({ waiting: 0, running: 0 });
  });

  test("scores a prompt of one token as nothing, and long ones in passes", async () => {
    const manner: Manner = { ...MANNER, maxNewTokens: 0, scoresPrompt: true };
    const lengths = [1, 2, CONTEXT - 1, 300, 300, 300, 300, 300, 300];
    const jobs = lengths.map((length) =>
      job("", { manner, prompt: Int32Array.from({ length }, (_, i) => 5 + (i % 50)) }),
    );
    const answers = await Promise.all(queueOf().submit(jobs));
    expect(answers.map(({ promptLogprobs }) => promptLogprobs!.length)).toEqual(lengths.map((n) => n - 1));
    const flat = answers.flatMap(({ promptLogprobs }) => [...promptLogprobs!]);
    expect(flat.every((value) => value < 0 && Number.isFinite(value))).toBe(true);
    for (const [i, value] of answers[3]!.promptLogprobs!.entries())
      expect(value).toBeCloseTo(answers[2]!.promptLogprobs![i]!, 4);
    expect(answers.every(({ text, ids }) => text === "" && ids.length === 0)).toBe(true);
  });

  test("takes nothing of what it cannot take whole", () => {
    const queue = queueOf({ maxWaiting: 2 });
    const taken = queue.submit([job("a")]);
    expect(() => queue.submit([job("b"), job("c")])).toThrow(/Try again in 1 s/);
    expect(() => queue.submit([job("b"), job("c"), job("d")])).toThrow(/at most 2 prompts/);
    expect(queue.load.waiting).toBe(1);
    return taken[0];
  });
});
