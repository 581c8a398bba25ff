import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import type { AnswerSpec } from "../../specs/types.ts";
import { MAX_NUMBER_TOKENS } from "../answers.ts";
import { packExamples } from "../batches/packing.ts";
import type { Example, LoadedTask } from "../types.ts";
import { plainTemplate } from "./chat-template.ts";
import { type PrepareOptions, prepareTask } from "./prepare.ts";
import { openTokenizer } from "./tokenizers.ts";
import { asked } from "./turns.ts";

const tokenizer = openTokenizer(
  join(import.meta.dirname, "../../../test/golden/data-tokenizer/kinds/byte-level-digits"),
);
const template = plainTemplate(tokenizer);
const labels: AnswerSpec = { kind: "label", field: "a", labels: ["no", "yes"] };
const options: PrepareOptions = { cutoffLen: 60, lossOn: "answer", onBadRow: "stop" };

function taskOf(train: Omit<Example, "group">[], answer: AnswerSpec = labels): LoadedTask {
  return {
    ...{ name: "toy", answer, metric: "accuracy", licence: "x", source: "x", notes: [] },
    splits: { train: train.map((example) => ({ ...example, group: example.id })), dev: [], test: [] },
    digests: { train: "", dev: "", test: "" },
  };
}
const row = (id: string, prompt: string, answer = "yes") => ({ id, prompt, answer });

describe("prepareTask", () => {
  test("counts tokens and supervised tokens as packing lays them", () => {
    for (const lossOn of ["answer", "all"] as const) {
      const task = taskOf([row("train#1", "Did it rise?"), row("train#2", "And fall?", "no")]);
      const { tokenized, lengths } = prepareTask(task, tokenizer, template, { ...options, lossOn }).split("train");
      const packs = packExamples(tokenized, { packing: "none", sharePrefix: false, maxTokens: 1, lossOn });
      const inPacks = tokenized.map((_, e) =>
        packs.reduce((sum, { example }) => sum + example.filter((x) => x === e).length, 0),
      );
      expect([...lengths.supervised]).toEqual(inPacks);
      expect([...lengths.tokens]).toEqual(tokenized.map(({ prompt, answer }) => prompt.length + answer.length));
    }
  });

  test("cuts documents into windows that all point to their document", () => {
    const text = "Net sales fell and rose and fell again. ".repeat(12);
    const task = taskOf([{ id: "train#1", prompt: "", answer: text }], { kind: "document", field: "a" });
    const { examples, tokenized, lengths } = prepareTask(task, tokenizer, template, options).split("train");
    expect(tokenized.length).toBeGreaterThan(1);
    expect(examples.every(({ id }) => id === "train#1")).toBe(true);
    expect(Math.max(...lengths.tokens)).toBe(60);
    const supervised = lengths.supervised.reduce((sum, n) => sum + n, 0);
    expect(supervised).toBe(tokenizer.encode(text).length); // all but the first, and the end-of-text token
  });

  const long = row("train#9", "word ".repeat(80));

  test("refuses an example longer than cutoff_len by task and row", () => {
    const prepared = prepareTask(taskOf([row("train#1", "short"), long]), tokenizer, template, options);
    expect(() => prepared.split("train")).toThrow(DataError);
    expect(() => prepared.split("train")).toThrow(/example toy\/train#9: expected at most 60 tokens.*got \d+ tokens/);
  });

  test("skips it where asked, keeps all lists alike and says so", () => {
    const task = taskOf([long, row("train#1", "short")]);
    const split = prepareTask(task, tokenizer, template, { ...options, onBadRow: "skip" }).split("train");
    expect(split.examples.map(({ id }) => id)).toEqual(["train#1"]);
    expect(split.tokenized.map(({ id }) => id)).toEqual(["train#1"]);
    expect(split.lengths.tokens).toHaveLength(1);
    expect(split.notes[0]).toContain("1 of 2 rows skipped: train#9");
  });

  test("says how many prompts leave no room for the longest number, where numbers are written", () => {
    const notes = (split: "train" | "test", positions: number, kind: "number" | "text" = "number") => {
      const task = taskOf([], { kind, field: "n" });
      const rows = [row("a#1", "How many?", "3"), row("a#2", "How many of these?", "4")];
      const splits = { ...task.splits, [split]: rows.map((one) => ({ ...one, group: one.id })) };
      return prepareTask({ ...task, splits }, tokenizer, template, { ...options, positions }).split(split).notes;
    };
    const [first, second] = ["How many?", "How many of these?"].map(
      (prompt) => tokenizer.encode(template.render(asked(prompt))).length,
    ) as [number, number];
    expect(notes("test", second + MAX_NUMBER_TOKENS)).toEqual([]);
    const positions = first + MAX_NUMBER_TOKENS;
    expect(notes("test", positions)[0]).toContain(
      `1 of 2 prompts leave fewer than 32 of the ${positions} tokens that the model reads`,
    );
    expect(notes("train", positions)).toEqual([]);
    expect(notes("test", positions, "text")).toEqual([]);
  });

  test("digests what is rendered: another answer, another digest; another id, the same", () => {
    const digest = (...rows: Omit<Example, "group">[]) =>
      prepareTask(taskOf(rows), tokenizer, template, options).split("train").rowsDigest;
    expect(digest(row("train#2", "Up?"))).toBe(digest(row("train#1", "Up?")));
    expect(digest(row("train#1", "Up?", "no"))).not.toBe(digest(row("train#1", "Up?")));
    expect(digest(row("train#1", "A"), row("train#2", "B"))).not.toBe(digest(row("train#1", "B"), row("train#2", "A")));
  });

  test("gives from the cache what it made, and makes anew what anything else decides", () => {
    const folder = mkdtempSync(join(tmpdir(), "mixtune-prepare-"));
    try {
      const fit = { from: 6, to: 400, keep: "start" } as const;
      const shortened = { ...row("train#2", `Short ${"word ".repeat(79)}`), fit: { ...fit, to: 400 } };
      const rows = [row("train#1", "Did it rise?"), shortened, row("train#3", "word ".repeat(90))];
      const skipping = { ...options, onBadRow: "skip" } as const;
      const task = taskOf(rows);
      const prepare = (code: string, more: Partial<PrepareOptions> = {}, of = task) =>
        prepareTask(of, tokenizer, template, { ...skipping, ...more }, { folder, code }).split("train");
      const files = () => readdirSync(folder).length;
      const plain = prepareTask(task, tokenizer, template, skipping).split("train");
      expect(plain.fitted.rows).toBe(1);
      expect(plain.tokenized.length).toBe(2);
      expect(prepare("a")).toEqual(plain);
      expect(files()).toBe(1);
      expect(prepare("a")).toEqual(plain);
      expect(files()).toBe(1);
      prepare("b");
      prepare("a", { cutoffLen: 50 });
      prepare("a", { lossOn: "all" });
      prepare("a", {}, { ...task, digests: { ...task.digests, train: "other" } });
      expect(files()).toBe(5);
      const document = taskOf([{ id: "train#1", prompt: "", answer: "Net sales fell. ".repeat(40) }], {
        kind: "document",
        field: "a",
      });
      const cut = prepareTask(document, tokenizer, template, options).split("train");
      for (const _time of [1, 2]) expect(prepare("a", { onBadRow: "stop" }, document)).toEqual(cut);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
