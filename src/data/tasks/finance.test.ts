import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectConformingTask } from "../../../test/conformance/task.ts";
import { DataError } from "../../base/errors.ts";
import type { Split, TaskSpec } from "../../specs/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import { findLeaks } from "../checks/leakage.ts";
import { loadTask } from "../load-task.ts";
import { readDialogues } from "../readers/convfinqa-files.ts";
import { parsePythonTable } from "../readers/finqa-files.ts";
import { askedFor } from "../readers/page-questions.ts";
import type { LoadedTask } from "../types.ts";

const NAMES = [
  "finner-cls",
  "finqa",
  "finqa-by-page",
  "convfinqa",
  "convfinqa-by-page",
  "twitter-topic",
  "fiqa-sa",
  "finer-ord",
  "finred",
  "tat-qa",
  "tat-qa-by-context",
  "nwgi",
];
/** Without training rows in their local files. */
const WITHOUT_TRAIN = ["finqa", "convfinqa", "tat-qa", "nwgi"];

/** Published numbers of each label or split, which the tasks insist on. */
const TOPICS_TRAIN = [
  255, 837, 3545, 321, 359, 987, 524, 624, 166, 1557, 69, 44, 487, 471, 1822, 501, 985, 495, 2118, 823,
];
const TOPICS_VALID = [73, 214, 852, 77, 97, 242, 146, 160, 32, 336, 13, 14, 119, 116, 415, 125, 249, 112, 528, 197];
const FIQA = { train: [245, 11, 514], valid: [44, 0, 67], test: [87, 2, 141] } as const;
const NWGI = [
  ["strong negative", 75],
  ["moderately negative", 733],
  ["mildly negative", 534],
  ["neutral", 491],
  ["mildly positive", 646],
  ["moderately positive", 1522],
  ["strong positive", 46],
] as const;

const sizes = ({ splits }: LoadedTask) => [splits.train, splits.dev, splits.test].map((examples) => examples.length);

/** Loads each task once, but for those asked for in another form. */
function loader(dataRoot: string) {
  const known = new Map<string, Promise<LoadedTask>>();
  return (name: string, more: Partial<TaskSpec> = {}) => {
    const key = JSON.stringify([name, more]);
    const task = known.get(key) ?? loadAfresh(dataRoot, name, more);
    known.set(key, task);
    return task;
  };
}

function loadAfresh(dataRoot: string, name: string, more: Partial<TaskSpec> = {}): Promise<LoadedTask> {
  return loadTask({ name, ...more }, { dataRoot, isOnlyEvaluated: WITHOUT_TRAIN.includes(name) });
}

function counts({ splits }: LoadedTask, split: Split): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { answer } of splits[split]) found[answer] = (found[answer] ?? 0) + 1;
  return found;
}

function expectPages(tasks: readonly LoadedTask[]): void {
  const splitOf = new Map<string, string>();
  for (const { splits } of tasks) {
    for (const [split, examples] of Object.entries(splits)) {
      for (const { group } of examples) {
        expect(splitOf.get(group) ?? split).toBe(split);
        splitOf.set(group, split);
      }
    }
  }
  expect(findLeaks(tasks)).toEqual([]);
}

const dataRoot = process.env.MIXTUNE_DATA;

