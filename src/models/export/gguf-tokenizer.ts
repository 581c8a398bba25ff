/**
 * @file A tokenizer.json as llama.cpp's tokenizers have it: byte-level BPE ("gpt2") with the name of its pattern, or sentencepiece-like BPE
 * ("llama"). What would give other ids there is refused by name.
 * @source ggml-org/llama.cpp src/llama-vocab.cpp: patterns by name, how texts are split at special tokens, the two algorithms;
 *   gguf-py gguf/constants.py: types of tokens
 */

import { CheckpointError } from "../../base/errors.ts";
import type { GgufValue } from "../../formats/gguf.ts";
import { GPT_4O_PATTERN, LLAMA3_PATTERN, QWEN2_PATTERN } from "../gguf-patterns.ts";

type Json = Readonly<Record<string, unknown>>;

const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** What of a tokenizer is not in tokenizer.json. */
export interface TokenizerFacts {
  /** Of tokenizer.json, for messages. */
  place: string;
  /** Rows of the embedding: ids that have no token are unused ones. */
  vocabSize: number;
  bosId: number | null;
  /** Tokens that end an answer, the end of a turn first. */
  endIds: readonly number[];
  padId: number;
  /** Whether texts get the bos in front. */
  hasLead: boolean;
  chatTemplate: string;
  /** Whether every rendered prompt begins with a special token. */
  promptsBeginSpecial: boolean;
}

/** Values under `tokenizer.`, and what there is to say about them. */
export interface GgufTokenizer {
  values: Map<string, GgufValue>;
  /** Whether `general.name` has to tell llama.cpp that white space behind special tokens goes. */
  stripsBehindSpecial: boolean;
  notes: string[];
}

/** Keys for tokens that end a text: of a turn, of the text, of a message. llama.cpp ends an answer at each. */
const END_KEYS = ["eos_token_id", "eot_token_id", "eom_token_id"];

/** @throws {CheckpointError} a tokenizer that llama.cpp has not, by the part that it has not */
export function ggufTokenizer(json: Json, facts: TokenizerFacts): GgufTokenizer {
  const part = new Part(json, facts.place);
  const model = part.object("model");
  if (model.json.type !== "BPE") throw part.cannot("model.type", "BPE", model.json.type);
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix", "dropout"])
    if (model.json[key]) throw model.cannot(key, "none", model.json[key]);
  const vocabulary = vocabularyOf(model, facts);
  const isBytePieces = model.json.byte_fallback === true;
  const added = addedTokens(part, facts, vocabulary, isBytePieces);
  const made = isBytePieces ? sentencePieces(part, model, vocabulary, facts) : byteLevel(part, model, vocabulary);
  const texts = vocabulary.map((text, id) => text ?? `[PAD${id}]`);
  const types = texts.map((_, id) => {
    if (added.types.has(id)) return added.types.get(id)!;
    return vocabulary[id] === undefined ? TOKEN_TYPE.unused : made.typeOf(id);
  });
  for (const [id, text] of added.texts) texts[id] = text;
  const values = new Map<string, GgufValue>([
    ["tokenizer.ggml.model", { type: "string", value: isBytePieces ? "llama" : "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: made.pre }],
    ["tokenizer.ggml.tokens", { of: "string", values: texts }],
    ["tokenizer.ggml.token_type", { of: "int32", values: types }],
    ...made.values,
    ["tokenizer.ggml.padding_token_id", { type: "uint32", value: facts.padId }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: facts.hasLead }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: false }],
    ["tokenizer.chat_template", { type: "string", value: facts.chatTemplate }],
  ]);
  if (facts.bosId !== null) values.set("tokenizer.ggml.bos_token_id", { type: "uint32", value: facts.bosId });
  for (const [i, key] of END_KEYS.entries()) {
    const value = facts.endIds[i];
    if (value !== undefined) values.set(`tokenizer.ggml.${key}`, { type: "uint32", value });
  }
  const unnamed = facts.endIds.slice(END_KEYS.length).map((id) => texts[id]);
  const notes =
    unnamed.length === 0
      ? made.notes
      : [
          ...made.notes,
          `GGUF names ${END_KEYS.length} ends of a text: give llama.cpp ${unnamed.join(", ")} as a stop.`,
        ];
  return { values, stripsBehindSpecial: added.stripsBehind, notes };
}

