/**
 * @file IFEval's instructions: whether a response did what it was told in 25 ways that a program can check (Zhou et al. 2023).
 *
 * | verdict | when |
 * | --- | --- |
 * | true, false | checked |
 * | null | cannot be checked: the language of a response, and instructions that are not in the table |
 *
 * Of `english_capital` and `english_lowercase` the case is checked and the language is not. Sentences are counted by a rule of our own (a run of
 * `.`, `!` or `?` with white space or the end behind it, abbreviations and initials aside), where the publication has a trained splitter.
 * A letter to be counted may be any sign; lm-evaluation-harness draws a letter by chance in place of `#` or `!`.
 *
 * Strict takes the response as it is; loose also takes it without its first line, its last, both, and each of these without asterisks, and is
 * satisfied with one of them.
 *
 * @source arXiv:2311.07911; golden test/golden/metrics/ifeval (the instructions of lm-evaluation-harness)
 */

import { DataError } from "../base/errors.ts";
import type { Instruction } from "../specs/gold.ts";

/** True or false where it was checked, null where it cannot be. */
export type Followed = boolean | null;

/** Verdicts on a response, one for each instruction. */
export interface InstructionVerdicts {
  strict: Followed[];
  loose: Followed[];
}

/** Both verdicts on each instruction. An empty response follows none. @throws {DataError} an argument that is missing or of another type */
export function judgeInstructions(instructions: readonly Instruction[], response: string): InstructionVerdicts {
  const variants = looseVariants(response);
  const judge = (texts: readonly string[]) =>
    instructions.map((instruction): Followed => {
      const check = INSTRUCTION_CHECKS[instruction.id];
      if (check === undefined || check === CANNOT) return null;
      return texts.some((text) => text.trim() !== "" && check(text, argumentsOf(instruction)));
    });
  return { strict: judge([response]), loose: judge(variants) };
}

/** Reads an instruction's arguments, or says which is missing. */
interface Arguments {
  text(name: string): string;
  number(name: string): number;
  texts(name: string): string[];
}

type Check = (response: string, args: Arguments) => boolean;

/** Stands in the table for what needs a model of its own, here one that tells languages apart. */
const CANNOT: Check = () => false;

