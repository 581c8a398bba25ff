/** @file A person's own files in every format and shape: init proposes a study file that plan accepts as it is. */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";
import { PUBLIC_STYLE } from "../support/public-style.ts";

const PARQUET = fileURLToPath(new URL("../golden/formats/parquet/tickets.parquet", import.meta.url));

let folder: string;
let remove: () => void;
beforeEach(() => ({ folder, remove } = temporaryFolder()));
afterEach(() => remove());

const many = <T>(row: (i: number) => T) => Array.from({ length: 60 }, (_, i) => row(i));
const jsonl = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const text = (i: number) => `customer number ${i} writes about matter ${i * 7}`;
const team = (i: number) => (i % 2 ? "cards" : "loans");

/** Names of files to their content, and what the study file must say. */
const CASES: Record<string, [files: Record<string, string | Buffer>, says: RegExp[]]> = {
  "a plain text,label CSV": [
    { "tickets.csv": ["text,label", ...many((i) => `${text(i)},${team(i)}`)].join("\n") },
    [/^ {2}tickets:/m, /prompt: "Answer with one of: cards, loans\.\\n\{text\}"/, /# rows: cards 30, loans 30/],
  ],
  "TSV, packed, with a group": [
    {
      "t.tsv.gz": gzipSync(["text\tuser_id\tlabel", ...many((i) => `${text(i)}\tu${i % 20}\t${team(i)}`)].join("\n")),
    },
    [/group: "user_id" {3}# 20 different in 60 rows/],
  ],
  "TSV with quotes that mean nothing": [
    {
      "t.tsv": ["text\tlabel", ...many((i) => `${i % 30 === 7 ? '"' : ""}${text(i)} 5"\t${team(i)}`)].join("\n"),
    },
    [/# 60 rows/, /data: \{train: "t\.tsv", quotes: false\}/, /# quotes: characters like any other/],
  ],
  "JSON with numbers": [
    { "sums.json": JSON.stringify(many((i) => ({ question: text(i), answer: i * 7 }))) },
    [/answer: \{kind: number, field: "answer"\}/],
  ],
  "spans in JSON Lines": [
    { "names.jsonl": jsonl(many((i) => ({ text: text(i), entities: [{ text: `number ${i}`, type: "customer" }] }))) },
    [/answer: \{kind: spans, field: "entities"\}/, /Types: customer\./],
  ],
  "free answers": [
    { "qa.jsonl": jsonl(many((i) => ({ question: text(i), answer: `See page ${i} of the rules.` }))) },
    [/prompt: "\{question\}"/, /answer: \{kind: text, field: "answer"\}/],
  ],
  alpaca: [
    { "alpaca.json": JSON.stringify(many((i) => ({ instruction: text(i), input: "", output: `Done, ${i}.` }))) },
    [/alpaca: {3}# 60 rows of the alpaca shape/],
  ],
  sharegpt: [
    {
      "chats.jsonl": jsonl(
        many((i) => ({
          conversations: [
            { from: "human", value: text(i) },
            { from: "gpt", value: `Noted, ${i}.` },
          ],
        })),
      ),
    },
    [/of the sharegpt shape/],
  ],
  messages: [
    {
      "chats.jsonl": jsonl(
        many((i) => ({
          messages: [
            { role: "system", content: "Be short." },
            { role: "user", content: text(i) },
            { role: "assistant", content: `Noted, ${i}.` },
          ],
        })),
      ),
    },
    [/of the messages shape/],
  ],
  "prompt and completion with labels": [
    { "pairs.jsonl": jsonl(many((i) => ({ prompt: text(i), completion: team(i) }))) },
    [/answer: \{kind: label, field: "completion", labels: \["cards", "loans"\]\}/],
  ],
  "documents beside generated tasks": [
    { "texts.jsonl": jsonl(many((i) => ({ text: text(i).repeat(8) }))) },
    [/mixers: .*\n {2}texts:/, /answer: \{kind: document, field: "text"\}/],
  ],
  "splits named after their folder": [
    {
      "train.csv": ["text,label", ...many((i) => `${text(i)},${team(i)}`)].join("\n"),
      "valid.jsonl": jsonl(many((i) => ({ text: `${text(i)} again`, label: team(i) }))),
      "test.csv": ["text,label", ...many((i) => `${text(i)} once more,${team(i)}`)].join("\n"),
    },
    [/data: \{train: "train\.csv", dev: "valid\.jsonl", test: "test\.csv"\}/],
  ],
};

async function ok(args: string[]): Promise<string> {
  const { status, stdout, stderr } = await mixtune(args, { cwd: folder });
  expect([stderr, status]).toEqual([stderr, 0]);
  return stdout;
}

describe("init, then plan", () => {
  test.each(Object.entries(CASES))("%s", async (_, [files, says]) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    await ok(["init", "--data", ...Object.keys(files)]);
    const study = readFileSync(join(folder, "study.yaml"), "utf8");
    for (const pattern of says) expect(study).toMatch(pattern);
    const { runs } = JSON.parse(await ok(["plan", "study.yaml", "--json"]));
    expect(runs.length).toBeGreaterThan(0);
  });

  test("Parquet", async () => {
    copyFileSync(PARQUET, join(folder, "tickets.parquet"));
    await ok(["init", "--data", "tickets.parquet"]);
    expect(readFileSync(join(folder, "study.yaml"), "utf8")).toContain('labels: ["cards", "loans"]');
    expect(JSON.parse(await ok(["plan", "study.yaml", "--json"])).runs.length).toBeGreaterThan(0);
  });
});

// The regression: with test texts in train, rows without a text or rows that are too long, init wrote a study that plan and run refuse.
describe("of data as it is published, init proposes what runs unchanged, and says what it left out:", () => {
  test.each(Object.entries(PUBLIC_STYLE))("%s", async (_, make) => {
    const { files, says, writes } = make();
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const said = await ok(["init", "--data", ...Object.keys(files)]);
    const study = readFileSync(join(folder, "study.yaml"), "utf8");
    for (const pattern of says) expect(said).toMatch(pattern);
    for (const pattern of writes) expect(study).toMatch(pattern);
    expect(said).not.toContain("BROKEN");
    expect(await ok(["tasks", "check", "study.yaml"])).toContain("is good to run");
    await ok(["plan", "study.yaml"]);
    await ok([
      "run",
      "study.yaml",
      "seeds=[1]",
      "controls=[]",
      "train.max_steps=2",
      "eval.max_test=8",
      "eval.max_dev=8",
    ]);
    expect(readFileSync(join(folder, "study.yaml"), "utf8")).toBe(study);
  });
});

test("files of which nothing can be left out so that they run are said to be broken", async () => {
  writeFileSync(
    join(folder, "few.csv"),
    `text,label\n${many((i) => `the same text in every row,${team(i)}`).join("\n")}`,
  );
  expect(await ok(["init", "--data", "few.csv"])).toMatch(
    /BROKEN: task few: test: expected at least 2 groups to carve a test split from.*\n.*\nFix what is marked BROKEN/,
  );
  expect((await mixtune(["tasks", "check", "study.yaml"], { cwd: folder })).status).toBe(2);
});
