/** @file New rows answered through the built command: every kind of answer, every format, killed and started again. */

import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../src/base/rng.ts";
import { parseCsv } from "../../src/formats/csv.ts";
import { parseJsonl } from "../../src/formats/jsonl.ts";
import { readParquet } from "../../src/formats/parquet.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";

/** Columns text, team and others; made with pyarrow. */
const PARQUET = fileURLToPath(new URL("../golden/formats/parquet/tickets.parquet", import.meta.url));
const NUM_ROWS = 200;

const STUDY = `
name: shop
models: [mixtune/tiny]
tasks:
  teams: {data: {train: train.jsonl}, prompt: "Which team?\\n{text}", answer: {kind: label, field: team, labels: [cards, loans]}}
  bigs: {data: {train: train.jsonl}, prompt: "{a} + {b} > 4?", answer: {kind: label, field: big, labels: ["yes", "no"]}}
  sums: {data: {train: train.jsonl}, prompt: "{a} + {b} =", answer: {kind: number, field: sum}}
  replies: {data: {train: train.jsonl}, prompt: "Reply to this.\\n{text}", answer: {kind: text, field: reply}}
  names: {data: {train: train.jsonl}, prompt: "Who writes?\\n{text}", answer: {kind: spans, field: names}}
  gone: {data: {train: no-such-file.jsonl}, prompt: "{a} + {b} =", answer: {kind: number, field: sum}}
  texts: {data: {train: train.jsonl}, answer: {kind: document, field: reply}}
design: [singles]
`;