/** One check for each instruction id. */
export const INSTRUCTION_CHECKS: Readonly<Record<string, Check>> = {
  "change_case:capital_word_frequency": (response, args) =>
    compares(
      tokensOf(response).filter(isUpper).length,
      args.text("capital_relation"),
      args.number("capital_frequency"),
    ),
  "change_case:english_capital": isUpper,
  "change_case:english_lowercase": isLower,
  "combination:repeat_prompt": (response, args) => fold(response).startsWith(fold(args.text("prompt_to_repeat"))),
  "combination:two_responses": (response) => {
    const parts = partsBetween(response.split("******"));
    return parts !== null && parts.length === 2 && parts[0]!.trim() !== parts[1]!.trim();
  },
  "detectable_content:number_placeholders": (response, args) =>
    matches(response, /\[[^\n]*?\]/g) >= args.number("num_placeholders"),
  "detectable_content:postscript": (response, args) => {
    const marker = args.text("postscript_marker").trim();
    const spaced: Readonly<Record<string, RegExp>> = { "P.P.S": /p\.\s?p\.\s?s/, "P.S.": /p\.\s?s\./ };
    return (spaced[marker] ?? patternOf(marker.toLowerCase(), "u")).test(response.toLowerCase());
  },
  "detectable_format:constrained_response": (response) =>
    ["My answer is yes.", "My answer is no.", "My answer is maybe."].some((option) => response.includes(option)),
  "detectable_format:json_format": (response) => isJson(withoutFence(response)),
  "detectable_format:multiple_sections": (response, args) => {
    const mark = patternOf(args.text("section_spliter").trim(), "gu", (source) => `\\s?${source}\\s?\\p{Nd}+\\s?`);
    return matches(response, mark) >= args.number("num_sections");
  },
  "detectable_format:number_bullet_lists": (response, args) =>
    matches(response, /^\s*\*[^*][^\n]*$/gm) + matches(response, /^\s*-[^\n]*$/gm) === args.number("num_bullets"),
  "detectable_format:number_highlighted_sections": (response, args) => {
    const single = response.match(/\*[^\n*]*\*/g) ?? [];
    const double = response.match(/\*\*[^\n*]*\*\*/g) ?? [];
    const filled = [...single, ...double].filter((piece) => piece.replaceAll("*", "").trim() !== "");
    return filled.length >= args.number("num_highlights");
  },
  "detectable_format:title": (response) =>
    (response.match(/<<[^\n]+>>/g) ?? []).some((title) => title.replace(/^<+|>+$/g, "").trim() !== ""),
  "keywords:existence": (response, args) =>
    args.texts("keywords").every((word) => patternOf(word, "iu").test(response)),
  "keywords:forbidden_words": (response, args) =>
    !args
      .texts("forbidden_words")
      .some((word) => patternOf(word, "iu", (source) => `${EDGE}${source}${EDGE}`).test(response)),
  "keywords:frequency": (response, args) =>
    compares(
      matches(response, patternOf(args.text("keyword").trim(), "giu")),
      args.text("relation"),
      args.number("frequency"),
    ),
  "keywords:letter_frequency": (response, args) => {
    const letter = args.text("letter").trim().toLowerCase();
    const count = [...response.toLowerCase()].filter((char) => char === letter).length;
    return compares(count, args.text("let_relation"), args.number("let_frequency"));
  },
  "language:response_language": CANNOT,
  "length_constraints:nth_paragraph_first_word": (response, args) => {
    const paragraphs = response.split("\n\n");
    const count = paragraphs.filter((paragraph) => paragraph.trim() !== "").length;
    const nth = args.number("nth_paragraph");
    const [first = ""] = nth <= count ? (paragraphs[nth - 1] ?? "").trim().split(/\s+/u) : [];
    const word = first
      .replace(/^'+/, "")
      .replace(/^"+/, "")
      .replace(/[.,?!'"].*$/su, "")
      .toLowerCase();
    return first !== "" && count === args.number("num_paragraphs") && word === args.text("first_word").toLowerCase();
  },
  "length_constraints:number_paragraphs": (response, args) =>
    partsBetween(response.split(/\s?\*\*\*\s?/u))?.length === args.number("num_paragraphs"),
  "length_constraints:number_sentences": (response, args) =>
    compares(numSentences(response), args.text("relation"), args.number("num_sentences")),
  "length_constraints:number_words": (response, args) =>
    compares(matches(response, /[\p{L}\p{N}_]+/gu), args.text("relation"), args.number("num_words")),
  "punctuation:no_comma": (response) => !response.includes(","),
  "startend:end_checker": (response, args) =>
    response
      .trim()
      .replace(/^"+|"+$/g, "")
      .toLowerCase()
      .endsWith(fold(args.text("end_phrase"))),
  "startend:quotation": (response) => /^".*"$/s.test(response.trim()),
};

/** The instructions of which a part, or all, cannot be checked here, with what it is. */
export const UNCHECKED_PARTS: Readonly<Record<string, string>> = {
  "language:response_language": "language",
  "change_case:english_capital": "language",
  "change_case:english_lowercase": "language",
};

function argumentsOf({ id, kwargs }: Instruction): Arguments {
  const take = <T>(name: string, expected: string, is: (value: unknown) => value is T): T => {
    const value = kwargs[name];
    if (is(value)) return value;
    throw new DataError({
      place: `instruction ${id}, argument ${name}`,
      expected,
      got: value === undefined || value === null ? "nothing" : JSON.stringify(value),
      remedy: "Give the instruction the arguments that the data set has beside it.",
    });
  };
  return {
    text: (name) => take(name, "a text", (value) => typeof value === "string"),
    number: (name) => take(name, "a number", (value) => typeof value === "number"),
    texts: (name) =>
      take(
        name,
        "a list of texts",
        (value): value is string[] => Array.isArray(value) && value.every((v) => typeof v === "string"),
      ),
  };
}

function looseVariants(response: string): string[] {
  const lines = response.split("\n");
  const cut = [lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((kept) => kept.join("\n").trim());
  return [response, ...cut].flatMap((text) => [text, text.replaceAll("*", "")]);
}

/** `less than` or `at least`; the data set has no others. */
function compares(count: number, relation: string, threshold: number): boolean {
  return relation === "less than" ? count < threshold : count >= threshold;
}

function matches(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** An edge of a word, in any script. */
const EDGE = "(?:(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_]))";

/** The data set's words are patterns to the publication's script; one that is no pattern stands for its letters. */
function patternOf(word: string, flags: string, around: (source: string) => string = (source) => source): RegExp {
  try {
    return new RegExp(around(word), flags);
  } catch {
    return new RegExp(around(word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")), flags);
  }
}

/** Pieces with something in them; an empty one may stand at either end, and elsewhere spoils the whole. */
function partsBetween(pieces: readonly string[]): string[] | null {
  const isInnerEmpty = pieces.slice(1, -1).some((piece) => piece.trim() === "");
  return isInnerEmpty ? null : pieces.filter((piece) => piece.trim() !== "");
}

function withoutFence(response: string): string {
  let text = response.trim();
  for (const fence of ["```json", "```Json", "```JSON", "```"])
    if (text.startsWith(fence)) text = text.slice(fence.length);
  return (text.endsWith("```") ? text.slice(0, -3) : text).trim();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isUpper(text: string): boolean {
  return /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text);
}

function isLower(text: string): boolean {
  return /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text);
}

function fold(text: string): string {
  return text.trim().toLowerCase();
}

/** Words as the Penn Treebank parts them, as far as capitals are concerned: punctuation and the endings of contractions stand alone. */
function tokensOf(text: string): string[] {
  const apart = text
    .replace(/[[\](){}<>"“”‘’«»`;@#$%&?!:,…]|--+|\.{2,}/gu, " ")
    .replace(/n't(?![\p{L}\p{N}_])/giu, " $&")
    .replace(/(?<=\S)'(?:s|m|d|ll|re|ve)(?![\p{L}\p{N}_])/giu, " $&")
    .replace(/(?<![\p{L}\p{N}_])(can)(not)(?![\p{L}\p{N}_])/giu, "$1 $2")
    .replace(/(?<![\p{L}\p{N}_])(gon|wan|got)(na|ta)(?![\p{L}\p{N}_])/giu, "$1 $2");
  return apart.split(/\s+/u).filter((token) => token !== "");
}

const ABBREVIATION =
  /(?:^|[\s("'])(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|inc|ltd|corp|co|fig|approx|u\.s|u\.k|[a-z])\.$/i;

function numSentences(text: string): number {
  let count = 0;
  let from = 0;
  for (const end of text.matchAll(/[.!?…。！？]+["'”’)\]]*(?=\s|$)/gu)) {
    const until = end.index + end[0].length;
    const isAbbreviation =
      /^\.$/.test(end[0]) &&
      until < text.trimEnd().length &&
      ABBREVIATION.test(text.slice(Math.max(from, until - 20), until));
    if (isAbbreviation) continue;
    if (/[\p{L}\p{N}]/u.test(text.slice(from, until))) count++;
    from = until;
  }
  return /[\p{L}\p{N}]/u.test(text.slice(from)) ? count + 1 : count;
}