describe.skipIf(dataRoot === undefined)("finance tasks from local copies (skipped without MIXTUNE_DATA)", () => {
  const load = loader(dataRoot!);

  test.each(NAMES)("%s conforms, says what was counted and stays the same", async (name) => {
    const task = await load(name);
    expectConformingTask(task, { isWithoutTrain: WITHOUT_TRAIN.includes(name) });
    expect(task.notes.length).toBeGreaterThan(1);
    expect((await loadAfresh(dataRoot!, name)).digests).toEqual(task.digests);
  });

  test("finner-cls: 311 mentions of FIN3 are 206 entities of 98 sentences, as the FinGPT form has them", async () => {
    const task = await load("finner-cls");
    expect(sizes(task)).toEqual([718, 82, 206]);
    expect(counts(task, "test")).toEqual({ person: 124, organization: 48, location: 34 });
    expect(new Set(task.splits.test.map(({ group }) => group)).size).toBe(98);
    const notes = task.notes.join("\n");
    expect(notes).toContain("FIN3.txt: 303 sentences, 311 mentions");
    expect(notes).toContain("FIN5.txt: 1164 sentences, 1161 mentions");
    expect(notes).toContain("7 spans of other kinds");
    expect(notes).toContain("3502 rows, which ask for 98 different entities");
    expect(notes).toContain("98 of the 98 are here with the same type");
    const asked = (entity: string) => task.splits.test.find(({ prompt }) => prompt.includes(`Is "${entity}"`))?.answer;
    expect([asked("Mr . Frank Wouters") ?? asked("Frank Wouters"), asked("France"), asked("EVERGREEN SOLAR")]).toEqual([
      "person",
      "location",
      "organization",
    ]);
  });

  test("finqa: the 883 dev and 1,147 test questions, and no train but under another name", async () => {
    const task = await load("finqa");
    expect(sizes(task)).toEqual([0, 883, 1147]);
    expect(task.splits.test[0]).toMatchObject({ answer: "94", group: "ETR/2016/page_23.pdf" });
    expect(task.splits.test[0]?.prompt).toMatch(
      /2014 net revenue \| \$ 5735.*Question: what is the net change in net revenue during 2015 for entergy corporation\?$/s,
    );
    expect(task.notes.join("\n")).toContain(
      "of 199 questions with a written answer beside the program's result, 16 contradict it",
    );
    await expect(loadTask({ name: "finqa" }, { dataRoot })).rejects.toThrow(/finqa-by-page/);
  });

  test("convfinqa: 1,490 turns of 421 dialogues, each with the gold answers before it", async () => {
    const task = await load("convfinqa");
    expect(sizes(task)).toEqual([0, 0, 1490]);
    expect(new Set(task.splits.test.map(({ group }) => group)).size).toBe(218);
    expect(task.splits.test[2]).toMatchObject({ id: "test#1.3", answer: "35.8", group: "MRO/2007/page_134.pdf" });
    expect(task.splits.test[2]?.prompt).toMatch(
      /Answer: 60.94\nQuestion: and what was it in 2005\?\nAnswer: 25.14\nQuestion: [^\n]*$/,
    );
    await expect(loadTask({ name: "convfinqa" }, { dataRoot })).rejects.toThrow(/convfinqa-by-page/);
  });

  test("finqa-by-page and convfinqa-by-page: all that is here, every page they share on one side", async () => {
    const [single, talk] = [await load("finqa-by-page"), await load("convfinqa-by-page")];
    expect(sizes(single)).toEqual([1627, 201, 547]); // 345 of train, 883 of dev, 1147 of test
    expect(sizes(talk)).toEqual([1077, 134, 279]);
    expectPages([single, talk]);
    const pages = new Set(Object.values(single.splits).flatMap((examples) => examples.map(({ group }) => group)));
    const shared = new Set(
      readDialogues(dataRoot!)
        .map(({ page }) => page)
        .filter((page) => pages.has(page)),
    );
    expect(shared.size).toBeGreaterThan(200);
    expect(single.notes.join("\n")).toContain("nothing here is comparable with published FinQA scores");
  });

  test("twitter-topic: the published 16,990 and 4,117 tweets of 20 topics, repeats of test texts left out of train", async () => {
    const task = await load("twitter-topic");
    const notes = task.notes.join("\n");
    expect(notes).toContain("999 of 16990 training tweets");
    expect(sizes(task)[2]).toBe(4117);
    expect(counts(task, "test")).toMatchObject({ "Analyst Update": 73, IPO: 14, "Stock Commentary": 528 });
    const labelled = (start: string) => task.splits.test.find(({ text }) => text?.startsWith(start))?.answer;
    expect(labelled("PBOC Governor Yi Gang says")).toBe("Fed | Central Banks");
    expect(labelled("$NDAQ: NASDAQ announces 3-for-1 stock split and quarterly dividend")).toBe("Dividend");
    expect(labelled("$KO: Coca-Cola announces that John Murphy")).toBe("Personnel Change");
    expect(task.splits.test.filter(({ prompt }) => /&(?:amp|lt|gt);/.test(prompt))).toEqual([]);
  });

  test("fiqa-sa: 770, 111 and 230 texts, labelled by the sign of their score, three repeats of held-out ones left out", async () => {
    const task = await load("fiqa-sa");
    expect(sizes(task)).toEqual([768, 110, 230]);
    expect(task.notes[0]).toContain("1111 texts");
    expect(counts(task, "test")).toEqual({ negative: 87, neutral: 2, positive: 141 });
    expect(
      task.splits.test.find(({ text }) => text?.startsWith("Britain's FTSE steadies, supported by Dixons"))?.answer,
    ).toBe("positive");
  });

  test("finer-ord: 3,262, 402 and 1,075 sentences, those that repeat a held-out one left out", async () => {
    const task = await load("finer-ord");
    expect(sizes(task)).toEqual([3118, 357, 1075]);
    expect(task.notes.join("\n")).toContain("3262, 402 and 1075 sentences as published");
    const spans = task.splits.test.flatMap(({ answer }) => (answer === "none" ? [] : answer.split("; ")));
    // Beginnings of entities in the file: 284 + 300 + 544, and those of the 33 that go on without a beginning.
    expect(spans.filter((span) => span.startsWith("organization: ")).length).toBeGreaterThanOrEqual(544);
    expect(spans.length).toBeGreaterThanOrEqual(1128);
    expect(spans.length).toBeLessThan(1128 + 34);
  });

  test("finred: 5,700, 1,007 and 1,068 sentences with 29 relations", async () => {
    const task = await load("finred");
    expect(sizes(task)).toEqual([5688, 1006, 1068]);
    const relations = task.splits.test.flatMap(({ answer }) => answer.split("; ")).map((span) => span.split(": ")[0]);
    expect(relations.length).toBeGreaterThanOrEqual(1488);
    expect(task.splits.test.find(({ text }) => text?.startsWith("The Daily Show with Trevor Noah"))?.answer).toBe(
      "owned by: VH1 | Viacom",
    );
  });

  test("tat-qa: 1,668 dev and 1,663 test questions whose answers carry their scale; none of them trains", async () => {
    const task = await load("tat-qa");
    expect(sizes(task)).toEqual([0, 1668, 1663]);
    const answers = task.splits.dev.map(({ answer }) => answer);
    expect(answers.slice(1, 6)).toEqual([
      "$1,496.5 million",
      "fixed-price type; cost-plus type; time-and-material type",
      "2019",
      "-12.6 million",
      "-22.22%",
    ]);
    await expect(loadTask({ name: "tat-qa" }, { dataRoot })).rejects.toThrow(/tat-qa-by-context/);
    const split = await load("tat-qa-by-context");
    expect(sizes(split).reduce((a, b) => a + b)).toBe(1668 + 1663);
    expectPages([split]);
  });

  test("nwgi: 4,047 test texts in seven steps", async () => {
    const task = await load("nwgi");
    expect(sizes(task)).toEqual([0, 0, 4047]);
    expect(counts(task, "test")).toMatchObject({ "strong negative": 75, neutral: 491, "moderately positive": 1522 });
  });
});