let folder: string;
let remove: () => void;
beforeAll(() => {
  ({ folder, remove } = temporaryFolder());
  const rows = Array.from({ length: NUM_ROWS }, (_, i) => {
    const [name, a, b] = [["Ada", "Bob"][i % 2]!, i % 7, i % 5];
    const text = `${name} writes "${i}, please"${i % 3 ? "" : "\n=and more"} about a ${i % 2 ? "lost card" : "new loan"}.`;
    return {
      text,
      a,
      b,
      sum: a + b,
      big: a + b > 4 ? "yes" : "no",
      team: i % 2 ? "cards" : "loans",
      reply: `Dear ${name}.`,
      names: [{ text: name, type: "person" }],
    };
  });
  writeFileSync(join(folder, "train.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  writeFileSync(
    join(folder, "new.csv"),
    ["id,text,a,b,note", ...rows.map(({ text, a, b }, i) => `${i},${quoted(text)},${a},${b},=1+${i}`), ""].join("\n"),
  );
  writeFileSync(join(folder, "study.yaml"), STUDY);
  copyFileSync(PARQUET, join(folder, "tickets.parquet"));
});
afterAll(() => remove());

const args = (task: string, input: string, out: string, ...more: string[]) => [
  ...["predict", "mixtune/tiny", "--study", "study.yaml", "--task", task, "--input", input, "--out", out],
  ...more,
];
const path = (name: string) => join(folder, name);

async function ok(...words: Parameters<typeof args>): Promise<string> {
  const { status, stdout, stderr } = await mixtune(args(...words), { cwd: folder });
  expect([stderr, status]).toEqual([stderr, 0]);
  return stdout;
}

/** The rows of an output, read by its ending; cells of CSV are text. */
async function rowsOf(name: string): Promise<Record<string, unknown>[]> {
  if (name.endsWith(".parquet")) return (await readParquet(path(name), { asNumbers: true })).map(({ value }) => value);
  const text = readFileSync(path(name), "utf8");
  if (name.endsWith(".jsonl")) return parseJsonl(text, name).map(({ value }) => value as Record<string, unknown>);
  return parseCsv(text, name, { delimiter: name.endsWith(".tsv") ? "\t" : "," }).map(({ row }) => row);
}

describe("rows in, rows with answer, probability and parsed value out", () => {
  test("labels, the same in every format", async () => {
    for (const ending of ["jsonl", "csv", "tsv", "parquet"]) await ok("teams", "new.csv", `teams.${ending}`);
    const rows = await rowsOf("teams.jsonl");
    expect(rows).toHaveLength(NUM_ROWS);
    for (const { answer, parsed, probability, probabilities, note } of rows) {
      expect(["cards", "loans"]).toContain(answer);
      expect(parsed).toBe(answer);
      const { cards, loans } = probabilities as Record<string, number>;
      expect(cards! + loans!).toBeCloseTo(1, 12);
      expect(probability).toBe(Math.max(cards!, loans!));
      expect(note).toMatch(/^=1\+\d+$/);
    }
    expect(await rowsOf("teams.parquet")).toEqual(rows);
    const cells = rows.map((row) => ({
      ...row,
      note: `'${row.note}`,
      probability: String(row.probability),
      probabilities: JSON.stringify(row.probabilities),
    }));
    expect(await rowsOf("teams.csv")).toEqual(cells);
    expect(await rowsOf("teams.tsv")).toEqual(cells);
  });

  test.each(["sums", "replies", "names"])("%s, which are written", async (task) => {
    await ok(task, "new.csv", `${task}.jsonl`);
    await ok(task, "new.csv", `${task}.parquet`);
    const rows = await rowsOf(`${task}.jsonl`);
    expect(rows).toHaveLength(NUM_ROWS);
    for (const { answer, parsed, probability, finish_reason } of rows) {
      expect(answer).toBeTypeOf("string");
      expect(parsed === null || typeof parsed === (task === "names" ? "object" : "string")).toBe(true);
      expect(probability).toBeGreaterThan(0);
      expect(probability).toBeLessThanOrEqual(1);
      expect(["stop", "length"]).toContain(finish_reason);
    }
    expect(await rowsOf(`${task}.parquet`)).toEqual(rows);
  });

  test("rows of Parquet keep what they hold", async () => {
    await ok("replies", "tickets.parquet", "tickets.jsonl", "--max-new-tokens", "3");
    await ok("replies", "tickets.parquet", "tickets-out.parquet", "--max-new-tokens", "3");
    const given = await rowsOf("tickets.parquet");
    const rows = await rowsOf("tickets-out.parquet");
    expect(rows.map((row, i) => ({ ...row, ...given[i] }))).toEqual(rows);
    expect(await rowsOf("tickets.jsonl")).toEqual(rows);
  });

  test("an answer may be as long as the longest that was trained on, and else as a number with its solution", async () => {
    const run = (task: string) => mixtune(args(task, "one.jsonl", `${task}-length.jsonl`), { cwd: folder });
    writeFileSync(path("one.jsonl"), '{"a":1,"b":2}\n');
    expect((await run("gone")).stderr).toContain("Answers may have 256 tokens");
    expect((await run("sums")).stderr).toMatch(/Answers may have 1\d tokens/);
  });
});

// The regression: one empty row ended the call before anything was written.
test.each(["jsonl", "csv", "parquet"])(
  "a row without a prompt is left unanswered and says why: .%s",
  async (ending) => {
    const texts = ["a lost card", "  ", "a new loan", null];
    writeFileSync(path("holes.jsonl"), texts.map((text, id) => `${JSON.stringify({ id, text })}\n`).join(""));
    const { status, stderr } = await mixtune(args("teams", "holes.jsonl", `holes-out.${ending}`), { cwd: folder });
    expect([stderr, status]).toEqual([stderr, 0]);
    expect(stderr).toContain("2 of 4 rows have no prompt: their answers are empty, and the column problem says why.");
    const found = (await rowsOf(`holes-out.${ending}`)).map(({ answer, problem }) => [answer || null, problem || null]);
    expect(found).toEqual([
      [expect.stringMatching(/^(cards|loans)$/), null],
      [null, "text is empty"],
      [expect.stringMatching(/^(cards|loans)$/), null],
      [null, "no text"],
    ]);
  },
);

// The regression: one row that was too long for the model ended the call before anything was written.
test("a row that is too long for the model is left unanswered too, and says why", async () => {
  const texts = ["a lost card", "a new loan ".repeat(2000), ""];
  writeFileSync(path("long.jsonl"), texts.map((text, id) => `${JSON.stringify({ id, text })}\n`).join(""));
  for (const task of ["teams", "replies"]) {
    const { status, stderr } = await mixtune(args(task, "long.jsonl", `long-${task}.jsonl`), { cwd: folder });
    expect([stderr, status]).toEqual([stderr, 0]);
    expect(stderr).toContain("1 of 3 rows have no prompt");
    expect(stderr).toContain("long.jsonl: 1 of 3 prompts cannot be read by the model");
    const found = await rowsOf(`long-${task}.jsonl`);
    expect(found.map(({ answer, problem }) => [typeof answer, problem])).toEqual([
      ["string", undefined],
      ["object", expect.stringMatching(/^prompt and answer are \d+ tokens, at most 1024 are read$/)],
      ["object", "text is empty"],
    ]);
  }
  writeFileSync(path("long.jsonl"), `${JSON.stringify({ text: texts[1] })}\n`);
  const none = await mixtune(args("teams", "long.jsonl", "none.jsonl"), { cwd: folder });
  expect([none.status, none.stderr]).toEqual([
    2,
    expect.stringMatching(/long\.jsonl:1: expected a row with a prompt that the model can read/),
  ]);
});

// The regression: a second call with another model, prompt or set of labels said that all rows were there, and left the answers of the first.
describe("answers of another maker", () => {
  test.each<[what: string, task: string, change: [from: string, to: string], says: RegExp]>([
    [
      "another prompt",
      "teams",
      ["Which team?", "Whose is it?"],
      /expected prompt "Which team\?.*", got prompt "Whose is it\?/,
    ],
    ["other labels", "bigs", ['labels: ["yes", "no"]', "labels: [sure, no]"], /got answer\.labels \["sure"/],
  ])("are refused: %s", async (_, task, [from, to], says) => {
    const out = `maker-${task}.jsonl`;
    await ok(task, "new.csv", out);
    const before = readFileSync(path(out));
    writeFileSync(path("other.yaml"), STUDY.replace(from, to));
    const again = await mixtune(
      args(task, "new.csv", out).map((word) => (word === "study.yaml" ? "other.yaml" : word)),
      { cwd: folder },
    );
    expect(again.status).toBe(2);
    expect(again.stderr).toMatch(says);
    expect(again.stderr).toContain("Give another file with --out, or delete this one");
    expect(readFileSync(path(out)).equals(before)).toBe(true);
    rmSync(path(out));
    const fresh = await mixtune(
      args(task, "new.csv", out).map((word) => (word === "study.yaml" ? "other.yaml" : word)),
      { cwd: folder },
    );
    expect(fresh.status).toBe(0);
  });
});

describe("killed at any moment and started again, it ends with the same bytes", () => {
  test.each([
    ["teams", "csv"],
    ["sums", "jsonl"],
    ["replies", "parquet"],
  ])("%s in .%s", async (task, ending) => {
    const [straight, killed] = [`straight-${task}.${ending}`, `killed/${task}.${ending}`];
    await ok(task, "new.csv", straight);
    const growing = path(ending === "parquet" ? `${killed}.partial.jsonl` : killed);
    const size = () => (existsSync(growing) ? readFileSync(growing).length : 0);
    let kills = 0;
    for (let before = 0; kills < 2; before = size()) {
      const { status } = await mixtune(args(task, "new.csv", killed), {
        cwd: folder,
        watch: (kill) => size() > before && kill("SIGKILL"),
      });
      if (status === 0) break; // it was faster than the watch
      kills++;
    }
    expect(kills).toBeGreaterThan(0);
    await ok(task, "new.csv", killed);
    expect(readFileSync(path(killed)).equals(readFileSync(path(straight)))).toBe(true);
    expect(existsSync(`${path(killed)}.partial.jsonl`)).toBe(false);
    expect(await ok(task, "new.csv", killed)).toContain(
      `${NUM_ROWS} of ${NUM_ROWS} rows are in ${killed}, ${NUM_ROWS} of them from an earlier call.`,
    );
  });

  test("a last row cut anywhere is done again, beside the rows that it was done with", async () => {
    await ok("bigs", "new.csv", "whole.csv");
    const bytes = readFileSync(path("whole.csv"));
    const rng = new Rng(process.env.MIXTUNE_TEST_SEED ?? "predict");
    for (let i = 0; i < 3; i++) {
      writeFileSync(path("cut.csv"), bytes.subarray(0, rng.int(bytes.length)));
      await ok("bigs", "new.csv", "cut.csv");
      expect(readFileSync(path("cut.csv")).equals(bytes)).toBe(true);
    }
  });

  test("stopped with SIGINT it says how far it came", async () => {
    const out = "stopped.parquet";
    const partial = path(`${out}.partial.jsonl`);
    let isTold = false;
    const { status, stdout } = await mixtune(args("replies", "new.csv", out), {
      cwd: folder,
      watch: (kill) => {
        if (isTold || !existsSync(partial)) return;
        isTold = true; // a second one would not wait
        kill("SIGINT");
      },
    });
    expect([stdout, status]).toEqual([stdout, 130]);
    expect(stdout).toMatch(/^\d+ of 200 rows are in stopped\.parquet\.partial\.jsonl\.\n$/);
    expect(existsSync(path(out))).toBe(false);
  });
});

describe("what cannot be done is said before anything is written:", () => {
  test.each<[string, Parameters<typeof args>, RegExp]>([
    [
      "a field of the prompt that the rows lack",
      ["teams", "one.jsonl", "x.csv"],
      /^one\.jsonl:1: expected the fields of teams's prompt, got no text\./,
    ],
    ["no such task", ["teems", "new.csv", "x.csv"], /got teems\.\n.*teams/],
    ["documents", ["texts", "new.csv", "x.csv"], /^task texts: .*got kind document/],
    [
      "another ending",
      ["teams", "new.csv", "x.xlsx"],
      /^--out: expected a name that ends in \.jsonl, \.csv, \.tsv or \.parquet/,
    ],
    ["no rows", ["teams", "none.jsonl", "x.csv"], /^none\.jsonl: expected at least one row/],
    [
      "a column with the name of an added one",
      ["sums", "taken.csv", "x.csv"],
      /^taken\.csv: .*got a column "parsed"\.\n.*--prefix/,
    ],
    [
      "an output of other rows",
      ["sums", "one.jsonl", "other.parquet"],
      /^other\.parquet: expected the answers to the first rows/,
    ],
    [
      "the input as the output",
      ["sums", "taken.csv", "taken.csv", "--prefix", "m_"],
      /^taken\.csv: .*got another header row/,
    ],
    [
      "a length of answers that are picked",
      ["teams", "new.csv", "x.csv", "--max-new-tokens", "9"],
      /^--max-new-tokens: .*got teams, whose answers are labels/,
    ],
    ["answers of no length", ["sums", "one.jsonl", "x.csv", "--max-new-tokens", "0"], /whole number from 1/],
  ])("%s", async (_, words, message) => {
    writeFileSync(path("one.jsonl"), '{"a":1,"b":2}\n');
    writeFileSync(path("none.jsonl"), "\n");
    writeFileSync(path("taken.csv"), "a,b,parsed\n1,2,3\n");
    copyFileSync(PARQUET, path("other.parquet"));
    const { status, stdout, stderr } = await mixtune(args(...words), { cwd: folder });
    expect(stderr).toMatch(message);
    expect([stdout, status]).toEqual(["", 2]);
    expect(existsSync(path("x.csv"))).toBe(false);
    expect(readFileSync(path("taken.csv"), "utf8")).toBe("a,b,parsed\n1,2,3\n");
    expect(readFileSync(path("other.parquet")).equals(readFileSync(PARQUET))).toBe(true);
  });

  test("with a prefix, a column of the input stays as it is", async () => {
    writeFileSync(path("taken.csv"), "a,b,parsed\n1,2,3\n");
    rmSync(path("prefixed.csv"), { force: true });
    await ok("sums", "taken.csv", "prefixed.csv", "--prefix", "m_");
    const [row] = await rowsOf("prefixed.csv");
    expect(Object.keys(row!)).toEqual(["a", "b", "parsed", "m_answer", "m_probability", "m_parsed", "m_finish_reason"]);
    expect(row).toMatchObject({ a: "1", b: "2", parsed: "3" });
  });
});
