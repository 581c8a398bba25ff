/** @file Every part of a tokenizer.json that is read gives the ids and texts of Python's tokenizers; what is not reproduced is refused by name. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CheckpointError } from "../../base/errors.ts";
import { openTokenizer } from "./tokenizers.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/data-tokenizer");
const folder = mkdtempSync(join(tmpdir(), "mixtune-features-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Json = Record<string, unknown>;
interface Changes {
  kind: string;
  added?: Json[];
  parts?: Json;
  model?: Json;
  config?: Json;
}
interface Case extends Changes {
  ids: number[][];
  decoded: string[];
  odd: number[][];
  oddDecoded: string[];
  lead: number[];
}
const { texts, cases }: { texts: string[]; cases: Record<string, Case> } = JSON.parse(
  readFileSync(join(GOLDEN, "features/expected.json"), "utf8"),
);

type Model = { vocab: Record<string, number>; merges: [string, string][] };

/** Tokens get a name that no text gives; what is merged of them goes with them. */
function renamed({ vocab, merges, ...model }: Model, lacks: readonly string[]): Model {
  const names = new Map(lacks.map((token) => [token, `no ${token}`]));
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const pair of merges) {
      const all = [...pair, pair.join("")];
      if (all.some((token) => names.has(token))) names.set(all[2]!, `no ${all[2]}`);
    }
  }
  const kept = Object.entries(vocab).map(([token, id]) => [names.get(token) ?? token, id]);
  return { ...model, vocab: Object.fromEntries(kept), merges: merges.filter((pair) => !names.has(pair.join(""))) };
}

/** As make.py makes it. */
function opened({ kind, added = [], parts, model, config }: Changes) {
  const read = (file: string) => JSON.parse(readFileSync(join(GOLDEN, "kinds", kind, file), "utf8"));
  const json = { ...read("tokenizer.json"), ...structuredClone(parts) };
  const { lacks = [], ...changes } = (model ?? {}) as { lacks?: string[] };
  json.model = { ...json.model, ...changes };
  if (lacks.length > 0) json.model = renamed(json.model, lacks);
  const { vocab } = json.model;
  const next = () =>
    Math.max(Object.keys(vocab).length - 1, ...json.added_tokens.map(({ id }: { id: number }) => id)) + 1;
  for (const token of added) json.added_tokens.push({ id: vocab[`${token.content}`] ?? next(), ...token });
  const id = added.length > 0 ? next() - 1 : next();
  const named = JSON.parse(JSON.stringify(config ?? {}).replace('"ID"', `"${id}"`));
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ ...read("tokenizer_config.json"), ...named }));
  return openTokenizer(folder);
}

test.each(Object.entries(cases))("%s", (_, wanted) => {
  const tokenizer = opened(wanted);
  expect(texts.map((text) => [text, [...tokenizer.encode(text)]])).toEqual(
    texts.map((text, i) => [text, wanted.ids[i]]),
  );
  expect(wanted.ids.map((ids) => tokenizer.decode(ids))).toEqual(wanted.decoded);
  expect(wanted.odd.map((ids) => tokenizer.decode(ids))).toEqual(wanted.oddDecoded);
  expect([...tokenizer.leadIds]).toEqual(wanted.lead);
});

// An export to GGUF is written from these.
test("flags of tokenizer_config.json are those of the token", () => {
  const { added } = opened(cases["flags of tokenizer_config.json"]!);
  expect(added.find(({ content }) => content === "<m>")).toMatchObject({ lstrip: true, rstrip: true });
});

