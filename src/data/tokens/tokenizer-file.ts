/**
 * @file A tokenizer.json as @huggingface/tokenizers computes it rightly: normalizer, pre-tokenizer and BPE in steps that this library takes as the
 * Rust library does, some of them written otherwise. A feature that would give other ids in silence is refused by name.
 * @source huggingface/tokenizers, the Rust crate: the meaning of each part and of what is left out
 */

import { CheckpointError } from "../../base/errors.ts";
import type { AddedToken } from "./added-tokens.ts";
import { BYTE_OF } from "./token-decoder.ts";

type Json = Readonly<Record<string, unknown>>;

/** A checked file. */
export interface TokenizerFile {
  place: string;
  added: readonly AddedToken[];
  /** Ids of the model's own tokens. */
  vocab: ReadonlyMap<string, number>;
  /** Whether characters without a token are left out of a word before others are merged. */
  skipsUnknown: boolean;
  /** Whether a blank is put in front of each piece of text that has none. */
  startsWithBlank: boolean;
  /** Normalizer, pre-tokenizer and model for the library, which is given neither added tokens nor a decoder. */
  library: Json;
  decoder: unknown;
  /** Ids that the file's post-processor puts in front of a text. */
  lead: readonly number[];
}

/**
 * Reads tokenizer.json.
 * @param config  tokenizer_config.json, which may name more tokens and other flags
 * @throws {CheckpointError} a part that is damaged or not reproduced
 */
export function readTokenizerFile(json: Json, config: Json, place: string): TokenizerFile {
  const vocab = readModel(json.model, place);
  const normalizer = readNormalizer(json.normalizer, place);
  const preTokenizer = readPreTokenizer(json.pre_tokenizer, normalizer, place);
  const [first] = stepsOf(json.pre_tokenizer, "pretokenizers");
  return {
    place,
    added: readAdded(json, config, vocab, place),
    vocab,
    skipsUnknown: skipsUnknown(json.model as Json, vocab, preTokenizer.at(-1)?.type === "ByteLevel", place),
    startsWithBlank: first?.type === "ByteLevel" && first.add_prefix_space === true,
    library: {
      model: json.model,
      normalizer: sequence(normalizer, "normalizers"),
      pre_tokenizer: sequence(preTokenizer, "pretokenizers"),
      post_processor: null,
      decoder: null,
      added_tokens: [],
    },
    decoder: json.decoder,
    lead: readLead(json.post_processor, place),
  };
}

/** A feature whose ids would be others. */
export function cannot(place: string, part: string, feature: string): CheckpointError {
  return new CheckpointError({
    place: `${place}: ${part}`,
    expected: "features whose token ids can be reproduced exactly",
    got: feature,
    remedy: "Use another model; with this one training and scoring would see other tokens than its own library does.",
  });
}

function damaged(place: string, expected: string, got: unknown): CheckpointError {
  const text = (typeof got === "string" ? got : JSON.stringify(got))?.slice(0, 80) ?? "none";
  return new CheckpointError({ place, expected, got: text, remedy: "Fetch the model's files again." });
}

/** Ids of the model's tokens. @throws {CheckpointError} another model than BPE, an option of it that is not reproduced */
function readModel(model: unknown, place: string): Map<string, number> {
  const at = `${place}: model`;
  if (!isRecord(model)) throw damaged(at, "an object", model);
  const { vocab, merges, unk_token } = model;
  const type = model.type ?? "BPE";
  if (type !== "BPE") throw cannot(place, "model.type", `${type}`);
  for (const key of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"])
    if (model[key]) throw cannot(place, `model.${key}`, JSON.stringify(model[key]));
  for (const key of ["fuse_unk", "byte_fallback", "ignore_merges"])
    if (typeof (model[key] ?? false) !== "boolean") throw damaged(`${at}.${key}`, "true or false", model[key]);
  if (!isRecord(vocab)) throw damaged(`${at}.vocab`, "tokens with their ids", vocab);
  const ids = new Map<string, number>();
  const seen = new Set<number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id) || seen.has(id)) throw damaged(`${at}.vocab[${JSON.stringify(token)}]`, "an id of its own", id);
    seen.add(id);
    ids.set(token, id);
  }
  if (!Array.isArray(merges)) throw damaged(`${at}.merges`, "a list of pairs", merges);
  const isSplit = Array.isArray(merges[0]);
  for (const [i, merge] of merges.entries()) {
    const pair: unknown = isSplit ? merge : typeof merge === "string" ? merge.split(" ") : merge;
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === "string");
    if (!isPair || ![...pair, pair.join("")].every((token) => ids.has(token)))
      throw damaged(`${at}.merges[${i}]`, "two tokens that make a third", merge);
  }
  if (unk_token !== null && unk_token !== undefined && !ids.has(unk_token as string))
    throw damaged(`${at}.unk_token`, "a token of the vocabulary", unk_token);
  return ids;
}

