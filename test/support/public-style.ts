/** @file Small data sets as they are published: with what is wrong with such, made up row by row. */

import { gzipSync } from "node:zlib";
import { Rng } from "../../src/base/rng.ts";

/** Names of files to their content, and what init must say of them. */
export interface PublicStyle {
  files: Record<string, string | Buffer>;
  says: RegExp[];
  writes: RegExp[];
}

const TOPICS = ["a lost card", "a new loan", "an open invoice", "a closed account", "a late parcel"];
const words = (rng: Rng, n: number) =>
  Array.from({ length: n }, () => `w${rng.int(400)}`)
    .concat(TOPICS[rng.int(TOPICS.length)]!)
    .join(" ");
const csv = (rows: string[][]) =>
  rows
    .map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(","))
    .join("\n");
const jsonl = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");

/** Ids that begin anew in every file, a test with 35 texts of train, labels of several spellings, cells without a text or a label. */
function reviews(): PublicStyle {
  const rng = new Rng("reviews");
  const labels = ["negative", "neutral", "positive", "Positive", " neutral", "NEGATIVE"];
  const train = Array.from({ length: 300 }, (_, i) => [
    `${i}`,
    words(rng, 9),
    labels[i % 9 === 0 ? 3 + ((i / 9) % 3) : i % 3]!,
  ]);
  const test = Array.from({ length: 100 }, (_, i) => [
    `${i}`,
    i < 35 ? train[3 * i + 1]![1]! : words(rng, 9),
    labels[i % 3]!,
  ]);
  for (const i of [7, 100, 200]) train[i]![1] = " ";
  for (const i of [11, 101]) train[i]![2] = "";
  test[90]![2] = "";
  return {
    files: {
      "reviews-train.csv": csv([["id", "text", "label"], ...train]),
      "reviews-test.csv": csv([["id", "text", "label"], ...test]),
    },
    says: [
      /left out: 6 rows? without a text or an answer \(on_bad_row: skip\)/,
      /left out: 3[3-5] rows? of train that dev or test have too \(on_overlap: drop\)/,
      /label: "NEGATIVE" \(\d+ rows\) differ from "negative" by case or blanks only and are read as it/,
    ],
    writes: [
      /on_bad_row: skip {3}# .*6 rows/,
      /on_overlap: drop {3}# .*3[3-5] rows of train/,
      /labels: \["negative", "neutral", "positive"\]/,
    ],
  };
}

/** One file: repeated texts with other labels, a rare label with braces and a comma, rows of thousands of tokens. */
function tickets(): PublicStyle {
  const rng = new Rng("tickets");
  const labels = ["cards", "loans", "{other}, or none"];
  const rows = Array.from({ length: 240 }, (_, i) => ({
    body: words(rng, i % 40 === 0 ? 2500 : 12),
    team: labels[i % 20 === 0 ? 2 : i % 2]!,
  }));
  for (let i = 0; i < 24; i++) rows.push({ body: rows[i * 3 + 1]!.body, team: labels[i % 2]! });
  return {
    files: { "tickets.jsonl.gz": gzipSync(jsonl(rows)) },
    says: [
      /shortened: body, where a row is longer than train\.cutoff_len/,
      /kept: 48 rows whose prompt other rows answer otherwise/,
    ],
    writes: [
      /fit: \{field: "body", keep: start\}/,
      /\{\{other\}\}, or none/,
      /# 48 rows have a prompt that other rows answer otherwise/,
    ],
  };
}

/** Conversations with empty answers, some far too long, of which the test repeats some; its answers are of one kind alone. */
function chats(): PublicStyle {
  const rng = new Rng("chats");
  const row = (text: string, answer: string) => ({
    messages: [
      { role: "user", content: text },
      { role: "assistant", content: answer },
    ],
  });
  const train = Array.from({ length: 120 }, (_, i) =>
    row(words(rng, i % 30 === 0 ? 3000 : 10), i % 25 === 0 ? "" : `We look into ${TOPICS[i % 5]}.`),
  );
  const test = Array.from({ length: 40 }, (_, i) =>
    i < 10 ? train[i * 7 + 1]! : row(words(rng, 10), "We look into it."),
  );
  return {
    files: { "chats_train.jsonl": jsonl(train), "chats_test.jsonl": jsonl(test) },
    says: [
      /left out: \d rows? without a text or an answer/,
      /left out: \d rows? longer than train\.cutoff_len/,
      /left out: \d+ rows? of train that dev or test have too/,
    ],
    writes: [/on_bad_row: skip {3}# .*answer, \d rows? longer/, /on_overlap: drop/],
  };
}

export const PUBLIC_STYLE: Readonly<Record<string, () => PublicStyle>> = { reviews, tickets, chats };