/** One way to make pieces of a text. */
interface Made {
  pre: string;
  values: [string, GgufValue][];
  typeOf(id: number): number;
  notes: string[];
}

/** Spellings by id, added tokens included. */
function vocabularyOf(model: Part, { vocabSize }: TokenizerFacts): (string | undefined)[] {
  const texts = new Array<string | undefined>(vocabSize).fill(undefined);
  for (const [text, id] of Object.entries(model.object("vocab").json)) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= vocabSize)
      throw model.cannot(`vocab[${JSON.stringify(text)}]`, `an id below ${vocabSize}, the rows of the embedding`, id);
    texts[id as number] = text;
  }
  return texts;
}

interface Added {
  types: Map<number, number>;
  texts: Map<number, string>;
  stripsBehind: boolean;
}

/** llama.cpp takes away white space behind these tokens of no model, and behind all others of one that is named Phi-3. */
const NEVER_STRIP = ["<unk>", "<s>", "<|endoftext|>"];

function addedTokens(
  part: Part,
  { vocabSize }: TokenizerFacts,
  vocabulary: (string | undefined)[],
  isBytePieces: boolean,
): Added {
  const list = Array.isArray(part.json.added_tokens) ? (part.json.added_tokens as Json[]) : [];
  const [types, texts] = [new Map<number, number>(), new Map<number, string>()];
  const stripping = list.filter(({ rstrip }) => rstrip === true);
  const stripsBehind = stripping.length > 0;
  for (const [i, token] of list.entries()) {
    const at = `added_tokens[${i}]`;
    const { id, content, special, lstrip, rstrip, single_word } = token;
    if (typeof id !== "number" || typeof content !== "string" || id < 0 || id >= vocabSize)
      throw part.cannot(at, `a token with an id below ${vocabSize}, the rows of the embedding`, id);
    if (lstrip === true || single_word === true) throw part.cannot(at, "neither lstrip nor single_word", content);
    if (stripsBehind && (rstrip === true) !== !NEVER_STRIP.includes(content))
      throw part.cannot(at, `rstrip for every token but ${NEVER_STRIP.join(", ")}, or for none`, content);
    const type =
      isBytePieces && content === part.object("model").json.unk_token
        ? TOKEN_TYPE.unknown
        : special === true
          ? TOKEN_TYPE.control
          : TOKEN_TYPE.userDefined;
    types.set(id, type);
    // the text as it is written, where pieces stand for it otherwise
    texts.set(id, type === TOKEN_TYPE.userDefined && isBytePieces ? content.replaceAll("▁", " ") : content);
    vocabulary[id] = content;
  }
  return { types, texts, stripsBehind };
}

/** Byte-level BPE. */
function byteLevel(part: Part, model: Part, vocabulary: readonly (string | undefined)[]): Made {
  const notes: string[] = [];
  const normalizers = part.steps("normalizer").map(({ type }) => type);
  if (normalizers.some((type) => type !== "NFC")) throw part.cannot("normalizer", "none, or NFC", normalizers);
  if (normalizers.length > 0) notes.push("llama.cpp does not bring texts into Unicode's NFC: give it texts that are.");
  const pattern = patternOf(part);
  const ignoresMerges = model.json.ignore_merges === true;
  const known = PATTERNS.find((one) => one.is === pattern && (one.ignoresMerges ?? false) === ignoresMerges);
  if (known === undefined) {
    const expected = "a pattern that llama.cpp knows by name";
    throw part.cannot("pre_tokenizer", expected, ignoresMerges ? `${pattern}, ignoring merges` : pattern);
  }
  if (known.demand !== undefined && !known.demand(vocabulary)) throw part.cannot("vocab", known.demanded!, "others");
  if (known.note !== undefined) notes.push(known.note);
  const merges = mergesOf(model).map((pair) => pair.join(" "));
  return {
    pre: known.pre,
    values: [["tokenizer.ggml.merges", { of: "string", values: merges }]],
    typeOf: () => TOKEN_TYPE.normal,
    notes,
  };
}

interface Pattern {
  /** As {@link patternOf} writes it. */
  is: string;
  /** llama.cpp's name. */
  pre: string;
  ignoresMerges?: boolean;
  /** What of the vocabulary makes llama.cpp's pattern give the same pieces. */
  demand?: (vocabulary: readonly (string | undefined)[]) => boolean;
  demanded?: string;
  note?: string;
}