/**
 * Whether characters without a token are left out of a word before the others are merged: those of a text for which no token stands.
 * @throws {CheckpointError} where they would be left out in other places: of pieces that are whole tokens, of bytes to fall back on
 * @source tokenizers bpe/model.rs merge_word: a character that is not in the vocabulary adds nothing where there is no unk_token
 */
function skipsUnknown(model: Json, vocab: ReadonlyMap<string, number>, isByteLevel: boolean, place: string): boolean {
  if (typeof model.unk_token === "string") return false;
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
  const names = model.byte_fallback ? bytes : isByteLevel ? [...BYTE_OF.keys()] : [];
  const missing = names.find((name) => !vocab.has(name));
  if (missing !== undefined && (model.byte_fallback || model.ignore_merges))
    throw cannot(place, "model.unk_token", `none, and no token for ${JSON.stringify(missing)}`);
  return missing !== undefined || names.length === 0;
}

const FLAGS = ["single_word", "lstrip", "rstrip", "normalized", "special"] as const;

/**
 * Added tokens: those of tokenizer.json, with the flags that tokenizer_config.json gives them, and those that it names besides.
 * @throws {CheckpointError} a token that is damaged, or whose id is not the one that the Rust library gives it
 * @source tokenizers added_vocabulary.rs add_tokens: ids are given, not read; transformers tokenization_utils_base.py: tokens of the config
 */
function readAdded(json: Json, config: Json, vocab: ReadonlyMap<string, number>, place: string): AddedToken[] {
  const list = json.added_tokens ?? [];
  if (!Array.isArray(list)) throw damaged(`${place}: added_tokens`, "a list", list);
  const tokens = new Map<string, AddedToken>();
  let last = -1;
  const idFor = (content: string): number => vocab.get(content) ?? Math.max(vocab.size, last + 1);
  const add = (token: AddedToken): void => {
    last = Math.max(last, token.id);
    tokens.set(token.content, token);
  };
  for (const [i, token] of list.entries()) {
    const at = `${place}: added_tokens[${i}]`;
    if (!isRecord(token) || typeof token.content !== "string") throw damaged(at, "a token with its content", token);
    for (const flag of FLAGS)
      if (typeof token[flag] !== "boolean") throw damaged(`${at}.${flag}`, "true or false", token[flag]);
    const { content } = token;
    if (content === "") continue; // as there
    const id = tokens.get(content)?.id ?? idFor(content);
    if (token.id !== id) throw damaged(`${at}, ${content}`, `the id ${id}, as the tokenizers library counts`, token.id);
    add(token as unknown as AddedToken);
  }
  for (const token of namedTokens(config)) {
    const known = tokens.get(token.content);
    if (known === undefined) add({ ...token, id: idFor(token.content) });
    else if (token.isWhole) tokens.set(token.content, { ...token, id: known.id });
  }
  return [...tokens.values()];
}

/** Tokens that transformers adds where the tokenizer lacks them; a whole one has flags that count. */
function namedTokens(config: Json): (Omit<AddedToken, "id"> & { isWhole: boolean })[] {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const read = (value: unknown, isWhole: boolean) => {
    const content = isRecord(value) ? value.content : value;
    if (typeof content !== "string" || content === "") return [];
    const flags = isRecord(value) ? FLAGS.filter((flag) => typeof value[flag] === "boolean") : [];
    return [{ ...plain, ...Object.fromEntries(flags.map((flag) => [flag, (value as Json)[flag]])), content, isWhole }];
  };
  const listed = isRecord(config.added_tokens_decoder) ? Object.entries(config.added_tokens_decoder) : [];
  const more = ["extra_special_tokens", "additional_special_tokens"].flatMap((key) => config[key] ?? []);
  return [
    ...listed.sort(([a], [b]) => Number(a) - Number(b)).flatMap(([, token]) => read(token, true)),
    ...["bos", "eos", "unk", "sep", "pad", "cls", "mask"].flatMap((name) => read(config[`${name}_token`], false)),
    ...more.flatMap((token) => read(token, false)),
  ];
}

