import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CheckpointError, DataError } from "../base/errors.ts";
import { openTemplate, plainTemplate, tokenizeExample, tokenizeLabels } from "./chat-template.ts";
import { openTokenizer } from "./tokenizers.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/data-tokenizer/kinds");
interface Expected {
  chats: { prompt: string; opened: string; whole: string; ids: number[] }[];
}
const expected: Record<string, Expected> = JSON.parse(readFileSync(join(GOLDEN, "expected.json"), "utf8"));
const ENDS: Record<string, string> = {
  "byte-level-digits": "<|stop|>",
  "byte-level-pattern": "<|stop|>",
  "byte-fallback": "</s>",
};

let temp: string | undefined;
afterEach(() => temp !== undefined && rmSync(temp, { recursive: true, force: true }));
function folderWith(template: string | null): string {
  temp = mkdtempSync(join(tmpdir(), "mixtune-template-"));
  cpSync(join(GOLDEN, "byte-level-digits"), temp, { recursive: true });
  const path = join(temp, "tokenizer_config.json");
  const { chat_template: _, ...config } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(template === null ? config : { ...config, chat_template: template }));
  return temp;
}
const open = (template: string | null) => {
  const folder = folderWith(template);
  return openTemplate(folder, openTokenizer(folder));
};

describe.each(Object.entries(expected))("the chat template of %s", (kind, { chats }) => {
  const tokenizer = openTokenizer(join(GOLDEN, kind));
  const template = openTemplate(join(GOLDEN, kind), tokenizer);

  test.each(chats)("renders $prompt as transformers does", ({ prompt, opened, whole }) => {
    expect(template.name).toBe("chat");
    expect(template.render(prompt)).toBe(opened);
    expect(whole.startsWith(opened + template.answerText("positive"))).toBe(true);
  });

  test("gives the ids of transformers, with one bos, and ends an answer as the template does", () => {
    for (const { prompt, ids } of chats) {
      const example = { id: "train#1", prompt, answer: "positive", group: "" };
      const tokenized = tokenizeExample(example, { kind: "text", field: "a" }, tokenizer, template);
      expect([...tokenized.prompt]).toEqual(ids);
      expect(tokenized.answer.at(-1)).toBe(tokenizer.idOf(ENDS[kind] as string));
    }
  });
});

describe("openTemplate", () => {
  test("falls back to the plain template, which puts the tokenizer's bos in front and ends with end-of-text", () => {
    const folder = join(GOLDEN, "byte-level-pattern");
    const tokenizer = openTokenizer(folder);
    const template = plainTemplate(tokenizer);
    expect(template.render("Why?") + template.answerText("yes")).toBe("Why?\nAnswer: yes");
    const example = { id: "train#1", prompt: "Why?", answer: "yes", group: "" };
    const { prompt, answer } = tokenizeExample(example, { kind: "text", field: "a" }, tokenizer, template);
    expect(tokenizer.decode(prompt)).toBe("<s>Why?\nAnswer:");
    expect(tokenizer.decode(answer)).toBe(" yes</s>");
    expect(open(null).name).toBe("plain");
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
  ])("refuses a template that %s", (_, template) => {
    expect(() => open(template)).toThrow(CheckpointError);
  });
});

describe("tokenizeExample", () => {
  const tokenizer = openTokenizer(join(GOLDEN, "byte-level-digits"));
  const template = plainTemplate(tokenizer);

  test("makes a document one answer that ends with end-of-text", () => {
    const document = { id: "train#1", prompt: "", answer: "Once upon a time.", group: "" };
    const { prompt, answer } = tokenizeExample(document, { kind: "document", field: "text" }, tokenizer, template);
    expect(prompt).toHaveLength(0);
    expect(tokenizer.decode(answer)).toBe("Once upon a time.<|stop|>");
  });

  test("refuses an answer of nothing but white space", () => {
    const example = { id: "train#7", prompt: "Why?", answer: " \n", group: "" };
    expect(() => tokenizeExample(example, { kind: "text", field: "a" }, tokenizer, template)).toThrow(DataError);
  });
});

describe("tokenizeLabels", () => {
  const tokenizer = openTokenizer(join(GOLDEN, "byte-level-digits"));

  test("ends each label and keeps their order", () => {
    const labels = tokenizeLabels(["no", "yes"], tokenizer, plainTemplate(tokenizer));
    expect(labels.map((ids) => tokenizer.decode(ids))).toEqual([" no<|stop|>", " yes<|stop|>"]);
  });

  test("refuses labels that are the same tokens", () => {
    expect(() => tokenizeLabels(["no", "no"], tokenizer, plainTemplate(tokenizer))).toThrow(DataError);
  });
});
