import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../base/errors.ts";
import type { Message } from "../../specs/message.ts";
import { ggufTokenizer, type TokenizerFacts } from "./gguf-tokenizer.ts";
import { composed, modelfile, type Render, templatePieces } from "./ollama.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path, "tokenizer.json"), "utf8"));
const family = (name: string) => read(`test/golden/data-tokenizer/families/${name}`);

const FACTS: TokenizerFacts = {
  place: "tokenizer.json",
  vocabSize: 5000,
  bosId: 0,
  endIds: [0],
  padId: 1,
  hasLead: false,
  chatTemplate: "{{ messages }}",
  promptsBeginSpecial: true,
};
const textValue = (json: unknown, key: string, facts = FACTS) => {
  const value = ggufTokenizer(json as Record<string, unknown>, facts).values.get(`tokenizer.${key}`)!;
  return "values" in value ? value.values : value.value;
};

// which ids llama.cpp makes with these is compared in scripts/ci/llama.ts
describe("a tokenizer as llama.cpp has it", () => {
  test.each([
    ["mixtune/tiny", read("assets/tiny"), "gpt2", "gpt-2"],
    ["Qwen's", family("qwen2"), "gpt2", "qwen2"],
    ["Phi-4-mini's", family("phi4-mini"), "gpt2", "gpt-4o"],
    ["digits apart", read("test/golden/data-tokenizer/kinds/byte-level-digits"), "gpt2", "smollm"],
    ["Llama 3's", read("test/golden/data-tokenizer/kinds/byte-level-pattern"), "gpt2", "llama-bpe"],
    ["Mistral's", family("mistral"), "llama", "default"],
  ])("%s", (_, json, model, pre) => {
    expect(textValue(json, "ggml.model")).toBe(model);
    expect(textValue(json, "ggml.pre")).toBe(pre);
    const { vocab } = json.model as { vocab: Record<string, number> };
    const tokens = textValue(json, "ggml.tokens") as string[];
    expect(tokens).toHaveLength(FACTS.vocabSize);
    for (const [text, id] of Object.entries(vocab)) expect(tokens[id]).toBe(text);
  });

  test("says which tokens are special, bytes, unknown, and which ids have none", () => {
    const types = textValue(family("mistral"), "ggml.token_type") as number[];
    const { vocab } = family("mistral").model as { vocab: Record<string, number> };
    expect([types[0], types[1], types[vocab["<0x0A>"]!], types[vocab["▁"]!], types[4999]]).toEqual([2, 3, 6, 1, 5]);
    expect(textValue(family("mistral"), "ggml.add_space_prefix")).toBe(false);
  });

  test("scores fall in the order in which pieces are merged", () => {
    const json = family("mistral");
    const scores = textValue(json, "ggml.scores") as number[];
    const made = (json.model.merges as [string, string][]).map((pair) => scores[json.model.vocab[pair.join("")]]!);
    expect(made).toEqual(made.toSorted((a, b) => b - a));
    expect(new Set(made).size).toBeGreaterThan(50);
  });
});