/** Steps of the normalizer. @throws {CheckpointError} one that is not reproduced */
function readNormalizer(normalizer: unknown, place: string): Json[] {
  return stepsOf(normalizer, "normalizers").map((step, i) => {
    const { type, content, prepend } = step;
    if (["NFC", "NFD", "NFKC", "NFKD"].includes(`${type}`)) return step;
    if (type === "Prepend" && typeof prepend === "string" && i === 0) return step;
    if (type === "Replace" && typeof content === "string") {
      refusePattern(step.pattern, place, "normalizer");
      return { ...step, content: content.replaceAll("$", "$$$$") }; // the library reads $& and the like
    }
    throw cannot(place, "normalizer", `the step ${described(step)}`);
  });
}

/** GPT-2's pattern, which byte-level steps cut by. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Cuts out what matches a pattern; what is between stays too. */
const isolated = (Regex: string): Json => ({
  type: "Split",
  pattern: { Regex },
  behavior: "Isolated",
  invert: false,
});

/** Steps of the pre-tokenizer, for the library. @throws {CheckpointError} one that is not reproduced */
function readPreTokenizer(preTokenizer: unknown, normalizer: readonly Json[], place: string): Json[] {
  const steps = stepsOf(preTokenizer, "pretokenizers");
  if (steps.length === 1 && isIdle(steps[0]!, normalizer)) return [];
  return steps.flatMap((step, i): Json[] => {
    switch (step.type) {
      case "ByteLevel": {
        const { add_prefix_space, use_regex = true } = step;
        if (typeof add_prefix_space !== "boolean" || (add_prefix_space && i > 0))
          throw cannot(place, "pre_tokenizer", `the step ${described(step)}`);
        return [
          ...(use_regex ? [isolated(GPT2)] : []), // the library's own takes U+FEFF for white space and U+0085 for none
          { type: "ByteLevel", add_prefix_space: false, use_regex: false },
        ];
      }
      case "Digits":
        return [isolated(step.individual_digits ? "\\p{N}" : "\\p{N}+")]; // the library's knows ASCII's alone
      case "Metaspace":
        return metaspace(step, i, place);
      case "Split":
        return [split(step, place)];
      default:
        throw cannot(place, "pre_tokenizer", `the step ${described(step)}`);
    }
  });
}

/** A split at a character that the normalizer leaves nowhere: Gemma's, in a behaviour that the library lacks. */
function isIdle({ type, pattern }: Json, normalizer: readonly Json[]): boolean {
  const literal = type === "Split" && isRecord(pattern) ? pattern.String : undefined;
  const last = normalizer.at(-1);
  return (
    typeof literal === "string" &&
    literal.length === 1 &&
    last?.type === "Replace" &&
    isRecord(last.pattern) &&
    last.pattern.String === literal &&
    !`${last.content}`.includes(literal)
  );
}