describe("finance tasks from made-up files of the published forms and sizes", () => {
  const root = mkdtempSync(join(tmpdir(), "mixtune-finance-"));
  const load = loader(root);
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path.endsWith(".gz") ? gzipSync(text, { level: 1 }) : text);
  };
  const lines = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join("\n");
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);

  beforeAll(() => {
    put(
      "fin-ner-sec-filings/FIN5.txt",
      conll("a train agreement", { "I-PER": 747, "I-ORG": 243, "I-LOC": 171, "I-MISC": 7 }),
    );
    put(
      "fin-ner-sec-filings/FIN3.txt",
      conll("a test agreement", { "I-PER": 216, "I-ORG": 56, "I-LOC": 39, "I-MISC": 7 }),
    );
    put("fingpt-format-test-sets/ner_test.jsonl.gz", lines(range(4).map(nerRow)));
    put("twitter-financial-news-topic/topic_valid.csv", topicCsv("valid", TOPICS_VALID));
    put("twitter-financial-news-topic/topic_train.csv.gz", topicCsv("train", TOPICS_TRAIN));
    for (const [split, [below, at, above]] of Object.entries(FIQA))
      put(`fiqa-sa/task1_${split}.json`, fiqaJson(split, below, at, above));
    put(
      "fingpt-format-test-sets/nwgi_test.jsonl.gz",
      lines(NWGI.flatMap(([label, n]) => range(n).map((i) => nwgiRow(label, i)))),
    );
    put("finred/train.txt.gz", finredLines("train", 5700, 8079));
    put("finred/dev.txt", finredLines("dev", 1007, 1554));
    put("finred/test.txt", finredLines("test", 1068, 1488));
    put("tat-qa/tatqa_dataset_dev.json.gz", JSON.stringify(range(278).map((i) => tatContext(`dev-${i}`, 6))));
    put(
      "tat-qa/tatqa_dataset_test_gold.json.gz",
      JSON.stringify(range(277).map((i) => tatContext(`test-${i}`, i === 0 ? 7 : 6))),
    );
    put("finqa/cbr_dev_noCase.csv.gz", cbrCsv(range(883)));
    put("finqa/cbr_test_noCase.csv.gz", cbrCsv(range(1147).map((i) => i + 10_000)));
    put("finqa/dev_200.json.gz", JSON.stringify(range(200).map(finqaEntry)));
    put("finqa/test_500.json.gz", JSON.stringify(range(500).map((i) => flatEntry(i + 10_000))));
    put("finqa/train_100.json.gz", JSON.stringify(range(100).map((i) => finqaEntry(i + 20_000))));
    put("finqa/train_250.jsonl.gz", lines(range(250).map((i) => lineEntry(i + 20_095))));
    put("convfinqa/convfinqa_dev_dialogues.json.gz", JSON.stringify({ dev: range(421).map(dialogue) }));
    put("convfinqa/convfinqa_dev_pot.json.gz", JSON.stringify(range(421).map(dialogueTable)));
    put("convfinqa/test_private.json.gz", JSON.stringify([{ ...finqaEntry(10_600), id: `Double_${page(10_600)}` }]));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each(NAMES.filter((name) => name !== "finer-ord"))("%s conforms", async (name) => {
    expectConformingTask(await load(name), { isWithoutTrain: WITHOUT_TRAIN.includes(name) });
  });

  test("finner-cls asks once for each entity of a sentence and leaves other kinds out", async () => {
    const task = await load("finner-cls");
    expect(sizes(task)).toEqual([1044, 116, 310]);
    expect(task.splits.test[0]).toMatchObject({
      id: "test#9",
      answer: "person",
      prompt:
        'In a test agreement 0 the Acme Bank 0 met Acme Bank 0 .\nIs "Acme Bank 0" a person, an organization or a location?',
    });
    expect(task.notes.join("\n")).toContain("4 rows, which ask for 4 different entities");
  });

  test("finqa takes the whole page where a file has it, by table, and the retriever's sentences where none does", async () => {
    const task = await load("finqa");
    expect(sizes(task)).toEqual([0, 883, 1147]);
    expect(task.splits.dev[5]).toMatchObject({ group: page(5), answer: "7" });
    expect(task.splits.dev[5]?.prompt).toBe(
      `Before 5.\n\nitem | 2019\nsales 5 | $ 12\ncosts 5 | 5\n\nAfter 5.\n\nQuestion: how much more ( 5 ) ?`,
    );
    expect(task.splits.dev[600]?.group).toMatch(/^table [0-9a-f]{16}$/);
    expect(task.splits.dev[600]?.prompt).toContain("Retrieved 600.\n\nitem | 2019");
    expect(task.splits.dev[300]?.group).toBe(page(300)); // only ConvFinQA has its page
    expect(task.splits.test[600]?.group).toBe(page(10_600)); // only the private test has its page
    expect(task.notes[0]).toContain("421 stand with their whole page, the other 462 ");
  });

  test("the tasks by page agree on the pages that they share", async () => {
    const [single, talk] = [await load("finqa-by-page"), await load("convfinqa-by-page")];
    expect(sizes(single).reduce((a, b) => a + b)).toBe(883 + 1147 + 345);
    expect(sizes(talk).reduce((a, b) => a + b)).toBe(1490);
    expectPages([single, talk]);
    for (const [share, split] of [
      [0.72, "train"],
      [0.08, "dev"],
      [0.2, "test"],
    ] as const) {
      expect(talk.splits[split].length / 1490).toBeGreaterThan(share * 0.7);
      expect(talk.splits[split].length / 1490).toBeLessThan(share * 1.3);
    }
  });

  test("convfinqa puts the earlier turns with their gold answers before each question", async () => {
    const { splits } = await load("convfinqa");
    expect(splits.test[1]).toMatchObject({ id: "test#1.2", answer: "5", group: page(0) });
    expect(splits.test[1]?.prompt).toMatch(/\nQuestion: what were sales 0\?\nAnswer: 12\nQuestion: and costs\?$/);
    const { text } = splits.test[2]!;
    expect(text).toContain("what were sales 0?");
    const counted = (await load("convfinqa")).notes.join("\n");
    expect(counted).toContain("421 written answers contradict");
  });

  test.each(["finqa-by-page", "convfinqa-by-page", "tat-qa-by-context"])(
    "%s has the part that may be shortened in every prompt as it is",
    async (name) => {
      const { fit, local, prompts } = CATALOGUE[name]!;
      const { train = [] } = await local!.read(root, { variant: "", notes: [] });
      for (const write of Object.values(prompts)) {
        for (const { record } of train.slice(0, 20)) {
          const at = write(record).indexOf(fit!.text(record));
          expect(at).toBeGreaterThanOrEqual(0);
          expect(write(record).slice(at + fit!.text(record).length)).toContain("Question: ");
        }
      }
    },
  );

  test("twitter-topic reads escapes as people do and drops training tweets that repeat a test text", async () => {
    const { splits, notes } = await load("twitter-topic");
    expect(notes.join("\n")).toContain("1 of 16990 training tweets");
    expect(splits.test[0]).toMatchObject({
      answer: "Analyst Update",
      text: "valid tweet 0 of topic 0 on A&B <up> https://t.co/valid",
    });
  });

  test("finred takes the relations from the end of a line, and a bar before them as part of the sentence", async () => {
    const { splits } = await load("finred");
    expect(splits.test[0]).toMatchObject({
      text: "Page 0 | test firm 0 owns test brand 0.",
      answer: "owner of: test firm 0 | test brand 0; owned by: test brand 0 | test firm 0",
    });
  });

  test("questions on pages carry what was written, the program with its table, and what the question asks for", async () => {
    const [single, talk] = [(await load("finqa")).splits, (await load("convfinqa")).splits.test];
    const program = { program: "subtract(12, 5)", value: 7, table: tableOf(0) };
    expect(single.dev[0]?.gold).toEqual({ kind: "number", number: { answer: "7", written: "9" }, program });
    // Its page is known from ConvFinQA alone, where nobody wrote an answer to this question.
    expect(single.dev[300]?.gold).toMatchObject({ number: { answer: "7" }, program: { value: 7 } });
    expect(single.dev[300]?.gold).not.toHaveProperty("number.written");
    expect(talk[0]?.gold).toEqual({ kind: "number", number: { answer: "12", written: "12" } });
    expect(talk[2]?.gold).toEqual({ kind: "number", number: { answer: "7", written: "8" }, program });
    expect(askedFor("By what percentage did sales grow, in millions?")).toEqual({ isPercent: true, scale: 1e6 });
    expect(askedFor("what were sales in 2012, in us thousands")).toEqual({ scale: 1e3 });
    expect(askedFor("how many per centre in millionaires' row?")).toEqual({});
  });

  test("what is trained on carries no gold beside its answer", async () => {
    const { train, dev, test: tested } = (await load("finqa-by-page")).splits;
    expect(train.filter(({ gold }) => gold !== undefined)).toEqual([]);
    expect([...dev, ...tested].filter(({ gold }) => gold === undefined)).toEqual([]);
  });

  test("tat-qa writes each part of an answer with its scale", async () => {
    const { splits } = await load("tat-qa");
    expect(splits.dev[3]?.gold).toEqual({
      kind: "tat-qa",
      answer: { type: "multi-span", parts: ["795", "772"], scale: "thousand" },
    });
    expect(splits.dev.slice(0, 6).map(({ answer }) => answer)).toEqual([
      "$12",
      "1.5 million",
      "-22.22%",
      "795 thousand; 772 thousand",
      "one; two",
      "19.0%",
    ]);
  });

  test.each([
    [
      "twitter-topic",
      "twitter-financial-news-topic/topic_valid.csv",
      () => topicCsv("valid", [...TOPICS_VALID].reverse()),
      /copies with swapped labels/,
    ],
    [
      "twitter-topic",
      "twitter-financial-news-topic/topic_valid.csv",
      () => "text,label\nx,20\n",
      /:2: .*label 0 to 19/,
    ],
    ["fiqa-sa", "fiqa-sa/task1_test.json", () => fiqaJson("test", 141, 2, 87), /scores below, at and above zero/],
    [
      "nwgi",
      "fingpt-format-test-sets/nwgi_test.jsonl.gz",
      () => JSON.stringify(nwgiRow("great", 1)),
      /strong negative/,
    ],
    ["finred", "finred/dev.txt", () => "a sentence without relations\n", /dev.txt:1: .*head ; tail ; relation/],
    ["finred", "finred/dev.txt", () => finredLines("dev", 1007, 1555), /1554 rows/],
    ["finner-cls", "fin-ner-sec-filings/FIN3.txt", () => conll("x", { "I-PER": 1 }), /216, 56, 39, 7 spans/],
    ["finner-cls", "fin-ner-sec-filings/FIN3.txt", () => "one two\n", /FIN3.txt:1: .*token, part of speech/],
    ["finqa", "finqa/cbr_dev_noCase.csv.gz", () => cbrCsv(range(882)), /883 questions/],
    ["finqa", "finqa/cbr_dev_noCase.csv.gz", () => "text\nnothing\n", /contexts, table, question and program/],
    ["finqa", "finqa/dev_200.json.gz", () => '[{"id": "x"}]', /dev_200.json.gz:1/],
    ["convfinqa", "convfinqa/convfinqa_dev_pot.json.gz", () => "[]", /0 dialogues/],
    ["tat-qa", "tat-qa/tatqa_dataset_dev.json.gz", () => JSON.stringify([tatContext("a", 1)]), /278 contexts/],
    ["tat-qa", "tat-qa/tatqa_dataset_dev.json.gz", () => "{", /JSON/],
  ])("%s refuses a damaged %s", async (name, path, text, message) => {
    const good = readFileSync(join(root, path));
    put(path, text());
    const error = await loadAfresh(root, name).then(
      () => null,
      (reason: unknown) => reason,
    );
    writeFileSync(join(root, path), good);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(message);
  });

  test("finer-ord refuses a file with fewer tokens, or with a label that there is none", async () => {
    for (const [row, message] of [
      ["5,Acme,0,0", /80531 tokens in 3262 sentences/],
      ["7,Acme,0,0", /gold_label 0 to 6/],
    ] as const) {
      for (const file of ["train.csv.gz", "val.csv", "test.csv"])
        put(`finer-ord/${file}`, `gold_label,gold_token,doc_idx,sent_idx\n${row}\n`);
      await expect(loadAfresh(root, "finer-ord")).rejects.toThrow(message);
    }
  });
});

