import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openTemplate } from "../data/tokens/chat-template.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { recordedModel } from "./recorded-model.ts";

const TINY = join(import.meta.dirname, "../../assets/tiny");
const folder = mkdtempSync(join(tmpdir(), "mixtune-recorded-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tokenizer = openTokenizer(TINY);
const template = openTemplate(TINY, tokenizer);

const silent = async () => {};
const example = (answer: readonly number[]) => ({ id: "", prompt: Int32Array.of(5), answer: Int32Array.from(answer) });

function recorded(
  texts: readonly { text: string; isEnded: boolean }[],
  stopStrings: readonly string[] = [],
  decode = tokenizer.decode,
) {
  const ids = texts.map(({ text, isEnded }) => [...tokenizer.encode(text), ...(isEnded ? [template.endOfTurnId] : [])]);
  const offsets = [0];
  for (const { length } of ids) offsets.push(offsets.at(-1)! + length);
  const path = join(folder, "a.test.safetensors");
  writeSafetensors(path, [
    { name: "label_logprobs", dtype: "F64", shape: [2, 3], data: Float64Array.of(-1, -2, -3, -0.1, -0.2, -0.3) },
    { name: "gold_logprobs", dtype: "F64", shape: [2], data: Float64Array.of(-6, -1) },
    { name: "text_ids", dtype: "I32", shape: [offsets.at(-1)!], data: Int32Array.from(ids.flat()) },
    { name: "text_offsets", dtype: "I64", shape: [offsets.length], data: BigInt64Array.from(offsets, BigInt) },
    {
      name: "text_stopped",
      dtype: "I32",
      shape: [texts.length],
      data: Int32Array.from(texts, (t) => Number(!t.isEnded)),
    },
  ]);
  return recordedModel(path, { tokenizer: { ...tokenizer, decode }, template, maxPositions: 64, stopStrings });
}

test("recorded log-probabilities are read by item: of labels as they are, of gold answers a token", async () => {
  const model = recorded([]);
  const items = [example([1, 2, 3]), example([1, 2])];
  const labels = [1, 2, 3].map((id) => Int32Array.of(id));
  const rows = await model.scoreLabels(items, labels, silent);
  expect(rows.map((row) => [...row])).toEqual([
    [-1, -2, -3],
    [-0.1, -0.2, -0.3],
  ]);
  expect([...(await model.scoreGold(items, silent))]).toEqual([-2, -0.5]);
});

test("recorded texts lose their end token, and end before a stop string", async () => {
  const texts = [
    { text: "good news", isEnded: true },
    { text: "a long answer", isEnded: false },
    { text: "yes\n\nAnother question", isEnded: false },
  ];
  const written = await recorded(texts, ["\n\n"]).write(
    texts.map(() => example([1])),
    { endIds: [], maxNewTokens: 9 },
    silent,
  );
  expect(written).toEqual([
    { text: "good news", stopped: "end" },
    { text: "a long answer", stopped: "length" },
    { text: "yes", stopped: "stop" },
  ]);
});

test("recorded texts without stop strings are read as a whole, as bytes that are no character may change what came before", async () => {
  // A run of bytes is a text, or each of them is U+FFFD (ByteFallback).
  const decode = (ids: ArrayLike<number>) => (ids.length === 1 ? "\x13" : "\ufffd".repeat(ids.length));
  const text = "good news";
  const [written] = await recorded([{ text, isEnded: false }], [], decode).write(
    [example([1])],
    { endIds: [], maxNewTokens: 9 },
    silent,
  );
  expect(written!.text).toBe("\ufffd".repeat(tokenizer.encode(text).length));
});
