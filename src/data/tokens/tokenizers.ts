/**
 * @file Text to token ids and back, with a model folder's own tokenizer.json. Cutting and merging is @huggingface/tokenizers', as far as
 * tokenizer-file.ts lets it; no special tokens are added here: that is the template's business.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { digestOf } from "../../base/digest.ts";
import { CheckpointError } from "../../base/errors.ts";
import { readText } from "../../formats/files.ts";
import { type AddedToken, type Cut, cutter } from "./added-tokens.ts";
import { decoderOf } from "./token-decoder.ts";
import { cannot, isId, isRecord, readTokenizerFile, type TokenizerFile } from "./tokenizer-file.ts";

/** A model's tokenizer. */
export interface Tokenizer {
  /** Ids of a text; special tokens spelled out in the text are recognised, none is added. */
  encode(text: string): Int32Array;
  /**
   * Text of ids, special tokens included, spaces as they were.
   * @param isOpen  more may follow: bytes at the end, which the next one may make no characters, are left out. Default false
   */
  decode(ids: ArrayLike<number>, isOpen?: boolean): string;
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
  /** Tokens that are found in a text before it is cut, with the flags that count. */
  added: readonly AddedToken[];
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
  const file = readTokenizerFile(source, config, path);
  const { encode, decode, tokens } = build(file);

  const spellings = spellingsIn(config);
  const named = (key: string): number | undefined =>
    spellings[key] === undefined ? undefined : tokens.idOf(spellings[key]);
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
  refuseBeyond(tokens, { eosIds, ...file }, modelConfig.vocab_size);
  return {
    encode,
    decode,
    idOf: tokens.idOf,
    vocabSize: tokens.size,
    eosId,
    eosIds,
    padId: named("pad_token") ?? numbered("pad_token_id")[0] ?? eosId,
    bosId: named("bos_token") ?? numbered("bos_token_id")[0] ?? null,
    leadIds: Int32Array.from(file.lead),
    spellings,
    added: file.added,
    specialIds: new Set(file.added.filter(({ special }) => special).map(({ id }) => id)),
    digest: digestOf({
      tokenizer: file.library.pre_tokenizer === null ? { ...source, pre_tokenizer: null } : source,
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

/** Tokens by id and ids by token. */
interface Tokens {
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  all: Iterable<readonly [string, number]>;
  /** One more than the highest id. */
  size: number;
}

/** @param spell  what an added token is found by, which is its text too */
function tokensOf({ added, vocab }: TokenizerFile, spell: (token: AddedToken) => string): Tokens {
  const ids = new Map([...vocab, ...added.map(({ content, id }) => [content, id] as const)]);
  const tokens = new Map([...vocab].map(([token, id]) => [id, token]));
  for (const token of added) tokens.set(token.id, spell(token));
  const size = [...ids.values()].reduce((most, id) => Math.max(most, id + 1), 0);
  return { idOf: (token) => ids.get(token), tokenOf: (id) => tokens.get(id), all: ids, size };
}

/** From text to ids and back. @throws {CheckpointError} what the library cannot read */
function build(file: TokenizerFile): Pick<Tokenizer, "encode" | "decode"> & { tokens: Tokens } {
  const { place, added, vocab, startsWithBlank, skipsUnknown } = file;
  const decoder = decoderOf(file.decoder, (part, feature) => cannot(place, part, feature));
  const { normalizer, pre_tokenizer, model } = library(file);
  const normalized = (text: string) => (normalizer === null ? text : normalizer.normalize(text));
  const spell = ({ content, normalized: isNormalized }: AddedToken) => (isNormalized ? normalized(content) : content);
  const tokens = tokensOf(file, spell);
  const [cutRaw, cutNormalized] = [false, true].map((stage) =>
    cutter(
      added.filter((token) => token.normalized === stage),
      spell,
    ),
  ) as [Cut, Cut];
  const unknown = vocab.get(`${model.unk_token}`);
  const words = (text: string, isFirst: boolean) => {
    const whole = startsWithBlank && !text.startsWith(" ") ? ` ${text}` : text;
    return pre_tokenizer === null ? [whole] : pre_tokenizer.pre_tokenize(whole, { section_index: isFirst ? 0 : 1 });
  };
  const known = (word: string) => (skipsUnknown ? [...word].filter((one) => vocab.has(one)).join("") : word);
  const ids = (word: string): number[] => {
    const whole = known(word);
    return whole === "" ? [] : model._call([whole]).map((token: string) => vocab.get(token) ?? unknown!);
  };
  return {
    tokens,
    encode: (text) => {
      const parts = text === "" ? [] : cutRaw(text);
      return Int32Array.from(
        parts.flatMap((part, i) => {
          if (typeof part === "number") return part;
          const text = normalized(part);
          return (text === "" ? [] : cutNormalized(text)).flatMap((piece, k) =>
            typeof piece === "number" ? piece : words(piece, i === 0 && k === 0).flatMap(ids),
          );
        }),
      );
    },
    decode: (list, isOpen) =>
      decoder(
        Array.from(list, tokens.tokenOf).filter((token) => token !== undefined),
        isOpen,
      ),
  };
}

/** The library's parts. */
function library({ library, place }: TokenizerFile) {
  try {
    const { normalizer, pre_tokenizer, model } = new HubTokenizer(library, {});
    return { normalizer, pre_tokenizer, model: model! };
  } catch (cause) {
    throw new CheckpointError({
      place,
      expected: "a tokenizer that @huggingface/tokenizers can read",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Fetch the file again; if it is whole, this kind of tokenizer is not supported.",
      cause,
    });
  }
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

/**
 * A token without a row in the embedding would end a run at the first text that holds it.
 * @param rows  vocab_size of config.json; families that keep it elsewhere have none here
 */
function refuseBeyond(
  tokens: Tokens,
  { place, eosIds, lead }: Pick<TokenizerFile, "place" | "lead"> & { eosIds: readonly number[] },
  rows: unknown,
): void {
  if (typeof rows !== "number") return;
  const named = [...eosIds.map((id) => ["eos_token_id", id] as const), ...lead.map((id) => ["the lead", id] as const)];
  for (const [name, id] of [...tokens.all, ...named]) {
    if (id < rows) continue;
    throw new CheckpointError({
      place,
      expected: `ids below ${rows}, the rows of the model's embedding (vocab_size of config.json)`,
      got: `${name} as id ${id}`,
      remedy:
        "Use the tokenizer that belongs to these weights, or resize the embedding as transformers' resize_token_embeddings does.",
    });
  }
}

/** The ids of a field that holds one, several or none. */
function idsIn(value: unknown): number[] {
  return [value].flat().filter(isId);
}