describe("finance tasks read rows of the hub", () => {
  const records = (name: string, row: Record<string, unknown>, variant = "") => {
    const definition = CATALOGUE[name]!;
    const found = definition.hub!.records(row, "row 1", { variant, notes: [] });
    return found.map((record) => ({
      prompt: Object.values(definition.prompts)[0]!(record),
      ...definition.example(record),
    }));
  };

  test.each([
    ["fpb", { sentence: "Sales rose.", label: 2 }, "positive", "50agree"],
    [
      "headline",
      { instruction: "Does the news headline talk about price going up? Choose.", input: "gold gains", output: "Yes" },
      "yes",
    ],
    [
      "finner-cls",
      {
        instruction: "What is the entity type of 'Acme' in it.\nOptions: a",
        input: "Acme lends .",
        output: "organization",
      },
      "organization",
    ],
    ["twitter-sentiment", { text: "shares slide", label: 0 }, "bearish"],
    ["twitter-topic", { text: "rates &amp; more", label: 1 }, "Fed | Central Banks"],
    ["fiqa-sa", { sentence: "Acme falls", target: "Acme", score: -0.3 }, "negative"],
    [
      "finer-ord",
      {
        token: ["Ann", "of", "Acme", "Bank", "Umbra", "Paris"],
        label: ["B-PER", "O", "B-ORG", "I-ORG", "B-ORG", "I-LOC"],
      },
      "person: Ann; organization: Acme Bank; organization: Umbra; location: Paris",
    ],
    ["finred", { input: "A owns B.", output: "owner_of: A, B; owned_by: B, A" }, "owner of: A | B; owned by: B | A"],
    ["nwgi", { news: "Up a bit", label: "mildly positive" }, "mildly positive"],
    ["finqa", { query: "Answer.\nContext: a page | 12\nQuestion: how many?\nAnswer:", answer: "12.0" }, "12"],
    [
      "convfinqa",
      { input: "a page Question: how many? Answer: 12.0 Question: and more?\nAnswer:", output: "0.5" },
      "0.5",
    ],
  ])("of %s", (name, row, answer, variant?: string) => {
    expect(records(name, row, variant)).toMatchObject([{ answer }]);
    for (const column of Object.keys(row)) {
      expect(() => records(name, { ...row, [column]: null }, variant)).toThrow(DataError);
    }
  });

  test("with the earlier turns of a conversation in the prompt", () => {
    const [turn] = records("convfinqa", {
      input: "a page Question: how many? Answer: 12.0 Question: and more?\nAnswer:",
      output: "0.5",
    });
    expect(turn?.prompt).toBe("a page\n\nQuestion: how many?\nAnswer: 12\nQuestion: and more?");
  });

  test("on one page in FinQA and in ConvFinQA under one name, though their contexts end otherwise", () => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    const [alone] = records("finqa", {
      query: `Q\nContext: ${words} | a | b\nQuestion: how many?\nAnswer:`,
      answer: "1",
    });
    const [turn] = records("convfinqa", { input: `${words} a b Question: how many?\nAnswer:`, output: "1" });
    expect(alone?.group).toBe(turn?.group);
  });
});

