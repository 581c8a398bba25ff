import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { afterEach, describe, expect, test } from "vitest";
import { CheckpointError, DataError } from "../../base/errors.ts";
import type { Message } from "../../specs/message.ts";
import { openTemplate, plainJinja, plainTemplate, tokenizeExample, tokenizeLabels } from "./chat-template.ts";
import { openTokenizer } from "./tokenizers.ts";
import { asked } from "./turns.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/data-tokenizer");
const KINDS = join(GOLDEN, "kinds");
interface Chat {
  prompt: string;
  opened: string;
  whole: string;
  ids: number[];
  wholeIds: number[];
}
/** Each tokenizer's folder, what ends an answer in its template, and what stands between the generation prompt and an answer. */
const CASES: [name: string, end: string, between: string][] = [
  ["kinds/byte-level-digits", "<|stop|>", ""],
  ["kinds/byte-level-pattern", "<|stop|>", ""],
  ["kinds/byte-fallback", "</s>", " "],
  ["families/mistral", "</s>", " "],
  ["families/qwen2", "<|im_end|>", ""],
  ["families/qwen3", "<|im_end|>", "<think>\n\n</think>\n\n"],
  ["families/phi3", "<|end|>", ""],
  ["families/phi4-mini", "<|end|>", ""],
  ["families/gemma2", "<end_of_turn>", ""],
];

let temp: string | undefined;
afterEach(() => temp !== undefined && rmSync(temp, { recursive: true, force: true }));
function folderWith(template: unknown): string {
  temp = mkdtempSync(join(tmpdir(), "mixtune-template-"));
  cpSync(join(KINDS, "byte-level-digits"), temp, { recursive: true });
  const path = join(temp, "tokenizer_config.json");
  const { chat_template: _, ...config } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(template === null ? config : { ...config, chat_template: template }));
  return temp;
}
const open = (template: unknown) => {
  const folder = folderWith(template);
  return openTemplate(folder, openTokenizer(folder));
};

describe.each(CASES)("the chat template of %s", (name, end, between) => {
  const [set, kind] = name.split("/") as [string, string];
  const { chats } = JSON.parse(readFileSync(join(GOLDEN, set, "expected.json"), "utf8"))[kind] as { chats: Chat[] };
  const tokenizer = openTokenizer(join(GOLDEN, name));
  const template = openTemplate(join(GOLDEN, name), tokenizer);

  test.each(chats)("renders $prompt as transformers does", ({ prompt, opened, whole }) => {
    expect(template.name).toBe("chat");
    expect(template.render(asked(prompt))).toBe(opened);
    expect(template.answerText("positive")).toBe(`${between}positive`);
    expect(whole.startsWith(`${opened}${between}positive${end}`)).toBe(true);
  });

  test("gives the ids of transformers, with one bos, and ends an answer as the template does", () => {
    for (const { prompt, ids, wholeIds } of chats) {
      const example = { id: "train#1", prompt, answer: "positive", group: "" };
      const tokenized = tokenizeExample(example, { answer: { kind: "text", field: "a" } }, tokenizer, template);
      expect([...tokenized.prompt]).toEqual(ids);
      expect([...tokenized.prompt, ...tokenized.answer]).toEqual(
        wholeIds.slice(0, wholeIds.lastIndexOf(tokenizer.idOf(end)!) + 1),
      );
    }
  });
});

describe("a conversation", () => {
  type Conversation = { messages: Message[]; merged: boolean; text: string; ids: number[] };
  const all: Record<string, Conversation[]> = JSON.parse(
    readFileSync(join(GOLDEN, "conversations", "expected.json"), "utf8"),
  );
  test.each(Object.keys(all))("of %s is rendered as by transformers, merged where the template refuses it", (name) => {
    const tokenizer = openTokenizer(join(GOLDEN, name));
    const template = openTemplate(join(GOLDEN, name), tokenizer);
    for (const { messages, merged, text, ids } of all[name]!) {
      expect(template.render(messages)).toBe(text);
      expect(template.mergedIn(messages) !== null).toBe(merged);
      expect([...tokenizer.encode(text)]).toEqual(ids);
    }
  });

  test("of the plain template goes on as a single prompt does", () => {
    const template = plainTemplate(openTokenizer(join(KINDS, "byte-level-pattern")));
    const said: Message[] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Why?" },
      { role: "assistant", content: "Because." },
      { role: "user", content: "How?" },
    ];
    expect(template.render(said)).toBe("Be brief.\n\nWhy?\nAnswer: Because.\n\nHow?\nAnswer:");
    expect(template.render([said[3]!])).toBe(template.render(asked("How?")));
  });
});

