/**
 * @file TAT-QA's exact match and F1 (Zhu et al. 2021), written from what its evaluation does.
 *
 * Numbers become what they come to: rounded to two decimals, times the scale, written with four decimals; a percent is a hundredth, a literal `%`
 * is not scaled again, and a single number without scale or `%` is also tried as it stands (0.2342 is 23.42 percent). Other parts become
 * words: lower case, split at blanks, without ASCII punctuation and articles, numbers among them by value.
 *
 * | score | is |
 * | --- | --- |
 * | exact match | the same parts, in any order |
 * | F1 | of the set of words of all parts together, rounded to two decimals; of arithmetic and counted answers the exact match |
 *
 * The publication describes F1 as DROP's: parts paired for the best sum, and 0 where no number is shared. Its script joins the parts to one before
 * it pairs them and leaves the numbers' rule out, and all published scores are the script's; so is this one.
 *
 * Where the script cannot be followed: it has a list of parts and a scale, an output is one text. So the parts of a multi-span answer are split at
 * semicolons and each part's scale is read from it. Where it is not followed: a gold part that holds a scale word already is not scaled twice,
 * parts are put in order without regard to capitals, and within words 5.0 is 5.
 *
 * Golden test/golden/metrics/tat-qa
 */

import { composed } from "../base/unicode.ts";
import type { TatQaGold, TatQaScale } from "../specs/gold.ts";
import { magnitude, type ParsedNumber, parseNumber } from "./number-text.ts";

/** Each in [0, 1]. */
export interface TatQaScore {
  exactMatch: number;
  f1: number;
  /** 1 where the output has gold's scale, right number or not. */
  scale: number;
}

const WORTH: Readonly<Record<TatQaScale, number>> = { "": 1, thousand: 1e3, million: 1e6, billion: 1e9, percent: 1e-2 };
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLE = /^(?:a|an|the)$/;

/** Scores one output. An empty one is wrong. */
export function scoreTatQa(output: string, gold: TatQaGold): TatQaScore {
  const parts = (gold.type === "multi-span" ? output.split(";") : [output]).map((part) => part.trim());
  const said = parts.filter((part) => part !== "");
  if (said.length === 0) return { exactMatch: 0, f1: 0, scale: 0 };
  const wanted = gold.parts.map((part) => wordsOf(part, gold.scale));
  const readings = [said.map((part) => wordsOf(...partAndScale(part))), ...bareNumber(said)];
  const exactMatch = Math.max(...readings.map((reading) => (areSame(reading, wanted) ? 1 : 0)));
  const isComputed = gold.type === "arithmetic" || gold.type === "count";
  const f1 = isComputed ? exactMatch : Math.max(...readings.map((reading) => jointF1(reading, wanted)));
  const scale = statedScale(said[0]!) === (gold.scale || statedScale(gold.parts[0] ?? "")) ? 1 : 0;
  return { exactMatch, f1, scale };
}

/** Whether gold says two things: a scale beside a part that holds another one, or beside words, which have none. */
export function isScaleConflict({ parts, scale }: TatQaGold): boolean {
  if (scale === "") return false;
  return parts.some((part) => (parseNumber(part) === null ? !/\d/.test(part) : !["", scale].includes(scaleOf(part))));
}

/** A part of an output, and the scale behind it where the part is no number that holds its own. */
function partAndScale(text: string): [part: string, scale: TatQaScale] {
  const [, part = text, word, sign] = /^(.*?)(?:\s(thousand|million|billion|percent)|(?<=\D)(%))$/s.exec(text) ?? [];
  if (parseNumber(text) !== null || (word ?? sign) === undefined) return [text, ""];
  return [part, sign === undefined ? (word as TatQaScale) : "percent"];
}

function statedScale(text: string): TatQaScale {
  const [part, behind] = partAndScale(text);
  return behind || scaleOf(part);
}

/** The words of a part; of a number one word, with its scale worked in. */
function wordsOf(part: string, scale: TatQaScale): string[] {
  const number = parseNumber(part);
  if (number !== null) return [worked(number, scale)];
  const scaled = scale === "" || part.endsWith(scale) ? part : `${part} ${scale}`;
  return composed(scaled)
    .toLowerCase()
    .split(/\s+/u)
    .flatMap((token) => {
      const value = parseNumber(token);
      const word = value === null ? token.replace(PUNCTUATION, "") : String(magnitude(value));
      return word === "" || ARTICLE.test(word) ? [] : [word];
    });
}

function worked(number: ParsedNumber, scale: TatQaScale): string {
  if (number.unit === "percent" || number.unit === "bps") return four(magnitude(number));
  return four(roundTo2(number.value) * (number.scale === 1 ? WORTH[scale] : number.scale));
}

/** A single number that is given bare, without rounding. */
function bareNumber(parts: readonly string[]): string[][][] {
  const number = parts.length === 1 ? parseNumber(parts[0]!) : null;
  return number !== null && number.scale === 1 && scaleOf(parts[0]!) === "" ? [[[four(number.value)]]] : [];
}

function scaleOf(part: string): TatQaScale {
  const number = parseNumber(part);
  if (number?.unit === "percent") return "percent";
  return (["thousand", "million", "billion"] as const).find((name) => number?.scale === WORTH[name]) ?? "";
}

function areSame(a: readonly string[][], b: readonly string[][]): boolean {
  const key = (parts: readonly string[][]) =>
    JSON.stringify(parts.flatMap((words) => (words.length === 0 ? [] : [words.join(" ")])).toSorted());
  return key(a) === key(b);
}

function jointF1(said: readonly string[][], wanted: readonly string[][]): number {
  const [mine, gold] = [new Set(said.flat()), new Set(wanted.flat())];
  if (mine.size === 0 || gold.size === 0) return mine.size === gold.size ? 1 : 0;
  const numShared = [...gold].filter((word) => mine.has(word)).length;
  return roundTo2((2 * numShared) / (mine.size + gold.size));
}

function four(value: number): string {
  return (value === 0 ? 0 : value).toFixed(4);
}

/** Halves go to the even neighbour, as the publication's language has it; only odd multiples of 1/8 are exact halves of the second decimal. */
function roundTo2(value: number): number {
  if (!Number.isInteger(value * 8) || Number.isInteger(value * 4)) return Number(value.toFixed(2));
  const below = Math.floor(value * 100);
  return (below % 2 === 0 ? below : below + 1) / 100;
}