test("a table as Python prints it is read with both kinds of quotes and escapes", () => {
  expect(parsePythonTable(String.raw`[['a', "o'b"], ['it\'s', 'x\ny', '[1], 2']]`, "row 1")).toEqual([
    ["a", "o'b"],
    ["it's", "x\ny", "[1], 2"],
  ]);
  for (const text of ["[]", "[1, 2]", "[['a'", "[['a', b]]", "{'a': 1}"]) {
    expect(() => parsePythonTable(text, "row 1")).toThrow(DataError);
  }
});

/** Sentences of one entity each; the first names its entity twice. */
function conll(doc: string, spans: Readonly<Record<string, number>>): string {
  const lines = ["-DOCSTART- -X- O O", ""];
  let sentence = 0;
  for (const [tag, total] of Object.entries(spans)) {
    for (let left = total; left > 0; sentence++) {
      const isTwice = sentence === 0 && left > 1;
      const entity = [`Acme NNP - ${tag}`, `Bank NNP - ${tag}`, `${sentence} CD - ${tag}`];
      lines.push(
        ...["In", ...doc.split(" "), `${sentence}`, "the"].map((word) => `${word} XX - O`),
        ...entity,
        "met VB - O",
      );
      if (isTwice) lines.push(...entity);
      lines.push(". . - O", "");
      left -= isTwice ? 2 : 1;
    }
  }
  return lines.join("\n");
}