const PATTERNS: readonly Pattern[] = [
  { is: "bytes", pre: "gpt-2" },
  { is: "digits, bytes", pre: "smollm" },
  {
    is: "split  ?[0-9], bytes",
    pre: "gpt-2",
    demand: hasLoneDigits,
    demanded:
      "no token of several digits, of a digit and other text, or of several blanks (then splitting at digits changes nothing)",
  },
  { is: `split ${QWEN2_PATTERN}`, pre: "qwen2" },
  { is: `split ${LLAMA3_PATTERN}`, pre: "llama-bpe", ignoresMerges: true },
  { is: `split ${LLAMA3_PATTERN}`, pre: "smaug-bpe" },
  {
    is: `split ${GPT_4O_PATTERN}`,
    pre: "gpt-4o",
    note: "llama.cpp tells capitals from small letters in ASCII only: words with others may be cut elsewhere.",
  },
];

/** The steps of the pre-tokenizer in a few words: `split PATTERN`, `digits`, `bytes` (with GPT-2's own pattern). */
function patternOf(part: Part): string {
  const steps = part.steps("pre_tokenizer");
  const words = steps.flatMap((step): string[] => {
    const { type, pattern, behavior, invert, add_prefix_space, use_regex, individual_digits } = step;
    const regex = (pattern as Json | undefined)?.Regex;
    const isCut = (behavior === "Isolated" && invert !== true) || (behavior === "Removed" && invert === true);
    if (type === "Split" && typeof regex === "string" && isCut) return [`split ${regex}`];
    if (type === "Digits" && individual_digits === true) return ["digits"];
    if (type === "ByteLevel" && add_prefix_space !== true) return use_regex === false ? [] : ["bytes"];
    throw part.cannot("pre_tokenizer", "steps that llama.cpp has", step);
  });
  if (steps.at(-1)?.type !== "ByteLevel")
    throw part.cannot("pre_tokenizer", "bytes at its end", part.json.pre_tokenizer);
  return words.join(", ");
}

/** Ġ is a blank, Ċ ĉ č ċ Č are a line feed and so on, Âł is a no-break space in byte-level spelling. */
function hasLoneDigits(vocabulary: readonly (string | undefined)[]): boolean {
  const isLone = (text: string) => !/\d/.test(text) || /^Ġ?\d$/.test(text) || /^<\|.*\|>$/.test(text);
  return vocabulary.every((text) => text === undefined || (isLone(text) && !/(?:[ĠĊĉčċČ]|Âł){2}/.test(text)));
}

/** BPE over characters, bytes where a character has no token; merged by llama.cpp in the order of scores. */
function sentencePieces(
  part: Part,
  model: Part,
  vocabulary: readonly (string | undefined)[],
  facts: TokenizerFacts,
): Made {
  const notes: string[] = [];
  const addsBlank = addsBlankInFront(part, facts, notes);
  const ranks = ranksOfPieces(part, model, vocabulary);
  const scores = vocabulary.map((text) => (text === undefined ? -1e6 : 0 - (ranks.get(text) ?? 0)));
  return {
    pre: "default",
    values: [
      ["tokenizer.ggml.scores", { of: "float32", values: scores }],
      ["tokenizer.ggml.add_space_prefix", { type: "bool", value: addsBlank }],
      [
        "tokenizer.ggml.unknown_token_id",
        { type: "uint32", value: Math.max(0, vocabulary.indexOf(`${model.json.unk_token}`)) },
      ],
    ],
    typeOf: (id) => (/^<0x[0-9A-F]{2}>$/.test(vocabulary[id] ?? "") ? TOKEN_TYPE.byte : TOKEN_TYPE.normal),
    notes,
  };
}

