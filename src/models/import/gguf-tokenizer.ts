/**
 * @file A GGUF file's tokenizer as the files that the model's own folder has: tokenizer.json, tokenizer_config.json, generation_config.json.
 * What would give other ids is refused by name.
 * @source ggml-org/llama.cpp src/llama-vocab.cpp: names of patterns, defaults; gguf-py gguf/constants.py: types of tokens
 */

import { GPT_4O_PATTERN, LLAMA3_PATTERN, QWEN2_PATTERN } from "../gguf-patterns.ts";
import type { GgufValues } from "./gguf-values.ts";

type Json = Record<string, unknown>;

export interface TokenizerFiles {
  tokenizer: Json;
  tokenizerConfig: Json;
  generationConfig: Json;
}

/** Types of tokens; 1 is an ordinary one. */
const [CONTROL, USER_DEFINED, UNUSED] = [3, 4, 5];

const byteLevel = (use_regex: boolean): Json => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});
const cutBy = (Regex: string): Json[] => [
  { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
  byteLevel(false),
];

/** One way to cut texts. */
interface Cut {
  steps: readonly Json[];
  /** The model's own tokenizer brings texts into this form first. */
  normalizer?: Json;
  ignoresMerges?: boolean;
  /** Whether texts begin with the bos where the file does not say. */
  addsBos?: boolean;
}

const LLAMA3: Cut = { steps: cutBy(LLAMA3_PATTERN), ignoresMerges: true, addsBos: true };
const GPT2: Cut = { steps: [byteLevel(true)] };

/** By llama.cpp's names. */
const CUTS: Readonly<Record<string, Cut>> = {
  "gpt-2": GPT2,
  gpt2: GPT2,
  smollm: { steps: [{ type: "Digits", individual_digits: true }, byteLevel(true)] },
  qwen2: { steps: cutBy(QWEN2_PATTERN), normalizer: { type: "NFC" } },
  "llama-bpe": LLAMA3,
  llama3: LLAMA3,
  "llama-v3": LLAMA3,
  "smaug-bpe": { steps: cutBy(LLAMA3_PATTERN) },
  "gpt-4o": { steps: cutBy(GPT_4O_PATTERN) },
};

/** @throws {CheckpointError} another kind of tokenizer, or one that is damaged */
export function tokenizerOfGguf(values: GgufValues): TokenizerFiles {
  const model = values.text("tokenizer.ggml.model");
  if (model !== "gpt2") values.refuse("tokenizer.ggml.model", "gpt2, a byte-level one", OTHER_TOKENIZER);
  const pre = values.text("tokenizer.ggml.pre");
  const cut = Object.hasOwn(CUTS, pre) ? CUTS[pre]! : undefined;
  if (cut === undefined)
    return values.refuse("tokenizer.ggml.pre", `one of ${Object.keys(CUTS).join(", ")}`, OTHER_TOKENIZER);
  const tokens = values.texts("tokenizer.ggml.tokens");
  const types = values.numbers("tokenizer.ggml.token_type");
  if (types.length !== tokens.length)
    values.refuse("tokenizer.ggml.token_type", `${tokens.length} types, one of each token`);
  const used = tokens.flatMap((content, id) => (types[id] === UNUSED ? [] : [{ content, id, type: types[id]! }]));
  const vocab: Record<string, number> = Object.create(null);
  for (const { content, id } of used) {
    if (Object.hasOwn(vocab, content)) values.refuse("tokenizer.ggml.tokens", `each token once; ${content} is twice`);
    vocab[content] = id;
  }
  const idOf = (key: string) => {
    if (!values.has(key)) return undefined;
    const id = values.whole(key, undefined, 0);
    return tokens[id] === undefined ? values.refuse(key, `an id below ${tokens.length}`) : id;
  };
  const bos = idOf("tokenizer.ggml.bos_token_id");
  const ends = ["eos", "eot", "eom"].flatMap((name) => idOf(`tokenizer.ggml.${name}_token_id`) ?? []);
  if (ends.length === 0) values.refuse("tokenizer.ggml.eos_token_id", "the token that ends a text");
  const names = {
    bos,
    eos: ends[0],
    pad: idOf("tokenizer.ggml.padding_token_id"),
    unk: idOf("tokenizer.ggml.unknown_token_id"),
  };
  const spelled = Object.entries(names).flatMap(([name, id]) =>
    id === undefined ? [] : [[`${name}_token`, tokens[id]!]],
  );
  const hasLead = values.flag("tokenizer.ggml.add_bos_token", cut.addsBos ?? false);
  if (hasLead && bos === undefined)
    values.refuse("tokenizer.ggml.bos_token_id", "a token, as add_bos_token asks for one");
  const template = values.has("tokenizer.chat_template")
    ? { chat_template: values.text("tokenizer.chat_template") }
    : {};
  return {
    tokenizer: {
      version: "1.0",
      ...{ truncation: null, padding: null, normalizer: cut.normalizer ?? null },
      added_tokens: used.flatMap(({ content, id, type }) => {
        const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
        return type === CONTROL || type === USER_DEFINED ? [{ id, content, ...flags, special: type === CONTROL }] : [];
      }),
      pre_tokenizer: { type: "Sequence", pretokenizers: cut.steps },
      post_processor: hasLead ? lead(tokens[bos!]!, bos!) : null,
      decoder: byteLevel(true),
      model: {
        type: "BPE",
        ...{ dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
        ...{ fuse_unk: false, byte_fallback: false, ignore_merges: cut.ignoresMerges ?? false },
        ...{ vocab, merges: values.texts("tokenizer.ggml.merges") },
      },
    },
    tokenizerConfig: { tokenizer_class: "PreTrainedTokenizerFast", ...Object.fromEntries(spelled), ...template },
    generationConfig: { ...(bos !== undefined && { bos_token_id: bos }), eos_token_id: [...new Set(ends)] },
  };
}

const OTHER_TOKENIZER =
  "With this model training and scoring would see other tokens than llama.cpp: choose another, or its original folder.";

/** Puts a token in front of each text. */
function lead(content: string, id: number): Json {
  return {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}