/** In the FinGPT form of the test, for the sentence of that number. */
function nerRow(i: number) {
  const sentence = `In a test agreement ${i} the Acme Bank ${i} met ${i === 0 ? "Acme Bank 0 " : ""}.`;
  const context = `Instruction: What is the entity type of 'Acme Bank ${i}' here.\nOptions: a, b\nInput: ${sentence}\nAnswer: `;
  return { context, target: "person" };
}

function topicCsv(split: string, counts: readonly number[]): string {
  const rows = counts.flatMap((n, topic) =>
    Array.from({ length: n }, (_, i) => {
      const isRepeat = split === "train" && topic === 0 && i === 0;
      return `${isRepeat ? "valid" : split} tweet ${i} of topic ${topic} on A&amp;B &lt;up&gt; https://t.co/${split},${topic}`;
    }),
  );
  return `text,label\n${rows.join("\n")}\n`;
}

function fiqaJson(split: string, below: number, at: number, above: number): string {
  const scores = [...Array(below).fill(-0.4), ...Array(at).fill(0), ...Array(above).fill(0.9)];
  const entry = (sentiment_score: number, i: number) => ({
    sentence: `${split} headline ${i} on the shares of a firm`,
    info: [{ snippets: [], target: `Firm ${i}`, sentiment_score, aspects: ["Stock"] }],
  });
  return JSON.stringify(Object.fromEntries(scores.map((score, i) => [`${split}${i}`, entry(score, i)])));
}