/** Blanks become ▁ in every such tokenizer; whether one is put in front of each text differs. */
function addsBlankInFront(part: Part, { promptsBeginSpecial }: TokenizerFacts, notes: string[]): boolean {
  const literal = (step: Json, type: string) =>
    step.type === type ? ((step.pattern as Json)?.String ?? "") : undefined;
  const normalizers = part.steps("normalizer");
  const prepends = normalizers[0]?.type === "Prepend" && normalizers[0].prepend === "▁";
  const replaces = normalizers.slice(prepends ? 1 : 0);
  const replacesBlanks =
    replaces.length === 1 && literal(replaces[0]!, "Replace") === " " && replaces[0]!.content === "▁";
  const pre = part.steps("pre_tokenizer");
  // a split at blanks, which the normalizer leaves nowhere: Gemma's
  const isIdle = pre.length === 0 || (pre.length === 1 && replacesBlanks && literal(pre[0]!, "Split") === " ");
  if (replacesBlanks && isIdle) return prepends;
  const [metaspace] = pre;
  const isMetaspace =
    normalizers.length === 0 &&
    pre.length === 1 &&
    metaspace!.type === "Metaspace" &&
    metaspace!.replacement === "▁" &&
    metaspace!.split === false;
  if (!isMetaspace)
    throw part.cannot("pre_tokenizer", "blanks that become ▁, and no cut at them", part.json.pre_tokenizer);
  if (metaspace!.prepend_scheme === "never") return false;
  if (metaspace!.prepend_scheme !== "first" || !promptsBeginSpecial)
    throw part.cannot(
      "pre_tokenizer.prepend_scheme",
      "never, or first with prompts that begin with a special token",
      metaspace!.prepend_scheme,
    );
  notes.push(
    "Texts that do not begin with a special token get no blank in front; the chat template's prompts do begin with one.",
  );
  return false;
}

/**
 * The order in which pieces are merged. llama.cpp merges any two neighbours whose joined text is a piece, the best piece first: this is what the list
 * of merges says only where it has every such pair, and the pairs of one piece stand together.
 */
function ranksOfPieces(part: Part, model: Part, vocabulary: readonly (string | undefined)[]): Map<string, number> {
  const ranks = new Map<string, number>();
  const pairs = new Map<string, Set<string>>();
  let last: string | undefined;
  for (const [left, right] of mergesOf(model)) {
    const text = left + right;
    if (text !== last && ranks.has(text)) throw part.cannot("model.merges", "the pairs of one piece together", text);
    if (text !== last) ranks.set(text, ranks.size + 1);
    pairs.set(text, (pairs.get(text) ?? new Set()).add(left));
    last = text;
  }
  const added = new Set(((part.json.added_tokens ?? []) as Json[]).map(({ content }) => content));
  const pieces = new Set(vocabulary.filter((text) => text !== undefined && !added.has(text)));
  for (const text of pieces) {
    if (/^<0x[0-9A-F]{2}>$/.test(text!)) continue;
    const characters = [...text!];
    for (let i = 1; i < characters.length; i++) {
      const [left, right] = [characters.slice(0, i).join(""), characters.slice(i).join("")];
      if (pieces.has(left) && pieces.has(right) && !pairs.get(text!)?.has(left))
        throw part.cannot(
          "model.merges",
          `every pair that makes a piece, ${JSON.stringify([left, right])} too`,
          "none",
        );
    }
  }
  return ranks;
}

function mergesOf(model: Part): [string, string][] {
  const list = Array.isArray(model.json.merges) ? model.json.merges : [];
  return list.map((merge, i) => {
    const pair: unknown[] = typeof merge === "string" ? merge.split(" ") : merge;
    if (Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === "string"))
      return pair as [string, string];
    throw model.cannot(`merges[${i}]`, "two pieces", merge);
  });
}

/** An object of a tokenizer.json, and where it is. */
class Part {
  readonly json: Json;
  private readonly place: string;

  constructor(json: Json, place: string) {
    this.json = json;
    this.place = place;
  }

  object(key: string): Part {
    const value = this.json[key];
    if (typeof value !== "object" || value === null) throw this.cannot(key, "an object", value);
    return new Part(value as Json, `${this.place}: ${key}`);
  }

  /** A component's steps: its members where it is a Sequence, none where there is none. */
  steps(key: string): Json[] {
    const component = this.json[key] as Json | null | undefined;
    if (component === null || component === undefined) return [];
    const members = component.normalizers ?? component.pretokenizers;
    return component.type === "Sequence" && Array.isArray(members) ? (members as Json[]) : [component];
  }

  cannot(key: string, expected: string, got: unknown): CheckpointError {
    const text = typeof got === "string" ? got : (JSON.stringify(got) ?? "nothing");
    return new CheckpointError({
      place: `${this.place}: ${key}`,
      expected: `${expected}, as llama.cpp has it`,
      got: text.slice(0, 200),
      remedy: "In llama.cpp the model would see other tokens: export it with options.to hf or onnx.",
    });
  }
}
