/**
 * @file Numbers as people and models write them, read from text and written back.
 *
 * Read are: `1,234.5`, `.5`, `1e-3`; signs `-`, `−`, `–` and brackets as in accounts, `(1,234)`, `$(1.2) million`; `$ € £ ¥`, `USD 5`, `5 dollars`;
 * `12%`, `12 percent`, `5 bps`; `3k`, `1.2 million`, `4bn`; `about 5`, `~5`.
 * A dash between two numbers is a range, not a sign. A number in brackets straight after another one repeats it, `-32 ( 32 )`, `0.12 (12%)`, and
 * is left out; a year in brackets is not negative.
 */

export type NumberUnit = "none" | "percent" | "bps" | "currency";
export type NumberScale = 1 | 1e3 | 1e6 | 1e9 | 1e12;

/** A number as written: `$(1.2) million` is value -1.2, unit currency, scale 1e6, one decimal. */
export interface ParsedNumber {
  /** With its sign, without scale and unit. */
  value: number;
  unit: NumberUnit;
  scale: NumberScale;
  /** Digits written after the point, less the exponent: the last one is worth 10^-decimals. */
  decimals: number;
  /** The number in full, with its sign, where it is written with more digits than a double holds. */
  exact?: string;
  /** Said to be about that much. */
  isApprox: boolean;
}

/** A number and where it stands in the text: [start, end). */
export interface PlacedNumber extends ParsedNumber {
  start: number;
  end: number;
}

const SCALES: Readonly<Record<string, NumberScale>> = {
  k: 1e3,
  thousand: 1e3,
  thousands: 1e3,
  m: 1e6,
  mm: 1e6,
  mn: 1e6,
  million: 1e6,
  millions: 1e6,
  b: 1e9,
  bn: 1e9,
  billion: 1e9,
  billions: 1e9,
  tn: 1e12,
  trillion: 1e12,
  trillions: 1e12,
};
const WORTH: Readonly<Record<NumberUnit, number>> = { none: 1, currency: 1, percent: 1e-2, bps: 1e-4 };

const CURRENCY = "(?:US\\s?\\$|[$€£¥]|(?:USD|EUR|GBP)\\b)";
const DIGITS = "(?:\\d{1,3}(?:,\\d{3})+(?!\\d)|\\d+)";
const SCALE = "(?:thousands?|millions?|billions?|trillions?|tn|mn|mm|bn|k|m|b)(?![\\p{L}\\p{N}])";
const UNIT =
  "%|(?:per\\s?cent|percent|pct|percentage points?|bps|bp|basis points?|(?:us )?dollars?|USD|euros?|EUR|pounds?|GBP)(?![\\p{L}\\p{N}])";

const DASH = "[-+−–]";

/** A number with its currency, scale and unit. Groups end in the place they are for: plain p, in brackets b. */
const core = (place: "p" | "b", lead: string) =>
  // No digit, letter or point before it: neither the 5 of `v5`, nor the 3 of `1.2.3`.
  `(?<![\\p{L}\\p{N}_.])${lead}(?<![\\p{L}\\p{N}_.])` +
  `(?<number_${place}>(?:${DIGITS}(?:\\.\\d+)?|\\.\\d+)(?:e[+-]?\\d+)?)(?!\\d|\\.\\d)` +
  `(?:\\s?(?<scale_${place}>${SCALE}))?(?:\\s?(?<unit_${place}>${UNIT}))?`;
const PLAIN = core("p", `(?:(?<money_p>${CURRENCY}\\s?)(?<sign_p>${DASH}\\s?)?)?`);
const BRACKETED = core("b", `(?<sign_b>${DASH}\\s?)?(?<money_b>${CURRENCY}\\s?)?`);

const NUMBER = new RegExp(
  `(?<approx>(?<![\\p{L}])(?:about|approximately|approx\\.|around|roughly)\\s{1,3}|[~≈]\\s?)?` +
    // A dash is a sign where nothing touches it from the left, and where it stands apart only behind what a result follows.
    `(?<sign>(?<![\\p{L}\\p{N}%)\\]]|${DASH})${DASH}(?!\\s)|(?<=(?:^|[=:(])\\s{0,2})${DASH}\\s)?` +
    `(?:(?<money>${CURRENCY}\\s?)?(?<![\\p{L}\\p{N}])\\(\\s?${BRACKETED}\\s?\\)` +
    `(?:\\s?(?<scale>${SCALE}))?(?:\\s?(?<unit>${UNIT}))?|${PLAIN})`,
  "giu",
);

/** All numbers of a text in order, without those in brackets that repeat the one before. */
export function numbersIn(text: string): PlacedNumber[] {
  const found: PlacedNumber[] = [];
  for (const match of text.matchAll(NUMBER)) {
    const { isBracketed, ...number } = readMatch(match);
    const before = found.at(-1);
    const repeats = isBracketed && before !== undefined && text.slice(before.end, number.start).trim() === "";
    if (repeats) before.end = number.end;
    else found.push(number);
  }
  return found;
}