function nwgiRow(label: string, i: number) {
  return { context: `Instruction: grade it\nInput: news ${i} on stocks, ${label}\nAnswer: `, target: label };
}

function finredLines(split: string, numSentences: number, numRelations: number): string {
  const lines = Array.from({ length: numSentences }, (_, i) => {
    const [firm, brand] = [`${split} firm ${i}`, `${split} brand ${i}`];
    const second = i < numRelations - numSentences ? ` | ${brand} ; ${firm} ; owned_by` : "";
    return `${i === 0 ? "Page 0 | " : ""}${firm} owns ${brand}. | ${firm} ; ${brand} ; owner_of${second}`;
  });
  return `${lines.join("\n")}\n`;
}

function tatContext(uid: string, numQuestions: number) {
  const answers = [
    { answer: ["$12"], scale: "", answer_type: "span" },
    { answer: 1.5, scale: "million", answer_type: "arithmetic" },
    { answer: -22.22, scale: "percent", answer_type: "arithmetic" },
    { answer: ["795", "772"], scale: "thousand", answer_type: "multi-span" },
    { answer: ["one", "", "two"], scale: "", answer_type: "multi-span" },
    { answer: ["19.0%"], scale: "percent", answer_type: "span" },
    { answer: "3", scale: "", answer_type: "count" },
  ];
  const questions = answers
    .slice(0, numQuestions)
    .map((answer, i) => ({ ...answer, question: `what is number ${i} of ${uid} ?` }));
  return {
    table: {
      uid,
      table: [
        ["item", "2019"],
        [`sales ${uid}`, "12"],
      ],
    },
    paragraphs: [{ text: `About ${uid}.` }],
    questions,
  };
}