describe("a template", () => {
  type Case = { messages: Message[]; opened: string; answers: Record<string, string> };
  const all: Record<string, { template: string; cases: Case[] }> = JSON.parse(
    readFileSync(join(GOLDEN, "templates", "expected.json"), "utf8"),
  );
  test.each(Object.entries(all))("%s renders conversations and answers as transformers does", (_, one) => {
    const { render, mergedIn, answerText } = open(one.template);
    for (const { messages, opened, answers } of one.cases) {
      expect(render(messages)).toBe(opened);
      expect(mergedIn(messages)).toBeNull();
      for (const [answer, whole] of Object.entries(answers)) expect(render(messages) + answerText(answer)).toBe(whole);
    }
  });

  const one = "{{ messages[0]['content'] }}:{{ messages[1]['content'] if messages|length > 1 }}";
  const named = (names: string[]) => names.map((name) => ({ name, template: name === "default" ? one : "none" }));
  test("of several is the one named default", () => {
    for (const field of [named(["rag", "default", "tool_use"]), { tool_use: "none", default: one }])
      expect(open(field).render(asked("Why?"))).toBe("Why?:");
    expect(() => open(named(["rag", "tool_use"]))).toThrow(/of several one named "default", got rag, tool_use/);
  });
});

describe("openTemplate", () => {
  test("falls back to the plain template, which puts the tokenizer's bos in front and ends with end-of-text", () => {
    const folder = join(KINDS, "byte-level-pattern");
    const tokenizer = openTokenizer(folder);
    const template = plainTemplate(tokenizer);
    expect(template.render(asked("Why?")) + template.answerText("yes")).toBe("Why?\nAnswer: yes");
    const example = { id: "train#1", prompt: "Why?", answer: "yes", group: "" };
    const { prompt, answer } = tokenizeExample(example, { answer: { kind: "text", field: "a" } }, tokenizer, template);
    expect(tokenizer.decode(prompt)).toBe("<s>Why?\nAnswer:");
    expect(tokenizer.decode(answer)).toBe(" yes</s>");
    expect(open(null).name).toBe("plain");
  });

  test("continues a prompt as the whole text is tokenised, also where the tokenizer puts a blank before every text", () => {
    const tokenizer = openTokenizer(join(GOLDEN, "families/phi3"));
    const template = plainTemplate(tokenizer);
    const example = { id: "train#1", prompt: "Why?", answer: "yes", group: "" };
    const { prompt, answer } = tokenizeExample(example, { answer: { kind: "text", field: "a" } }, tokenizer, template);
    const whole = [...tokenizer.leadIds, ...tokenizer.encode("Why?\nAnswer: yes"), tokenizer.eosId];
    expect([...prompt, ...answer]).toEqual(whole);
    expect([...tokenizer.encode(" yes")]).not.toEqual([...answer.subarray(0, -1)]);
  });

  test("spells eos_token as tokenizer_config.json does, whatever generation_config.json ends with", () => {
    const folder = folderWith(
      "{{ messages[0]['content'] }}{{ eos_token }}{{ messages[1]['content'] if messages|length > 1 }}",
    );
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: [0, 2] }));
    const tokenizer = openTokenizer(folder);
    expect(tokenizer.decode([tokenizer.eosId])).toBe("<|endoftext|>");
    expect(openTemplate(folder, tokenizer).render(asked("Why?"))).toBe("Why?<|stop|>");
  });

  test("has another digest for another template", () => {
    const one = "{{ messages[0]['content'] }}:{% if messages|length > 1 %}{{ messages[1]['content'] }}{% endif %}";
    expect(open(one).digest).not.toBe(open(`${one}.`).digest);
  });

  test.each([
    ["does not parse", "{% for m in messages %}"],
    ["leaves the messages out", "hello"],
    ["refuses a user's turn", "{{ raise_exception('no users here') }}"],
    [
      "never ends",
      "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{{ '' }}{% endfor %}{% endfor %}{% endfor %}",
    ],
    [
      "makes too much of it",
      "{{ messages[0]['content'] }}{% for a in range(9999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
    ],
    ["asks for too long a range", "{% for a in range(999999999) %}{% endfor %}"],
    ["is too long", "x".repeat(300_000)],
    ["cannot be read in time", `${"a".padEnd(150_000)}{%- if true -%}${"".padEnd(40_000)}{%- endif -%}`],
    ["doubles a list", "{% set a = namespace(b=[1]) %}{% for i in range(99) %}{% set a.b = a.b + a.b %}{% endfor %}"],
    ["calls itself for ever", "{% macro a(b) %}{{ b(b) }}{% endmacro %}{{ a(a) }}"],
    [
      "leaves a loop behind text",
      "{% for m in messages %}{{ m.content }}{% if loop.index > 3 %}{% break %}{% endif %}{% endfor %}",
    ],
  ])("refuses a template that %s", (_, template) => {
    expect(() => open(template)).toThrow(CheckpointError);
  });

  test("refuses a template that asks for the day, and says so", () => {
    expect(() => open("{{ strftime_now('%d') }}{{ messages[0]['content'] }}")).toThrow(/a call of strftime_now/);
  });
});

