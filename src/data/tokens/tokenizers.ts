/**
 * @file Text to token ids and back, with a model folder's own tokenizer.json. The arithmetic is @huggingface/tokenizers; this file finds the
 * special tokens, refuses what that library is known to get wrong, and adds no special tokens by itself: that is the template's business.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { digestOf } from "../../base/digest.ts";
import { CheckpointError } from "../../base/errors.ts";
import { readText } from "../../formats/files.ts";

/** A model's tokenizer. */
export interface Tokenizer {
  /** Ids of a text; special tokens spelled out in the text are recognised, none is added. */
  encode(text: string): Int32Array;
  /** Text of ids, special tokens included, spaces as they were. */
  decode(ids: ArrayLike<number>): string;
  /** Id of a token by its spelling in the vocabulary. */
  idOf(token: string): number | undefined;
  /** One more than the highest id. */
  vocabSize: number;
  /** The end-of-text token: the first of `eosIds`. */
  eosId: number;
  /** Every token that ends a text that the model writes: all of eos_token_id in generation_config.json, else in config.json, else eos_token. */
  eosIds: readonly number[];
  /** The padding token, or `eosId` where the model has none. */
  padId: number;
  bosId: number | null;
  /** What the model's own post-processor puts in front of a text (its bos, or nothing). */
  leadIds: Int32Array;
  /** Spellings by the names that a chat template knows them by: bos_token, eos_token and so on, as far as tokenizer_config.json has them. */
  spellings: Readonly<Record<string, string>>;
  /** Added tokens marked special, by id. */
  specialIds: ReadonlySet<number>;
  /** Digest of everything that the ids depend on. */
  digest: string;
}

/** Longest tokenizer.json accepted, in characters; the largest known today are about a third of it. */
const MAX_TOKENIZER_CHARS = 64_000_000;

/**
 * Opens the tokenizer of a model folder.
 *
 * @param folder  holds tokenizer.json; tokenizer_config.json, config.json and generation_config.json are read where present
 * @throws {CheckpointError} a file is missing or damaged, a feature cannot be reproduced, or there is no end-of-text token
 */