function page(i: number): string {
  return `FIRM/20${10 + (i % 10)}/page_${i}.pdf`;
}

function tableOf(i: number): string[][] {
  return [
    ["item", "2019"],
    [`sales ${i}`, "$ 12"],
    [`costs ${i}`, "5"],
  ];
}

function cbrCsv(numbers: readonly number[]): string {
  const rows = numbers.map((i) => {
    const table = `[${tableOf(i).map((cells) => `[${cells.map((cell) => `'${cell}'`).join(", ")}]`)}]`;
    const text =
      `<s> \n    1. Please answer.\n\n    Input: \n    Contexts:\n    Retrieved ${i}.\n\n\n    Table: ${table}\n    \n\n    Possible Operations: ['add']\n\n` +
      `    Possible Arguments: ['12', '5']\n    \n    Question: how much more ( ${i} ) ?\n    \n\n    Output: subtract(12, 5) </s>\n\n    `;
    return `"${text}"`;
  });
  return `text\n${rows.join("\n")}\n`;
}

function finqaEntry(i: number) {
  const { id, question, program, ...rest } = flatEntry(i);
  return { ...rest, id, qa: { question, program, answer: i === 0 ? "9" : "7", exe_ans: 7 }, answer: undefined };
}

function flatEntry(i: number) {
  const question = `how much more ( ${i} ) ?`;
  return {
    id: `${page(i)}-1`,
    pre_text: [`Before ${i}.`],
    post_text: [`After ${i}.`],
    table: tableOf(i),
    question,
    program: "subtract(12, 5)",
    answer: 7,
  };
}

function lineEntry(i: number) {
  const { id, question, program } = flatEntry(i);
  return {
    id,
    question,
    program,
    context: `Before ${i}.\n\nitem | 2019\nsales ${i} | $ 12\n\n\nAfter ${i}.`,
    answer: "7.0",
  };
}

/** The third written answer is wrong. The first 227 have a fourth turn, which makes 1,490. */
function dialogue(i: number) {
  const n = i < 227 ? 4 : 3;
  return {
    id: `Single_${page(i)}-1`,
    doc: { pre_text: `Before ${i}.`, post_text: `After ${i}.`, table: {} },
    dialogue: {
      conv_questions: [`what were sales ${i}?`, "and costs?", "so how much more?", "as a share of sales?"].slice(0, n),
      conv_answers: ["12", "5", "8", "58.3%"].slice(0, n),
      executed_answers: [12, 5, 7, 0.58333].slice(0, n),
      turn_program: ["12", "5", "subtract(12, 5)", "subtract(12, 5), divide(#0, 12)"].slice(0, n),
    },
  };
}

function dialogueTable(i: number) {
  const [head, ...rows] = tableOf(i).map((cells) => cells.join(" | "));
  return { id: `Single_${page(i)}-1`, table: `${head}\n${rows.join("\n")}\n` };
}