describe("tokenizeExample", () => {
  const tokenizer = openTokenizer(join(KINDS, "byte-level-digits"));
  const template = plainTemplate(tokenizer);

  test("makes a document one answer that ends with end-of-text", () => {
    const document = { id: "train#1", prompt: "", answer: "Once upon a time.", group: "" };
    const { prompt, answer } = tokenizeExample(
      document,
      { answer: { kind: "document", field: "text" } },
      tokenizer,
      template,
    );
    expect(prompt).toHaveLength(0);
    expect(tokenizer.decode(answer)).toBe("Once upon a time.<|stop|>");
  });

  test("refuses an answer of nothing but white space", () => {
    const example = { id: "train#7", prompt: "Why?", answer: " \n", group: "" };
    expect(() => tokenizeExample(example, { answer: { kind: "text", field: "a" } }, tokenizer, template)).toThrow(
      DataError,
    );
  });
});

describe("tokenizeLabels", () => {
  const tokenizer = openTokenizer(join(KINDS, "byte-level-digits"));

  test("ends each label and keeps their order", () => {
    const labels = tokenizeLabels(["no", "yes"], plainTemplate(tokenizer));
    expect(labels.map((ids) => tokenizer.decode(ids))).toEqual([" no<|stop|>", " yes<|stop|>"]);
  });

  test("refuses labels that are the same tokens", () => {
    expect(() => tokenizeLabels(["no", "no"], plainTemplate(tokenizer))).toThrow(DataError);
  });
});

// A chat wrapper asks with what the template writes in front of an answer: a blank there was a token that no trained answer follows.
test("the template of a GGUF writes in front of the last answer what a model was trained to answer behind, and earlier answers whole", () => {
  const render = (last: "whole" | "bare") =>
    new Template(plainJinja(false, last)).render({
      messages: [
        { role: "user", content: "One?" },
        { role: "assistant", content: last === "bare" ? " yes" : "yes" },
        { role: "user", content: "Two?" },
        { role: "assistant", content: "MARK" },
      ],
      eos_token: "<end>",
    });
  expect(render("bare")).toBe("One?\nAnswer: yes\n\nTwo?\nAnswer:MARK<end>");
  expect(render("whole")).toBe("One?\nAnswer: yes\n\nTwo?\nAnswer: MARK<end>");
});
