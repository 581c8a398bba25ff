import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AskedAnswer } from "../../data/asked-task.ts";
import { tokenizeExample } from "../../data/tokens/chat-template.ts";
import { liveSessions } from "../../engine/runtime/session.ts";
import { scoreLabels } from "../../eval/score.ts";
import { openModelFiles } from "../models/model-files.ts";
import { openLocalModels } from "../models/served-models.ts";
import { modelFolder } from "../models/shipped-models.ts";
import { readSettings } from "../settings.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";
import { type Answerer, type Asked, openAnswerer, questionReader } from "./open-answerer.ts";

const ref = { kind: "folder", dir: modelFolder("mixtune/tiny"), name: "mixtune/tiny" } as const;
const prompts = ["Number of shops: Orlin 4, Mavex 7. Mavex?", "What is a bank?", "The sky is"];

let folder: string;
let context: Workspace;
const stop = new AbortController();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-answerer-"));
  const settings = readSettings({ MIXTUNE_CACHE: join(folder, "cache"), HF_HUB_OFFLINE: "1" });
  context = openWorkspace({ settings, signal: stop.signal });
});
afterAll(() => rmSync(folder, { recursive: true }));

let opened: Answerer | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
  expect(liveSessions()).toBe(0);
});
async function ask(answer: AskedAnswer, texts = prompts, most = 4) {
  await opened?.close();
  const files = await openModelFiles(ref, context);
  opened = await openAnswerer(files, answer, async () => most, context);
  const read = questionReader(files, answer);
  return opened.answer(
    texts.map((prompt) => (read({ id: prompt, prompt }) as Asked).whole),
    () => {},
  );
}

describe("a written answer", () => {
  test("is as likely as the network without a cache says of the same text, its end included", async () => {
    const written = (await ask({ kind: "text", field: "" }, prompts, 64))!;
    const { models, close } = await openLocalModels(["mixtune/tiny"], {}, context);
    try {
      const { template, tokenizer, parameters, scoring } = models[0]!;
      const ended = [...written.entries()].filter(([, { finish_reason }]) => finish_reason === "stop");
      expect(ended.length).toBeGreaterThan(0);
      for (const [i, { answer, probability }] of ended) {
        const example = { id: "", prompt: prompts[i]!, answer: answer!, group: "" };
        const tokens = tokenizeExample(example, { answer: { kind: "text", field: "" } }, tokenizer, template);
        const [[logprob]] = (await scoreLabels(await scoring(), parameters, [tokens], [tokens.answer])) as [
          Float64Array,
        ];
        expect(Math.log(probability!)).toBeCloseTo(logprob!, 3);
      }
    } finally {
      await close();
    }
  });

  test("is cut at the most tokens, and said to be", async () => {
    const [cut] = (await ask({ kind: "text", field: "" }, ["The sky is"], 1))!;
    expect(cut).toMatchObject({ finish_reason: "length" });
  });
});

test("a prompt that is too long has no answer, or is shortened where that is declared", async () => {
  const read = questionReader(await openModelFiles(ref, context), { kind: "text", field: "" });
  const prompt = "word ".repeat(3000);
  expect(read({ id: "in.csv:7", prompt })).toEqual({
    problem: expect.stringMatching(/^prompt and answer are \d+ tokens, at most 1024 are read$/),
  });
  const { whole, tokensLost } = read({
    id: "in.csv:7",
    prompt,
    fit: { from: 0, to: prompt.length, keep: "end" },
  }) as Asked;
  expect(whole.prompt.length).toBeLessThan(1024);
  expect(tokensLost).toBeGreaterThan(1000);
});

test("who says stop gets no half answers", async () => {
  stop.abort();
  expect(await ask({ kind: "text", field: "" })).toBeNull();
});
