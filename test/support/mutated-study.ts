/** @file Study files damaged at random: keys, values, types and nesting of their content, and the signs of YAML in their text. */

import { parse, stringify } from "yaml";
import type { Rng } from "../../src/base/rng.ts";

const NUMBERS = [
  0,
  -1,
  1,
  2,
  0.5,
  -0,
  1e-320,
  1e300,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e21,
  Number.NaN,
  Infinity,
  -Infinity,
];
const TEXTS = [
  ...[
    "",
    " ",
    "\0",
    "\ud800",
    "💥",
    "é\u0301",
    "\u2028",
    "null",
    "~",
    "yes",
    "0x1F",
    "1_000",
    "2024-02-29",
    "=1+1",
    "a".repeat(70),
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "all",
    "base",
    "few_shot:99",
    "few_shot:3",
    "shuffled_labels",
    "paper",
  ],
  ...[
    "./nowhere",
    "../rows.jsonl",
    "rows.jsonl",
    "rows.jsonl/x",
    ".",
    "mixtune/tiny",
    "mixtune/none",
    "openai:gpt",
    "org/name",
    "x".repeat(5000),
  ],
  ...[
    "{text}",
    "{",
    "{{}}",
    "{no}",
    "{text}{text}",
    "{__proto__}",
    "train.cutoff_len",
    "tasks.a.max_train",
    "label",
    "text",
    "team",
    "customer",
  ],
];

type Place = { holder: Record<string, unknown> | unknown[]; key: string };

function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { holder: value as Place["holder"], key },
    ...placesIn(inner),
  ]);
}

function pick<T>(rng: Rng, list: readonly T[]): T {
  return list[rng.int(list.length)]!;
}

function anyValue(rng: Rng, known: readonly Place[]): unknown {
  const simple = [null, true, false, [], {}, [[]], { a: 1 }, [null], pick(rng, NUMBERS), pick(rng, TEXTS)];
  if (rng.int(3) === 0 && known.length > 0) {
    const { holder, key } = pick(rng, known);
    return structuredClone((holder as Record<string, unknown>)[key]);
  }
  let value: unknown = pick(rng, rng.int(2) === 0 ? simple : rng.int(2) === 0 ? NUMBERS : TEXTS);
  for (let depth = rng.int(12) === 0 ? rng.int(60) : 0; depth > 0; depth--)
    value = rng.int(2) === 0 ? [value] : { a: value };
  return value;
}

/** One change of a parsed file, in place. */
function change(study: Record<string, unknown>, rng: Rng): void {
  const places = placesIn(study);
  if (places.length === 0) return;
  const { holder, key } = pick(rng, places);
  const at = holder as Record<string, unknown>;
  const replace = (name: string, value: unknown) =>
    Object.defineProperty(at, name, { value, enumerable: true, writable: true, configurable: true });
  const moves: (() => void)[] = [
    () => replace(key, anyValue(rng, places)),
    () => replace(key, anyValue(rng, places)),
    () =>
      replace(
        key,
        typeof at[key] === "number" ? at[key] * pick(rng, [-1, 0, 0.5, 1e3, 1e9, 1e-9]) : anyValue(rng, places),
      ),
    () => delete at[key],
    () => {
      const name = rng.int(2) === 0 ? pick(rng, places).key : pick(rng, TEXTS);
      replace(Array.isArray(holder) ? key : name, at[key]);
    },
    () => replace(key, Array.isArray(at[key]) ? [...at[key], ...at[key]] : [at[key], anyValue(rng, places)]),
    () => {
      if (!Array.isArray(holder)) replace(pick(rng, places).key, anyValue(rng, places));
    },
  ];
  pick(rng, moves)();
}

const SIGNS = [
  ...[
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "!!set ",
    "!!omap ",
    "!!float ",
    "!!str ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "|\n",
    ">-\n",
    "\t",
    "---\n",
    "...\n",
  ],
  ...[
    "%YAML 9.9\n",
    "%TAG ! x\n",
    "{",
    "}",
    "[",
    "]",
    "#",
    '"',
    "'",
    "\ufeff",
    "\u0000",
    "\u2028",
    "\r",
    "0o17",
    ".inf",
    ".nan",
    "~",
    "`",
    "@",
    "a: &a [*a]\n",
  ],
  "[".repeat(300),
  "{a: ".repeat(300),
];

function changeText(text: string, rng: Rng): string {
  const at = rng.int(text.length + 1);
  const lines = text.split("\n");
  const moves: (() => string)[] = [
    () => text.slice(0, at) + pick(rng, SIGNS) + text.slice(at),
    () => text.slice(0, at) + text.slice(at + rng.int(20)),
    () => lines.toSpliced(rng.int(lines.length), 0, pick(rng, lines)).join("\n"),
    () => lines.map((line, i) => (i === at % lines.length ? ` ${line}` : line)).join("\n"),
    () => text.slice(0, at),
  ];
  return pick(rng, moves)();
}

/** A damaged copy of one of the files. */
export function mutatedStudy(files: readonly string[], rng: Rng): string {
  const file = pick(rng, files);
  if (rng.int(4) === 0) return changeText(file, rng);
  const study = parse(file) as Record<string, unknown>;
  for (let i = rng.int(3); i >= 0; i--) change(study, rng);
  const text = stringify(study);
  return rng.int(12) === 0 ? changeText(text, rng) : text;
}
