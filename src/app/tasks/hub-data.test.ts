/** The seven datasets that the code of arXiv 2410.01109 reads, in their own layouts, from a hub on the loopback interface; rows are made up. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HubServer, startHub } from "../../../test/support/hub-server.ts";
import { loadTask } from "../../data/load-task.ts";
import type { LoadedTask } from "../../data/types.ts";
import { readAllRows } from "../../formats/row-file.ts";
import { readSettings } from "../settings.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";
import { fetchHubData, type HubData } from "./hub-data.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/data/hub-layouts");
/** What the datasets library reads: rows by repository and split. */
const READ = JSON.parse(readFileSync(join(GOLDEN, "expected.json"), "utf8")) as Record<
  string,
  Record<string, unknown[]>
>;

/** A copy whose classes are numbered from positive to negative. */
const REORDERED = join(GOLDEN, "reordered");

let folder: string;
let server: HubServer;
let workspace: Workspace;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-hub-data-"));
  server = await startHub();
  for (const id of Object.keys(READ)) {
    const root = join(GOLDEN, "repos", id);
    const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = paths.map(({ parentPath, name }) => join(parentPath, name));
    const content = files.map((path) => [path.slice(root.length + 1), readFileSync(path)]);
    server.put("dataset", id, { "README.md": "---\n---\n", ...Object.fromEntries(content) });
  }
  const settings = readSettings({ HF_ENDPOINT: server.endpoint, HF_HOME: join(folder, "home") });
  workspace = openWorkspace({ settings });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function load(name: string, more = {}): Promise<{ task: LoadedTask; data: HubData }> {
  const spec = { name, ...more };
  const data = await fetchHubData({ [name]: spec }, undefined, workspace);
  return { task: await loadTask(spec, data), data };
}

/** Prompts and answers of a split, train and dev together, as dev may be carved from train. */
function examples({ splits }: LoadedTask, split: "train" | "test"): Record<string, string> {
  const all = split === "test" ? splits.test : [...splits.train, ...splits.dev];
  return Object.fromEntries(all.map(({ prompt, answer }) => [prompt, answer]));
}

const notes = ({ notes }: LoadedTask) => notes.join("\n");

test.each([
  ["headline", "FinGPT/fingpt-headline-cls"],
  ["fpb", "odedovadia/financial_phrasebank_split"],
  ["finner-cls", "FinGPT/fingpt-ner-cls"],
  ["convfinqa", "FinGPT/fingpt-convfinqa"],
  ["twitter-topic", "zeroshot/twitter-financial-news-topic"],
  ["twitter-sentiment", "zeroshot/twitter-financial-news-sentiment"],
  ["finqa", "ChanceFocus/flare-finqa"],
])("%s takes the files of %s for the splits that the datasets library takes them for", async (name, id) => {
  const { task, data } = await load(name);
  const { repo, splits } = data.hubFiles[name]!;
  expect(repo).toBe(id);
  const rows = Object.entries(splits).map(async ([split, paths]) => {
    const all = await Promise.all(paths.map((path) => readAllRows(path)));
    return [split, all.flat().length];
  });
  const read = Object.entries(READ[id]!).map(([split, all]) => [split, all.length]);
  expect(Object.fromEntries(await Promise.all(rows))).toEqual(Object.fromEntries(read));
  expect(task.source).toContain(`${id} at `);
  for (const split of ["train", "dev", "test"] as const) expect(task.splits[split]).not.toHaveLength(0);
});

test("fpb: the names that a copy gives its numbers count, whatever their order", async () => {
  const [path] = (readdirSync(REORDERED) as string[]).filter((name) => name.startsWith("train"));
  server.put("dataset", "odedovadia/financial_phrasebank_split", {
    "data/train-00000-of-00001.parquet": readFileSync(join(REORDERED, path!)),
  });
  const settings = readSettings({ HF_ENDPOINT: server.endpoint, HF_HOME: join(folder, "reordered") });
  const data = await fetchHubData({ fpb: { name: "fpb" } }, undefined, openWorkspace({ settings }));
  const { splits, notes } = await loadTask({ name: "fpb" }, data);
  const said = Object.values(splits).flatMap((all) => all.map(({ text, answer }) => [text, answer]));
  expect(Object.fromEntries(said)).toEqual({
    "Profit of Zorb Oyj fell to nil .": "negative",
    "The hall in Lindau opens in June .": "neutral",
    "Sales of kites rose by a third .": "positive",
    "Orders for tyres doubled , the firm said .": "positive",
  });
  expect(notes.join(" ")).toMatch(/has no split validation: .* has no split test: test is carved/);
});