const BYTES = "byte-level-pattern";
const PIECES = "byte-fallback";
const mark = (change: Json): Json => ({
  ...{ content: "<m>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: false },
  ...change,
});
const split = (behavior: string, change: Json = {}) => ({
  pre_tokenizer: { type: "Split", pattern: { Regex: "\\s+" }, behavior, invert: false, ...change },
});
const step = (part: string, type: string, change: Json = {}) => ({ [part]: { type, ...change } });

test.each<[string, Partial<Changes>, RegExp]>([
  ["another model", { model: { type: "Unigram" } }, /model\.type.*got Unigram/],
  ["dropout", { model: { dropout: 0.1 } }, /model\.dropout.*got 0\.1/],
  [
    "a prefix of continued words",
    { model: { continuing_subword_prefix: "##" } },
    /continuing_subword_prefix.*got "##"/,
  ],
  ["an end of words", { model: { end_of_word_suffix: "</w>" } }, /end_of_word_suffix.*got "<\/w>"/],
  ["an unknown token without an id", { model: { unk_token: "<none>" } }, /unk_token.*got <none>/],
  ["a merge of no token", { model: { merges: ["zz qq"] } }, /merges\[0\].*got zz qq/],
  [
    "bytes without a token, where pieces may be whole",
    { model: { unk_token: null, ignore_merges: true, lacks: ["<"] } },
    /unk_token.*got none, and no token for "<"/,
  ],
  [
    "bytes to fall back on without a token",
    { kind: PIECES, model: { unk_token: null, lacks: ["<0x0A>"] } },
    /unk_token.*got none, and no token for "<0x0A>"/,
  ],
  ["two tokens with one id", { model: { vocab: { a: 1, b: 1 }, merges: [] } }, /vocab\["b"\].*got 1/],
  ["an id that the library would not give", { added: [mark({ id: 5000 })] }, /<m>: expected the id \d+.*got 5000/],
  ["a token without a flag", { added: [mark({ lstrip: undefined })] }, /lstrip: expected true or false, got none/],
  ["lower case", { parts: step("normalizer", "Lowercase") }, /normalizer.*got the step \{"type":"Lowercase"\}/],
  [
    "stripped texts",
    { parts: step("normalizer", "Strip", { strip_left: true, strip_right: true }) },
    /normalizer.*"Strip"/,
  ],
  ["words by white space", { parts: step("pre_tokenizer", "Whitespace") }, /pre_tokenizer.*"Whitespace"/],
  [
    "punctuation",
    { parts: step("pre_tokenizer", "Punctuation", { behavior: "Isolated" }) },
    /pre_tokenizer.*"Punctuation"/,
  ],
  ["cuts that join what is before", { parts: split("MergedWithPrevious") }, /the Split behaviour MergedWithPrevious/],
  ["cuts that join what is behind", { parts: split("MergedWithNext") }, /the Split behaviour MergedWithNext/],
  [
    "blanks in front of the first word alone, behind another step",
    {
      kind: PIECES,
      parts: {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            split("Isolated").pre_tokenizer,
            { type: "Metaspace", replacement: "▁", prepend_scheme: "first" },
          ],
        },
      },
    },
    /pre_tokenizer.*"Metaspace"/,
  ],
  [
    "a cut at a blank that the normalizer leaves",
    {
      kind: PIECES,
      parts: {
        normalizer: { type: "Replace", pattern: { String: " " }, content: "▁ " },
        pre_tokenizer: split("MergedWithPrevious", { pattern: { String: " " } }).pre_tokenizer,
      },
    },
    /the Split behaviour MergedWithPrevious/,
  ],
  ["cuts that join one another", { parts: split("Contiguous") }, /the Split behaviour Contiguous/],
  [
    "groups that are cut away",
    { parts: split("Removed", { pattern: { Regex: "(a)|b" } }) },
    /the Split behaviour Removed/,
  ],
  ["possessive quantifiers", { parts: split("Isolated", { pattern: { Regex: "a++" } }) }, /possessive quantifier/],
  [
    "several leads",
    {
      parts: {
        post_processor: {
          type: "Sequence",
          processors: [{ type: "TemplateProcessing" }, { type: "TemplateProcessing" }],
        },
      },
    },
    /post_processor.*several steps/,
  ],
  [
    "an unknown decoder",
    { parts: step("decoder", "WordPiece", { prefix: "##", cleanup: true }) },
    /decoder.*"WordPiece"/,
  ],
])("%s is refused by name", (_, changes, message) => {
  const open = () => opened({ kind: BYTES, ...changes });
  expect(open).toThrow(message);
  expect(open).toThrow(CheckpointError);
});