/** The number that a whole text is, or null; white space around it and one full stop behind it are no matter. */
export function parseNumber(text: string): ParsedNumber | null {
  const trimmed = text.trim().replace(/(?<=[\p{L}\p{N}%)])\.$/u, "");
  const [number, ...others] = numbersIn(trimmed);
  if (number === undefined || others.length > 0 || number.start > 0 || number.end < trimmed.length) return null;
  const { start: _start, end: _end, ...parsed } = number;
  return parsed;
}

/** What a number comes to: value times scale, a percent a hundredth, a basis point a ten-thousandth. */
export function magnitude({ value, scale, unit }: ParsedNumber): number {
  return value * scale * WORTH[unit];
}

/** Half a unit in the last written digit, in terms of {@link magnitude}. */
export function halfUnit({ decimals, scale, unit }: ParsedNumber): number {
  return 0.5 * 10 ** -decimals * scale * WORTH[unit];
}

/** How a number is written. */
export interface NumberStyle {
  /** Commas between thousands; default none. */
  grouped?: boolean;
  /** Negative as `(5)`, `-5` or `−5`; default minus. */
  negative?: "brackets" | "minus" | "typographic";
  /** `million` or `mn`; default words. */
  scale?: "words" | "short";
}

const SCALE_NAMES: Readonly<Record<NumberScale, Record<"words" | "short", string>>> = {
  1: { words: "", short: "" },
  1e3: { words: " thousand", short: "k" },
  1e6: { words: " million", short: "mn" },
  1e9: { words: " billion", short: "bn" },
  1e12: { words: " trillion", short: "tn" },
};

/** A number as text; {@link parseNumber} reads it back. */
export function formatNumber(number: ParsedNumber, style: NumberStyle = {}): string {
  const { grouped = false, negative = "minus", scale = "words" } = style;
  const full = number.exact?.replace("-", "") ?? Math.abs(number.value).toFixed(Math.max(0, number.decimals));
  const [whole = "", part] = full.split(".");
  const digits = grouped ? whole.replace(/\B(?=(?:\d{3})+$)/g, ",") : whole;
  const size = part === undefined ? digits : `${digits}.${part}`;
  const money = number.unit === "currency" ? "$" : "";
  const unit = { none: "", currency: "", percent: "%", bps: " bps" }[number.unit];
  const marks = { brackets: ["(", ")"], minus: ["-", ""], typographic: ["−", ""] }[negative];
  const [open, close] = number.value < 0 ? marks : ["", ""];
  const body = negative === "brackets" ? `${money}${open}${size}${close}` : `${open}${money}${size}`;
  return `${number.isApprox ? "about " : ""}${body}${SCALE_NAMES[number.scale][scale]}${unit}`;
}

function readMatch(match: RegExpExecArray): PlacedNumber & { isBracketed: boolean } {
  const groups = match.groups as Record<string, string | undefined>;
  const isBracketed = groups.number_b !== undefined;
  const digits = (groups.number_b ?? groups.number_p)!;
  const size = Number(digits.replaceAll(",", ""));
  const [mantissa = "", exponent = "0"] = digits.toLowerCase().split("e");
  const scale = groups.scale ?? groups.scale_b ?? groups.scale_p ?? "";
  const unit = unitOf(groups.unit ?? groups.unit_b ?? groups.unit_p, groups.money ?? groups.money_b ?? groups.money_p);
  const isYear = /^(?:19|20)\d\d$/.test(digits) && unit === "none";
  const signs = `${groups.sign ?? ""}${groups.sign_b ?? ""}${groups.sign_p ?? ""}`;
  const isNegative = /[-−–]/.test(signs) || (isBracketed && !isYear);
  const plain = mantissa.replaceAll(",", "");
  const isExact = exponent !== "0" || plain.replace(".", "").length <= 15;
  return {
    value: isNegative ? -size : size,
    ...(!isExact && { exact: `${isNegative ? "-" : ""}${plain}` }),
    unit,
    scale: SCALES[scale.toLowerCase()] ?? 1,
    decimals: (mantissa.split(".")[1]?.length ?? 0) - Number(exponent),
    isApprox: groups.approx !== undefined,
    start: match.index,
    end: match.index + match[0].length,
    isBracketed,
  };
}

function unitOf(unit: string | undefined, money: string | undefined): NumberUnit {
  if (unit === undefined) return money === undefined ? "none" : "currency";
  if (/^(?:%|per|pct)/i.test(unit)) return "percent";
  return /^(?:bp|basis)/i.test(unit) ? "bps" : "currency";
}
