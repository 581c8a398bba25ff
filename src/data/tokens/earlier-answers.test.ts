/** @file Earlier answers are trained on as transformers marks them, and as they are asked for where a template changes them later. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Message } from "../../specs/message.ts";
import type { Example, LoadedTask } from "../types.ts";
import { openTemplate, plainTemplate } from "./chat-template.ts";
import { type PreparedSplit, prepareTask } from "./prepare.ts";
import type { TokenCache } from "./token-cache.ts";
import { openTokenizer } from "./tokenizers.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/data-tokenizer");
const opened = (name: string) => {
  const tokenizer = openTokenizer(join(GOLDEN, name));
  return { tokenizer, template: openTemplate(join(GOLDEN, name), tokenizer), plain: plainTemplate(tokenizer) };
};
const golden: { messages: Message[]; cases: Record<string, { ids: number[]; mask: number[] }> } = JSON.parse(
  readFileSync(join(GOLDEN, "all-answers/expected.json"), "utf8"),
);

function conversation(messages: readonly Message[], more: Partial<Example> = {}): Example {
  const answer = messages.at(-1)!.content;
  return { id: "train#1", prompt: "", turns: messages.slice(0, -1), answer, group: "1", ...more };
}

function prepared(
  example: Example,
  { tokenizer, template }: Pick<ReturnType<typeof opened>, "tokenizer" | "template">,
  { split = "train", cache }: { split?: "train" | "dev"; cache?: TokenCache } = {},
): PreparedSplit {
  const task: LoadedTask = {
    ...{ name: "toy", answer: { kind: "text", field: "a" }, metric: "token_f1", licence: "x", source: "x", notes: [] },
    splits: { train: [], dev: [], test: [], [split]: [example] },
    digests: { train: "", dev: "", test: "" },
  };
  const options = { cutoffLen: 400, lossOn: "all_answers", onBadRow: "stop" } as const;
  return prepareTask(task, tokenizer, template, options, cache).split(split);
}

/** Texts that the loss is on. */
function learned({ tokenized }: PreparedSplit, { tokenizer }: Pick<ReturnType<typeof opened>, "tokenizer">): string[] {
  return tokenized.flatMap(({ prompt, answer, spans = new Int32Array(0) }) => {
    const pairs = Array.from({ length: spans.length / 2 }, (_, i) => prompt.slice(spans[2 * i], spans[2 * i + 1]));
    return [...pairs, answer].map((ids) => tokenizer.decode(ids));
  });
}

describe("all answers", () => {
  test.each(Object.entries(golden.cases))("of %s are the tokens that transformers marks", (name, { ids, mask }) => {
    const [piece, ...more] = prepared(conversation(golden.messages), opened(name)).tokenized;
    expect(more).toEqual([]);
    const { prompt, answer, spans } = piece!;
    const ours = [...prompt, ...answer];
    expect(ours).toEqual(ids.slice(0, ours.length));
    expect(mask.slice(ours.length).includes(1)).toBe(false);
    const marked = ours.map((_, i) =>
      Number(i >= prompt.length || spans!.filter((place) => place <= i).length % 2 === 1),
    );
    expect(marked).toEqual(mask.slice(0, ours.length));
  });

  const [ask, reply, again, last] = ["u1", "a1", "u2", "a2"].map((content): Message => {
    return { role: content[0] === "u" ? "user" : "assistant", content };
  }) as [Message, Message, Message, Message];

  test("that a row marks, or that nobody asked for, are not trained on", () => {
    const turns = [reply, ask, reply, again, { ...reply, content: "a3" }, ask, last];
    const qwen2 = opened("families/qwen2");
    expect(learned(prepared(conversation(turns), qwen2), qwen2)).toEqual([
      ...["a1<|im_end|>", "a3<|im_end|>", "a2<|im_end|>"],
    ]);
    const marked = prepared(conversation(turns, { unlearned: [2] }), qwen2);
    expect(learned(marked, qwen2)).toEqual(["a3<|im_end|>", "a2<|im_end|>"]);
    expect(marked.rowsDigest).not.toBe(prepared(conversation(turns), qwen2).rowsDigest);
  });

  // As Qwen3's own template: thoughts of earlier answers are dropped, so that nobody is asked for what stands there.
  const FORGETFUL =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% if loop.last %}{{ m.content }}" +
    "{% else %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  test("that a template changes later are examples of their own, in training, and come back from the cache", () => {
    const thought = { ...reply, content: "<think>\nhm\n</think>\n\na1" };
    const example = conversation([ask, thought, again, last]);
    const folder = mkdtempSync(join(tmpdir(), "mixtune-answers-"));
    const cache = { folder: join(folder, "cache"), code: "c" };
    try {
      cpSync(join(GOLDEN, "families/qwen3"), folder, { recursive: true });
      writeFileSync(join(folder, "chat_template.jinja"), FORGETFUL);
      const tokenizer = openTokenizer(folder);
      const qwen3 = { tokenizer, template: openTemplate(folder, tokenizer) };
      const made = prepared(example, qwen3, { cache });
      expect(made.tokenized).toHaveLength(2);
      expect(made.examples[0]).toMatchObject({ id: "train#1", turns: [ask], answer: thought.content });
      expect(qwen3.tokenizer.decode(made.tokenized[0]!.prompt)).toBe(qwen3.template.render([ask]));
      expect(made.notes.join()).toMatch(/changes 1 answers once they are earlier ones/);
      expect(prepared(example, qwen3, { cache })).toEqual(made);
      const whole = conversation(golden.messages);
      expect(prepared(whole, qwen3, { cache })).toEqual(prepared(whole, qwen3, { cache }));
      expect(prepared(example, qwen3, { split: "dev" }).tokenized).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of the plain template end with the last one's end alone", () => {
    const { tokenizer, plain: template } = opened("kinds/byte-level-pattern");
    const split = prepared(conversation([ask, reply, again, last]), { tokenizer, template });
    expect(learned(split, { tokenizer })).toEqual([" a1", " a2</s>"]);
  });

  test("of one role that a template refuses are one, trained on if each may be", () => {
    const strict = opened("kinds/byte-fallback");
    const turns = [ask, reply, { ...reply, content: "a3" }, again, last];
    expect(learned(prepared(conversation(turns), strict), strict)).toEqual(["a1\n\na3</s>", "a2</s>"]);
    expect(learned(prepared(conversation(turns, { unlearned: [2] }), strict), strict)).toEqual(["a2</s>"]);
  });
});
