/**
 * @file TAT-QA's exact match and F1, from the published description of its metric (Zhu et al. 2021, after DROP's).
 *
 * Numbers become what they come to: rounded to two decimals, times the scale, written with four decimals; a percent is a hundredth, a literal `%`
 * is not scaled again, and a single number without scale or `%` is also tried as it stands (0.2342 is 23.42 percent). Other parts become
 * words: lower case, split at blanks and hyphens, without ASCII punctuation and articles, numbers among them by value.
 *
 * | score | is |
 * | --- | --- |
 * | exact match | the same parts, in any order |
 * | F1 | of the sets of words of two parts, 0 where gold names numbers and none is shared; parts paired for the best sum, which is divided by the greater number of parts and rounded to two decimals; of arithmetic and counted answers the exact match |
 *
 * Where the description leaves a choice: our outputs are one text, so that the parts of a multi-span answer are split at semicolons and the scale
 * is read from each part (the publication has a list and a scale beside it); a scale word that a gold part holds already is not applied twice;
 * a scale behind words becomes one of them; the minus of a whole number counts, though hyphens split words; `hundred` is not read as a scale.
 *
 * @source evaluation described at NExTplusplus/TAT-QA @870accc; DROP: Dua et al. 2019
 */

import type { TatQaGold, TatQaScale } from "../specs/gold.ts";
import { bestAlignment } from "./alignment.ts";
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
  const f1 = isComputed ? exactMatch : Math.max(...readings.map((reading) => alignedF1(reading, wanted)));
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
  return scaled
    .toLowerCase()
    .split(/[\s-]+/u)
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
  const key = (parts: readonly string[][]) => JSON.stringify(parts.map((words) => words.join(" ")).toSorted());
  return key(a) === key(b);
}

function alignedF1(said: readonly string[][], wanted: readonly string[][]): number {
  const scores = wanted.map((gold) => said.map((words) => setF1(new Set(words), new Set(gold))));
  return Math.round((100 * bestAlignment(scores)) / Math.max(said.length, wanted.length)) / 100;
}

function setF1(said: ReadonlySet<string>, gold: ReadonlySet<string>): number {
  if (said.size === 0 || gold.size === 0) return said.size === gold.size ? 1 : 0;
  const shared = [...gold].filter((word) => said.has(word));
  const hasNumbers = [...gold].some(isNumber);
  return hasNumbers && !shared.some(isNumber) ? 0 : (2 * shared.length) / (said.size + gold.size);
}

function isNumber(word: string): boolean {
  return parseNumber(word) !== null;
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