describe("examples of", () => {
  test("headline: nine questions in FinGPT's wordings as ours, without the headlines that are also in test", async () => {
    const { task } = await load("headline");
    const asked = (news: string) => [
      [`Is the headline about price?\n${news}`, "no"],
      [`Did the price rise?\n${news}`, "no"],
      [`Is the price unchanged?\n${news}`, "no"],
      [`Did the price fall?\n${news}`, "yes"],
      [`Is a past price mentioned?\n${news}`, "yes"],
      [`Is a future price mentioned?\n${news}`, "no"],
      [`Is there past news other than prices?\n${news}`, "no"],
      [`Is there news of the future other than prices?\n${news}`, "yes"],
      [`Is gold compared with any other asset?\n${news}`, "no"],
    ];
    expect(examples(task, "test")).toMatchObject(Object.fromEntries(asked("gold slips before the feast of lamps")));
    expect(task.splits.test).toHaveLength(18);
    expect(Object.keys(examples(task, "train"))).toHaveLength(36);
    expect(
      examples(task, "train")["Is gold compared with any other asset?\ngold and silver sleep through the day"],
    ).toBe("yes");
    expect(notes(task)).toContain("of 45 training and 0 dev rows, 9 and 0 repeat a held-out text");
    expect(notes(task)).toContain("from the column of constant prices");
  });

  test("fpb: labels by number or by the names that the file has for them, and no validation split", async () => {
    const { task } = await load("fpb");
    expect(Object.values(examples(task, "train")).sort()).toEqual(["negative", "neutral", "positive"]);
    expect(examples(task, "test")).toEqual({
      "Is this news positive, neutral or negative?\nThe loss of Quux Bank widened .": "negative",
      "Is this news positive, neutral or negative?\nSales of kites rose by a third .": "positive",
    });
    expect(notes(task)).toContain("has no split validation: dev is carved from the other rows");
  });

  test("finner-cls: each question once, an apostrophe in the entity and all", async () => {
    const { task } = await load("finner-cls");
    expect(examples(task, "train")).toEqual({
      'Zorb Tyres lends to Ilse Voss at Port Ada .\nIs "Port Ada" a person, an organization or a location?': "location",
      "The notes are held by O'Dell and Sons .\nIs \"O'Dell and Sons\" a person, an organization or a location?":
        "organization",
      'Signed by Omar Voss for the lender .\nIs "Omar Voss" a person, an organization or a location?': "person",
    });
    expect(task.splits.test).toHaveLength(1);
    expect(notes(task)).toContain("fingpt-ner-cls train: 18 rows ask 3 things in several wordings");
  });

  test("convfinqa: the page with its table, the turns before, a last question without an answer", async () => {
    const { task } = await load("convfinqa");
    const page =
      "the hall was sold . <table class='wikitable'><tr><td>1</td><td>-</td><td>2031</td></tr><tr><td>2</td><td>price</td><td>40</td></tr></table> no more halls are left .";
    expect(examples(task, "test")).toEqual({
      [`${page}\n\nQuestion: what was the price of the hall?`]: "40",
      [`${page}\n\nQuestion: what was the price of the hall?\nAnswer: 40\nQuestion: and half of that?`]: "20",
    });
    expect(Object.values(examples(task, "train")).sort()).toEqual(["12", "3", "8", "yes"]);
    expect(new Set(task.splits.test.map(({ group }) => group)).size).toBe(1);
  });

  test("both Twitter sets: CSV files named by their split, the escapes of topics undone", async () => {
    const sentiment = (await load("twitter-sentiment")).task;
    expect(examples(sentiment, "test")).toEqual({
      "Is this tweet bullish, bearish or neutral?\nOpen day at the mint https://t.co/b2": "neutral",
      "Is this tweet bullish, bearish or neutral?\n$PLOP slides on weak tyres": "bearish",
    });
    expect(examples(sentiment, "train")).toEqual({
      "Is this tweet bullish, bearish or neutral?\n$ZORB sinks after the feast https://t.co/a1": "bearish",
      'Is this tweet bullish, bearish or neutral?\n$QUUX soars, "best day" yet': "bullish",
      "Is this tweet bullish, bearish or neutral?\nThe bell rings\nas ever": "neutral",
    });
    const topic = (await load("twitter-topic")).task;
    expect(examples(topic, "train")).toMatchObject({
      "What is this financial tweet about?\nOil > $70 as tankers wait": "Energy | Oil",
      "What is this financial tweet about?\nZorb goes public at last": "IPO",
    });
    expect(Object.values(examples(topic, "test"))).toEqual(["Fed | Central Banks"]);
  });

  test("finqa: context and question of the query, the result as the answer, the source's valid split as dev", async () => {
    const { task } = await load("finqa");
    expect(task.splits.dev.map(({ prompt, answer }) => [prompt, answer])).toEqual([
      [
        "sales rose in 2031 , as table 1 shows .\n||2031|2030|\n|sales|$ 12|$ 8|\ncosts were flat .\n\nQuestion: did sales rise?",
        "yes",
      ],
    ]);
    expect(task.splits.train.map(({ answer }) => answer)).toEqual(["1"]); // the other question is on the page of dev
    expect(task.splits.test.map(({ answer }) => answer)).toEqual(["5"]);
  });
});

test("a layout that is none of these is refused with the columns that were expected and those that are there", async () => {
  server.put("dataset", "ChanceFocus/flare-finqa", {
    "data/train.jsonl": '{"context": "a", "question": "b"}\n',
    "data/valid.jsonl": '{"context": "a", "question": "b"}\n',
    "data/test.jsonl": '{"context": "a", "question": "b"}\n',
  });
  const settings = readSettings({ HF_ENDPOINT: server.endpoint, HF_HOME: join(folder, "other") });
  const data = await fetchHubData({ finqa: { name: "finqa" } }, undefined, openWorkspace({ settings }));
  await expect(loadTask({ name: "finqa" }, data)).rejects.toThrow(
    /flare-finqa train: expected the columns query, answer, got context, question\.\s+The dataset is another one/,
  );
});