export function openTokenizer(folder: string): Tokenizer {
  const path = join(folder, "tokenizer.json");
  const source = readJson(folder, "tokenizer.json");
  if (source === null) {
    throw new CheckpointError({
      place: path,
      expected: "the model's tokenizer.json",
      got: "no such file",
      remedy:
        "Add the file; models with only a tokenizer.model can be saved again by transformers' AutoTokenizer, which writes it.",
    });
  }
  const config = readJson(folder, "tokenizer_config.json") ?? {};
  const modelConfig = readJson(folder, "config.json") ?? {};
  const generation = readJson(folder, "generation_config.json") ?? {};
  const json = withoutIdleSplit(source);
  refuseUnfaithful(json, path);
  const inner = build(json, config, path);
  const ids = (text: string) => Int32Array.from(inner.encode(text, { add_special_tokens: false }).ids);

  const spellings = spellingsIn(config);
  const named = (key: string): number | undefined =>
    spellings[key] === undefined ? undefined : inner.token_to_id(spellings[key]);
  const numbered = (key: string): number[] =>
    [idsIn(generation[key]), idsIn(modelConfig[key])].find(({ length }) => length > 0) ?? [];
  const written = numbered("eos_token_id");
  const eosIds = written.length > 0 ? written : idsIn(named("eos_token"));
  const [eosId] = eosIds;
  if (eosId === undefined) {
    throw new CheckpointError({
      place: folder,
      expected:
        "an end-of-text token (eos_token_id in generation_config.json or config.json, or eos_token in tokenizer_config.json)",
      got: "none",
      remedy: "Name the token in one of these files.",
    });
  }
  refuseBeyond(inner, modelConfig.vocab_size, path);
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.filter(isRecord) : [];
  return {
    encode: ids,
    decode: (list) =>
      list.length === 0
        ? "" // the library refuses an empty list
        : inner.decode(Array.from(list), { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    idOf: (token) => inner.token_to_id(token),
    vocabSize: highestId(inner) + 1,
    eosId,
    eosIds,
    padId: named("pad_token") ?? numbered("pad_token_id")[0] ?? eosId,
    bosId: named("bos_token") ?? numbered("bos_token_id")[0] ?? null,
    leadIds: leadOf(inner, ids),
    spellings,
    specialIds: new Set(added.filter((token) => token.special === true).map((token) => token.id as number)),
    digest: digestOf({
      tokenizer: json,
      config: { ...config, chat_template: undefined },
      eosId,
      eosIds: eosIds.length > 1 ? eosIds : undefined,
    }),
  };
}

/**
 * A JSON file of a model folder, or null where there is none.
 * @throws {CheckpointError} not JSON, not an object, or far too large
 */
export function readJson(folder: string, name: string): Record<string, unknown> | null {
  const path = join(folder, name);
  if (!existsSync(path)) return null;
  const text = readText(path);
  const bad = (got: string, cause?: unknown) =>
    new CheckpointError({
      place: path,
      expected: "a JSON object",
      got,
      remedy: "Fetch the model's files again.",
      cause,
    });
  if (text.length > MAX_TOKENIZER_CHARS) throw bad(`${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad("text that is not JSON", cause);
  }
  if (!isRecord(value)) throw bad(Array.isArray(value) ? "a list" : typeof value);
  return value;
}

function build(json: Record<string, unknown>, config: Record<string, unknown>, path: string): HubTokenizer {
  try {
    return new HubTokenizer(json, config);
  } catch (cause) {
    throw new CheckpointError({
      place: path,
      expected: "a tokenizer that @huggingface/tokenizers can read",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Fetch the file again; if it is whole, this kind of tokenizer is not supported.",
      cause,
    });
  }
}

/**
 * Without a split at a character that the normalizer leaves nowhere: Gemma's file has one, in a behaviour that the library lacks.
 */
function withoutIdleSplit(json: Record<string, unknown>): Record<string, unknown> {
  const literalOf = (step: unknown, type: string) =>
    isRecord(step) && step.type === type && isRecord(step.pattern) ? step.pattern.String : undefined;
  const replace = stepsOf(json.normalizer).at(-1);
  const literal = literalOf(json.pre_tokenizer, "Split");
  const isIdle =
    typeof literal === "string" &&
    literal.length === 1 &&
    literal === literalOf(replace, "Replace") &&
    !`${replace?.content}`.includes(literal);
  return isIdle ? { ...json, pre_tokenizer: null } : json;
}

/** Split behaviours that the library does not have. */
const UNKNOWN_BEHAVIOURS = ["MergedWithPrevious", "MergedWithNext", "Contiguous"];

/** Refuses pre-tokenizers and normalizers whose ids would differ in silence from those of the Rust library. */
function refuseUnfaithful(json: Record<string, unknown>, path: string): void {
  for (const part of ["normalizer", "pre_tokenizer"]) {
    for (const step of stepsOf(json[part])) {
      if (typeof step.behavior === "string" && UNKNOWN_BEHAVIOURS.includes(step.behavior)) {
        throw cannot(path, part, `the ${step.type} behaviour ${step.behavior}`);
      }
      const pattern = isRecord(step.pattern) ? step.pattern.Regex : undefined;
      if (typeof pattern !== "string") continue;
      const feature = unfaithfulRegex(pattern);
      if (feature !== null) throw cannot(path, part, `${feature} in the pattern ${pattern.slice(0, 60)}`);
    }
  }
}

function cannot(path: string, part: string, feature: string): CheckpointError {
  return new CheckpointError({
    place: `${path}: ${part}`,
    expected: "features whose token ids can be reproduced exactly",
    got: feature,
    remedy: "Use another model; with this one training and scoring would see other tokens than its own library does.",
  });
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

/** A component and, where it is a Sequence, its members. */
function stepsOf(component: unknown): Record<string, unknown>[] {
  if (!isRecord(component)) return [];
  const members = component.normalizers ?? component.pretokenizers;
  return Array.isArray(members) ? [component, ...members.flatMap(stepsOf)] : [component];
}

/** `<name>_token` fields: a text, or an object with its content. */
function spellingsIn(config: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const token = isRecord(value) ? value.content : value;
      return /^[a-z]+_token$/.test(key) && typeof token === "string" ? [[key, token]] : [];
    }),
  );
}

function leadOf(inner: HubTokenizer, ids: (text: string) => Int32Array): Int32Array {
  const bare = ids("a");
  const dressed: number[] = inner.encode("a", { add_special_tokens: true }).ids;
  const at = dressed.findIndex((_, i) => bare.every((id, k) => dressed[i + k] === id));
  return Int32Array.from(dressed.slice(0, Math.max(0, at)));
}

/**
 * A token without a row in the embedding would end a run at the first text that holds it.
 * @param rows  vocab_size of config.json; families that keep it elsewhere have none here
 */
function refuseBeyond(inner: HubTokenizer, rows: unknown, path: string): void {
  if (typeof rows !== "number") return;
  const beyond = [...inner.get_vocab(true)].find(([, id]) => id >= rows);
  if (beyond === undefined) return;
  throw new CheckpointError({
    place: path,
    expected: `ids below ${rows}, the rows of the model's embedding (vocab_size of config.json)`,
    got: `${beyond[0]} as id ${beyond[1]}`,
    remedy:
      "Use the tokenizer that belongs to these weights, or resize the embedding as transformers' resize_token_embeddings does.",
  });
}

function highestId(inner: HubTokenizer): number {
  let highest = 0;
  for (const id of inner.get_vocab(true).values()) highest = Math.max(highest, id);
  return highest;
}

/** The ids of a field that holds one, several or none. */
function idsIn(value: unknown): number[] {
  return [value].flat().filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