describe("what llama.cpp would cut otherwise is refused by name", () => {
  /** A tokenizer.json, to be changed anywhere. */
  // biome-ignore lint/suspicious/noExplicitAny: any depth of it
  type Json = Record<string, any>;
  const changed = (json: Record<string, unknown>, change: (json: Json) => void) => {
    const copy = structuredClone(json);
    change(copy);
    return () => ggufTokenizer(copy, FACTS);
  };
  const tiny = read("assets/tiny");

  test.each<[string, () => unknown, RegExp]>([
    [
      "an unknown pattern",
      changed(family("qwen2"), (json) => {
        json.pre_tokenizer.pretokenizers[0].pattern.Regex = "\\w+";
      }),
      /pre_tokenizer: expected a pattern/,
    ],
    [
      "a kind of model",
      changed(tiny, (json) => {
        json.model.type = "Unigram";
      }),
      /model\.type: expected BPE.*got Unigram/,
    ],
    [
      "a token of two digits",
      changed(tiny, (json) => {
        json.model.vocab["12"] = 4500;
      }),
      /vocab: expected no token of several digits/,
    ],
    [
      "a token of two line feeds",
      changed(tiny, (json) => {
        json.model.vocab.ĊĊ = 4500;
      }),
      /vocab: expected no token of several digits/,
    ],
    [
      "an id beyond the embedding",
      changed(tiny, (json) => {
        json.model.vocab.beyond = 9999;
      }),
      /an id below 5000/,
    ],
    [
      "tokens that take blanks in front away",
      changed(tiny, (json) => {
        json.added_tokens[0].lstrip = true;
      }),
      /neither lstrip/,
    ],
    [
      "lower case",
      changed(tiny, (json) => {
        json.normalizer = { type: "Lowercase" };
      }),
      /normalizer: expected none, or NFC/,
    ],
    [
      "a pair that is no merge",
      changed(family("mistral"), (json) => {
        json.model.merges.pop();
      }),
      /every pair that makes a piece/,
    ],
    [
      "tokens of which some take blanks behind away",
      () => ggufTokenizer(family("phi3"), { ...FACTS, vocabSize: 445 }),
      /rstrip for every token but <unk>, <s>/,
    ],
    [
      "a blank in front of the first text alone",
      () => ggufTokenizer(family("mistral"), { ...FACTS, promptsBeginSpecial: false }),
      /prepend_scheme/,
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(CheckpointError);
    expect(make).toThrow(message);
    expect(make).toThrow(/options\.to hf or onnx/);
  });
});

const user = (content: string): Message => ({ role: "user", content });
const TURNS: Message[] = [user("Hi"), { role: "assistant", content: "Yes" }, user("Why?")];

describe("a chat template becomes texts around turns", () => {
  const chatml: Render = (turns) =>
    `${turns.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join("")}<|im_start|>assistant\n`;
  const withDefault: Render = (turns) =>
    chatml(turns[0]!.role === "system" ? turns : [{ role: "system", content: "Be kind." }, ...turns]);
  const noSystem: Render = (turns) => {
    if (turns[0]!.role === "system") throw new Error("no system turn here");
    return turns
      .map(({ role, content }) => (role === "user" ? `[INST] ${content} [/INST]` : ` ${content}</s>`))
      .join("");
  };

  test.each([
    ["ChatML", chatml],
    ["a default system turn", withDefault],
    ["no system turn", noSystem],
  ])("%s", (_, render) => {
    const pieces = templatePieces(render);
    expect(composed(pieces, TURNS)).toBe(render(TURNS));
    expect(pieces.turns.system === null).toBe(render === noSystem);
  });

  test("and those a Modelfile", () => {
    const text = modelfile(templatePieces(chatml), { file: "model.gguf", stops: ["<|im_end|>"], contextLen: 2048 });
    expect(text).toBe(
      `FROM ./model.gguf
TEMPLATE """{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|>system
{{ .Content }}<|im_end|>
{{ else if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
<|im_start|>assistant
{{ else if eq .Role "assistant" }}{{ .Content }}<|im_end|>
{{ end }}{{ end }}"""
PARAMETER stop "<|im_end|>"
PARAMETER num_ctx 2048
`,
    );
  });

  test("a default system turn stands where none is given", () => {
    const text = modelfile(templatePieces(withDefault), { file: "model.gguf", stops: [], contextLen: 1 });
    expect(text).toContain('{{ if eq (index .Messages 0).Role "system" }}{{ else }}<|im_start|>system\nBe kind.');
  });

  test.each<[string, Render]>([
    ["texts that depend on the turn's place", (turns) => turns.map(({ content }, i) => `${i}: ${content}\n`).join("")],
    ["turns that are left out", (turns) => turns.at(-1)!.content],
    ["braces of Ollama's own", (turns) => turns.map(({ content }) => `{{${content}}}`).join("")],
  ])("and is refused with what to do: %s", (_, render) => {
    const make = () => modelfile(templatePieces(render), { file: "model.gguf", stops: [], contextLen: 1 });
    expect(make).toThrow(CheckpointError);
    expect(make).toThrow(/options\.to gguf/);
  });
});