/** Blanks as ▁; the library does not cut in front of them. */
function metaspace(step: Json, index: number, place: string): Json[] {
  const { replacement, prepend_scheme = "always", split = true, add_prefix_space } = step;
  const isKnown =
    typeof replacement === "string" &&
    replacement.length === 1 &&
    ["always", "never", "first"].includes(`${prepend_scheme}`) &&
    (prepend_scheme !== "first" || index === 0) &&
    (add_prefix_space ?? prepend_scheme !== "never") === (prepend_scheme !== "never");
  if (!isKnown) throw cannot(place, "pre_tokenizer", `the step ${described(step)}`);
  const mark = `\\u${replacement.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const spaces = { type: "Metaspace", replacement, prepend_scheme };
  return split ? [spaces, isolated(`${mark}[^${mark}]*|[^${mark}]+`)] : [spaces];
}

function split(step: Json, place: string): Json {
  const { behavior, invert = false } = step;
  const Regex = refusePattern(step.pattern, place, "pre_tokenizer");
  if (behavior === "Isolated") return isolated(Regex);
  if (behavior === "Removed" && invert) return { ...isolated(Regex), behavior, invert };
  if (behavior === "Removed" && !/\((?!\?)/.test(Regex)) return { ...isolated(Regex), behavior };
  throw cannot(place, "pre_tokenizer", `the ${step.type} behaviour ${behavior}${invert ? ", inverted" : ""}`);
}

/** A pattern as a regular expression. @throws {CheckpointError} none, or one that JavaScript reads otherwise */
function refusePattern(pattern: unknown, place: string, part: string): string {
  const { Regex, String: literal } = isRecord(pattern) ? pattern : {};
  if (typeof literal === "string" && literal !== "") return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  if (typeof Regex !== "string" || Regex === "") throw damaged(`${place}: ${part}`, "a pattern", pattern);
  const feature = unfaithfulRegex(Regex);
  if (feature !== null) throw cannot(place, part, `${feature} in the pattern ${Regex.slice(0, 60)}`);
  return Regex;
}

/**
 * What in a regular expression JavaScript cannot do as Oniguruma does: possessive quantifiers, atomic groups, \G. Null where there is nothing.
 * A `+` after `{n,m}` is a stacked quantifier in Oniguruma and is reproduced.
 */
export function unfaithfulRegex(pattern: string): string | null {
  let depth = 0; // of character classes
  let afterQuantifier = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === "\\") {
      if (depth === 0 && pattern[i + 1] === "G") return "the anchor \\G";
      i++;
      afterQuantifier = false;
      continue;
    }
    if (depth > 0) {
      if (c === "[") depth++;
      else if (c === "]") depth--;
      continue;
    }
    if (c === "[") {
      depth = 1;
      afterQuantifier = false;
    } else if (c === "(" && pattern.startsWith("(?>", i)) {
      return "an atomic group (?>…)";
    } else if (c === "(" && pattern[i + 1] === "?") {
      i++; // the ? of (?: (?= (?! (?i: is no quantifier
      afterQuantifier = false;
    } else if (c === "+" && afterQuantifier) {
      return `the possessive quantifier ${pattern[i - 1]}+`;
    } else {
      afterQuantifier = !afterQuantifier && (c === "*" || c === "+" || c === "?");
    }
  }
  return null;
}

/** Ids in front of a text. @throws {CheckpointError} a post-processor that is not known, or damaged */
function readLead(processor: unknown, file: string): number[] {
  const place = `${file}: post_processor`;
  const steps = stepsOf(processor, "processors").filter(({ type }) => type !== "ByteLevel");
  const [step] = steps;
  if (step === undefined) return [];
  if (steps.length > 1) throw cannot(file, "post_processor", "several steps that add tokens");
  const { type, cls, single, special_tokens } = step;
  if (type === "BertProcessing" || type === "RobertaProcessing") {
    const id = Array.isArray(cls) ? cls[1] : undefined;
    if (isId(id)) return [id];
    throw damaged(`${place}.cls`, "a token and its id", cls);
  }
  if (type !== "TemplateProcessing" || !Array.isArray(single))
    throw damaged(place, "TemplateProcessing, ByteLevel, BertProcessing or RobertaProcessing", step);
  const upTo = single.findIndex((piece) => isRecord(piece) && "Sequence" in piece);
  const ids = single.slice(0, Math.max(0, upTo)).flatMap((piece): unknown => {
    const name = isRecord(piece) && isRecord(piece.SpecialToken) ? piece.SpecialToken.id : undefined;
    const token = isRecord(special_tokens) ? special_tokens[`${name}`] : undefined;
    return isRecord(token) ? token.ids : undefined;
  });
  if (ids.every(isId)) return ids;
  throw damaged(place, "special tokens with their ids", single);
}

/** A component's steps: its members where it is a Sequence, none where there is none. */
function stepsOf(component: unknown, members: string): Json[] {
  if (component === null || component === undefined) return [];
  if (!isRecord(component)) return [{ type: typeof component }];
  const list = component[members];
  return component.type === "Sequence" && Array.isArray(list)
    ? list.flatMap((step) => stepsOf(step, members))
    : [component];
}

function sequence(steps: readonly Json[], members: string): Json | null {
  return steps.length === 0 ? null : { type: "Sequence", [members]: steps };
}

function described(step: Json): string {
  return JSON.stringify(step).slice(0, 80);
}

/** Whether a value can be a token's id. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
