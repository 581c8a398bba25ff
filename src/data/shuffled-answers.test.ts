import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadTask } from "./load-task.ts";
import { withShuffledAnswers } from "./shuffled-answers.ts";
import { openTemplate } from "./tokens/chat-template.ts";
import { type PrepareOptions, prepareTask } from "./tokens/prepare.ts";
import { openTokenizer } from "./tokens/tokenizers.ts";
import type { LoadedTask } from "./types.ts";

function taskOf(answers: readonly string[]): LoadedTask {
  const train = answers.map((answer, i) => ({ id: `train#${i}`, prompt: `Row ${i}?`, answer, group: `${i}` }));
  const held = [{ id: "test#0", prompt: "Held?", answer: "yes", group: "held" }];
  return {
    ...{
      name: "toy",
      answer: { kind: "text", field: "a" },
      metric: "exact_match",
      licence: "x",
      source: "x",
      notes: [],
    },
    splits: { train, dev: held, test: held },
    digests: { train: "t", dev: "d", test: "e" },
  };
}

const sorted = (texts: readonly string[]) => [...texts].sort();

describe("withShuffledAnswers", () => {
  const answers = fc.array(fc.string({ maxLength: 3 }), { maxLength: 40 });

  test("keeps prompts, their order, how often each answer comes, and dev and test as they are", () => {
    fc.assert(
      fc.property(answers, fc.nat(), (texts, seed) => {
        const task = taskOf(texts);
        const before = structuredClone(task);
        const shuffled = withShuffledAnswers(task, seed);
        expect(task).toEqual(before);
        const withoutAnswers = ({ splits }: LoadedTask) => splits.train.map(({ answer: _, ...row }) => row);
        expect(withoutAnswers(shuffled)).toEqual(withoutAnswers(task));
        expect(sorted(shuffled.splits.train.map(({ answer }) => answer))).toEqual(sorted(texts));
        expect(shuffled.splits.dev).toBe(task.splits.dev);
        expect(shuffled.splits.test).toBe(task.splits.test);
        expect({ ...shuffled.digests, train: "t" }).toEqual(task.digests);
      }),
    );
  });

  test("is a pure function of rows and seed, and another one for another seed", () => {
    const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
    const dealt = (seed: number) => withShuffledAnswers(taskOf(texts), seed).splits.train.map(({ answer }) => answer);
    expect(dealt(1)).toEqual(dealt(1));
    expect(new Set([texts, dealt(1), dealt(2), dealt(3)].map(String)).size).toBe(4);
  });

  test("leaves no trace of the right answer: of four equally frequent labels a quarter stays right", () => {
    const texts = Array.from({ length: 400 }, (_, i) => `${i % 4}`);
    const kept = Array.from({ length: 50 }, (_, seed) => {
      const { train } = withShuffledAnswers(taskOf(texts), seed).splits;
      return train.filter(({ answer }, i) => answer === texts[i]).length;
    });
    // 50 shuffles with 100 expected each, standard deviation 8.7: the mean is within four of its own.
    expect(Math.abs(kept.reduce((a, b) => a + b, 0) / 50 - 100)).toBeLessThan(5);
  });
});

describe("the rows that a run is trained on", () => {
  const tiny = join(import.meta.dirname, "../../assets/tiny");
  const tokenizer = openTokenizer(tiny);
  const template = openTemplate(tiny, tokenizer);
  const options: PrepareOptions = { cutoffLen: 256, lossOn: "answer", onBadRow: "stop" };
  const ids = (pieces: readonly Int32Array[]) => pieces.map((piece) => piece.join(" "));

  test("have the same prompt tokens in the same order, and the same answers in another", async () => {
    const task = await loadTask({ name: "gen-topic", catalogue: "gen-topic", max_train: 64 }, {});
    const plain = prepareTask(task, tokenizer, template, options).split("train");
    const shuffled = prepareTask(withShuffledAnswers(task, 1), tokenizer, template, options).split("train");
    const [before, after] = [plain, shuffled].map(({ tokenized }) => ids(tokenized.map(({ answer }) => answer)));
    expect(ids(shuffled.tokenized.map(({ prompt }) => prompt))).toEqual(
      ids(plain.tokenized.map(({ prompt }) => prompt)),
    );
    expect(sorted(after!)).toEqual(sorted(before!));
    expect(after!.filter((answer, i) => answer !== before![i]).length).toBeGreaterThan(before!.length / 4);
    expect(shuffled.rowsDigest).not.toBe(plain.rowsDigest);
  });

  test("are not mixed up with the true ones in the cache, nor those of two seeds", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mixtune-shuffled-"));
    try {
      const task = await loadTask({ name: "gen-topic", catalogue: "gen-topic", max_train: 64 }, {});
      const digestOf = (seed: number | undefined) => {
        const used = seed === undefined ? task : withShuffledAnswers(task, seed);
        const cache = { folder, code: "x" };
        return prepareTask(used, tokenizer, template, options, cache).split("train").rowsDigest;
      };
      const made = [undefined, 1, 2].map(digestOf);
      expect(new Set(made).size).toBe(3);
      expect([undefined, 1, 2].map(digestOf)).toEqual(made);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
