import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import { loadTask } from "../load-task.ts";
import { adaptersChoice } from "../readers/llm-adapters.ts";
import { parseExam } from "../readers/mmlu.ts";
import type { LoadedTask } from "../types.ts";
import { parsePuzzles } from "./bbh.ts";

const dataRoot = process.env.MIXTUNE_DATA;
const counts = (task: LoadedTask) => {
  const found: Record<string, number> = {};
  for (const { answer } of task.splits.test) found[answer] = (found[answer] ?? 0) + 1;
  return found;
};

describe.skipIf(dataRoot === undefined)("benchmarks from local copies (skipped without MIXTUNE_DATA)", () => {
  /** Dev and test. */
  const COUNTED: [string, string, number[]][] = [
    ["cfa", "flare", [0, 1032]],
    ["cfa", "challenge", [0, 90]],
    ["mmlu", "", [1503, 14042]],
    ["mmlu-finance", "", [339, 3105]],
    ["financebench", "evidence", [0, 150]],
    ["financebench", "closed", [0, 150]],
    ["ifeval", "", [0, 541]],
    ["bbh", "", [0, 6511]],
    ["agieval", "all", [0, 206 + 220 + 230 + 510 + 269 + 651 + 254]],
    ["agieval", "sat-en", [0, 206]],
    ["agieval", "sat-math", [0, 220]],
    ["agieval", "lsat-ar", [0, 230]],
    ["agieval", "lsat-lr", [0, 510]],
    ["agieval", "lsat-rc", [0, 269]],
    ["agieval", "logiqa-en", [0, 651]],
    ["agieval", "aqua-rat", [0, 254]],
    ["arc", "challenge", [0, 1172]],
    ["arc", "easy", [0, 2376]],
    ["boolq", "closed", [0, 3270]],
    ["openbookqa", "", [0, 500]],
    ["commonsenseqa", "", [0, 1221]],
  ];

  test.each(COUNTED)(
    "%s %s has the rows of its publication and none to train on",
    { timeout: 300_000 },
    async (name, variant, sizes) => {
      const task = await loadTask({ name, ...(variant !== "" && { variant }) }, { dataRoot });
      expect(task.isEvaluationOnly).toBe(true);
      expect([task.splits.train, task.splits.dev, task.splits.test].map((examples) => examples.length)).toEqual([
        0,
        ...sizes,
      ]);
    },
  );

  test("answers are spread over the labels as published", { timeout: 300_000 }, async () => {
    const of = async (name: string) => counts(await loadTask({ name }, { dataRoot }));
    expect(await of("cfa")).toEqual({ A: 323, B: 359, C: 350 });
    expect(await of("boolq")).toEqual({ no: 1237, yes: 2033 });
    expect(await of("openbookqa")).toEqual({ A: 138, B: 126, C: 132, D: 104 });
    expect(await of("commonsenseqa")).toEqual({ A: 239, B: 255, C: 241, D: 251, E: 235 });
  });

  test("mmlu counts its validation questions before those of the test are left out", { timeout: 300_000 }, async () => {
    const { notes } = await loadTask({ name: "mmlu" }, { dataRoot });
    expect(notes[0]).toContain("1531 validation questions (dev) and 14042 test questions of 57 subjects");
    expect(notes[1]).toContain("28 repeat a held-out text");
  });

  test("the test of aqua is the part aqua-rat of agieval, word for word", async () => {
    const aqua = await loadTask({ name: "aqua" }, { dataRoot, isOnlyEvaluated: true });
    const part = await loadTask({ name: "agieval", variant: "aqua-rat" }, { dataRoot });
    expect(part.splits.test.map(({ group }) => group)).toEqual(aqua.splits.test.map(({ group }) => group));
  });

  test("boolq has no passages here and says where they are", async () => {
    await expect(loadTask({ name: "boolq", variant: "passage" }, { dataRoot })).rejects.toThrow(/Use variant closed/);
  });
});

describe("benchmarks from made-up files", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  const load = (name: string, files: Record<string, string>, more: Partial<TaskSpec> = {}) => {
    const root = mkdtempSync(join(tmpdir(), "mixtune-knowledge-"));
    folders.push(root);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), path.endsWith(".gz") ? gzipSync(content) : content);
    }
    return loadTask({ name, ...more }, { dataRoot: root });
  };
  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
  const many = <T>(n: number, row: (i: number) => T) => Array.from({ length: n }, (_, i) => row(i));

  test("cfa reads questions that stand alone, and answers in lower case as capitals", async () => {
    const row = (i: number) => ({
      text: `Q:What is ${i}?,CHOICES: A: a rate, or so.,B: a bond.,C: none.`,
      answer: i === 0 ? "b" : "A",
      gold: 0,
    });
    const task = await load("cfa", {
      "cfa-exam/flare_cfa.json": JSON.stringify(many(1032, row)),
      "cfa-exam/cfa_challenge.json": "[]",
    });
    expect(task.splits.test[0]).toMatchObject({
      prompt:
        "Answer the question with the letter of the right option.\nWhat is 0?\nA. a rate, or so.\nB. a bond.\nC. none.",
      answer: "B",
    });
  });

  test("cfa reads questions on a scenario, which is what may be shortened and what groups them", async () => {
    const row = (i: number) => ({
      query: `Read.\nScenario: Case ${i % 2}\nA: long story.;\nQuestion:Who ${i}?;\nAnswer Choices: A: me, B: you, C: both. \nAnswer:`,
      answer: "C",
    });
    const task = await load(
      "cfa",
      { "cfa-exam/flare_cfa.json": "[]", "cfa-exam/cfa_challenge.json": JSON.stringify(many(90, row)) },
      { variant: "challenge" },
    );
    const { prompt, fit } = task.splits.test[0]!;
    expect(prompt).toMatch(/\nCase 0\nA: long story\.\nWho 0\?\nA\. me\nB\. you\nC\. both$/);
    expect(prompt.slice(fit?.from, fit?.to)).toBe("Case 0\nA: long story.");
    expect(new Set(task.splits.test.map(({ group }) => group)).size).toBe(2);
  });

  test("mmlu reads rows without a header, quoted cells, and a quote where none belongs", () => {
    const text = '"What, then?",a,"b ""x""",c,d,B\r\nWhose Will?",1,2,3,4,D\r\n';
    expect(parseExam(text, "law", "law.csv")).toEqual([
      {
        number: "law.1",
        record: { subject: "law", question: "What, then?", options: ["a", 'b "x"', "c", "d"], answer: "B" },
      },
      {
        number: "law.2",
        record: { subject: "law", question: 'Whose Will?"', options: ["1", "2", "3", "4"], answer: "D" },
      },
    ]);
    expect(() => parseExam("What?,a,b,c,d,E\n", "law", "law.csv")).toThrow("law.csv:1");
    expect(() => parseExam("What?,a,b,c\n", "law", "law.csv")).toThrow("law.csv:1");
  });

  test("financebench gives its passages, or the question alone", async () => {
    const rows = many(150, (i) => ({
      doc_name: `F${i % 7}`,
      question: `Revenue in ${i}?`,
      answer: "$5",
      evidence: [{ evidence_text: "Sales: 5" }, { evidence_text: "in millions" }],
    }));
    const files = { "financebench/financebench_open_source.jsonl": lines(rows) };
    const open = (await load("financebench", files)).splits.test[0];
    expect(open).toMatchObject({ group: "F0", answer: "$5" });
    expect(open?.prompt).toContain("Sales: 5\n\nin millions\nQuestion: Revenue in 0?");
    const closed = (await load("financebench", files, { variant: "closed" })).splits.test[0];
    expect(closed?.prompt).not.toContain("Sales");
    expect(closed?.fit).toBeUndefined();
  });

  test("ifeval keeps what is to be checked, without arguments that are null", async () => {
    const rows = many(541, (i) => ({
      prompt: `Write ${i}. `,
      instruction_id_list: ["punctuation:no_comma", "length_constraints:number_words"],
      kwargs: [{ num_words: null }, { num_words: i, relation: null }],
    }));
    const [first] = (await load("ifeval", { "ifeval/input_data.jsonl": lines(rows) })).splits.test;
    expect(first?.prompt).toBe("Write 0.");
    expect(JSON.parse(first?.answer ?? "")).toEqual([
      { id: "punctuation:no_comma", arguments: {} },
      { id: "length_constraints:number_words", arguments: { num_words: 0 } },
    ]);
    expect(first?.gold).toEqual({
      kind: "instructions",
      instructions: [
        { id: "punctuation:no_comma", kwargs: {} },
        { id: "length_constraints:number_words", kwargs: { num_words: 0 } },
      ],
    });
  });

  test("bbh keeps questions apart that differ in brackets only", () => {
    const text = JSON.stringify({
      canary: "x",
      examples: [
        { input: "( [", target: "] )" },
        { input: "[ (", target: ") ]" },
      ],
    });
    const puzzles = parsePuzzles(text, "dyck", "dyck.json");
    expect(puzzles.map(({ number }) => number)).toEqual(["dyck.1", "dyck.2"]);
    expect(CATALOGUE.bbh?.example(puzzles[0]!.record).gold).toEqual({ kind: "result", text: "] )" });
    const groups = puzzles.map(({ record }) => CATALOGUE.bbh?.example(record).group);
    expect(new Set(groups).size).toBe(2);
    expect(() => parsePuzzles("{}", "dyck", "dyck.json")).toThrow(DataError);
  });

  test("agieval takes letters off its options and puts them in the order of their letters", async () => {
    const written = [
      ["(A)one", "(B)two", "(C)three", "(D)four"],
      ["(A)one", "(C)three", "(B)two", "(D)four"],
      ["A one", "B? two", "(C)three", "D four"],
      ["A man", "An elk", "C? fox", "(D)D"],
    ];
    const rows = many(651, (i) => ({ passage: "", question: `Which ${i}?`, options: written[i % 4], label: "C" }));
    const others = ["sat-math", "lsat-ar", "lsat-lr", "lsat-rc", "aqua-rat"].map((part) => [
      `agieval/${part}.jsonl`,
      "",
    ]);
    const files = {
      ...Object.fromEntries(others),
      "agieval/sat-en.jsonl.gz": "",
      "agieval/logiqa-en.jsonl": lines(rows),
    };
    const task = await load("agieval", files, { variant: "logiqa-en" });
    const options = task.splits.test.slice(0, 4).map(({ prompt }) => prompt.split("\n").slice(2).join(" | "));
    expect(options).toEqual([
      "A. one | B. two | C. three | D. four",
      "A. one | B. two | C. three | D. four",
      "A. one | B. two | C. three | D. four",
      "A. man | B. An elk | C. fox | D. D",
    ]);
  });

  test("the LLM-Adapters form is taken apart into question, options and letter", () => {
    const row = {
      instruction:
        "Please choose the correct answer to the question: What melts?\nSay.\n\nAnswer1: ice Answer2: the Answer3 key: x Answer3: rock\n\nAnswer format: answer1/answer2/answer3",
      answer: "answer3",
    };
    expect(adaptersChoice(row, "x")).toEqual({
      question: "What melts?\nSay.",
      options: ["ice", "the Answer3 key: x", "rock"],
      answer: "C",
    });
    expect(() => adaptersChoice({ ...row, answer: "answer4" }, "x")).toThrow(DataError);
    expect(() => adaptersChoice({ ...row, instruction: "What melts?" }, "x")).toThrow(DataError);
  });

  test("boolq answers yes or no where its file has true or false", async () => {
    const rows = many(3270, (i) => ({
      instruction: `Please answer the following question with true or false, question: is ${i} odd\n\nAnswer format: true/false`,
      answer: i % 2 ? "true" : "false",
    }));
    const task = await load("boolq", { "commonsense-mcq/boolq_test.json": JSON.stringify(rows) });
    expect(task.splits.test[1]).toMatchObject({
      prompt: "Answer the question with yes or no.\nis 1 odd?",
      answer: "yes",
    });
    expect(counts(task)).toEqual({ yes: 1635, no: 1635 });
  });

  test("commonsenseqa reads its nested questions", async () => {
    const choices = ["bank", "mall", "lake", "sky", "sea"].map((text, i) => ({ label: "ABCDE"[i], text }));
    const rows = many(1221, (i) => ({ answerKey: "B", id: `${i}`, question: { stem: `Where is ${i}?`, choices } }));
    const task = await load("commonsenseqa", { "commonsense-mcq/CommonsenseQA_dev_rand_split.jsonl": lines(rows) });
    expect(task.splits.test[0]?.prompt).toMatch(/\nWhere is 0\?\nA\. bank\nB\. mall\nC\. lake\nD\. sky\nE\. sea$/);
  });
});

describe("rows of the hub", () => {
  const answers = (name: string, row: Record<string, unknown>, variant = "") =>
    CATALOGUE[name]!.hub!.records(row, "row 1", { variant, notes: [] }).map(
      (one) => CATALOGUE[name]!.example(one).answer,
    );
  const choices = { text: ["ice", "steam", "rock", "fog"], label: ["A", "B", "C", "D"] };

  test.each<[string, Record<string, unknown>, string[], string?]>([
    ["cfa", { text: "Q:What?,CHOICES: A: x.,B: y.,C: z.", answer: "C" }, ["C"], "flare"],
    ["mmlu", { question: "What?", subject: "law", choices: choices.text, answer: 2 }, ["C"]],
    ["mmlu", { question: "What?", subject: "law", choices: choices.text, answer: 3n }, ["D"]],
    ["mmlu-finance", { question: "What?", subject: "law", choices: choices.text, answer: 2 }, []],
    ["mmlu-finance", { question: "What?", subject: "marketing", choices: choices.text, answer: 0 }, ["A"]],
    [
      "financebench",
      { doc_name: "F", question: "What?", answer: "5%", evidence: [{ evidence_text: "x" }] },
      ["5%"],
      "evidence",
    ],
    ["arc", { question: "What?", choices, answerKey: "B" }, ["B"], "easy"],
    ["arc", { question: "What?", choices: { ...choices, label: ["1", "2", "3", "4"] }, answerKey: "4" }, ["D"], "easy"],
    ["boolq", { question: "is it", passage: "It is.", answer: true }, ["yes"], "passage"],
    ["openbookqa", { question_stem: "What?", choices, answerKey: "A" }, ["A"]],
    ["commonsenseqa", { question: "What?", choices, answerKey: "C" }, ["C"]],
  ])("%s", (name, row, expected, variant) => {
    expect(answers(name, row, variant)).toEqual(expected);
    expect(() => answers(name, {}, variant)).toThrow(DataError);
  });

  test("arc names the configuration of its variant", () => {
    const config = CATALOGUE.arc?.hub?.config;
    expect(typeof config === "function" && [config("easy"), config("challenge")]).toEqual([
      "ARC-Easy",
      "ARC-Challenge",
    ]);
  });
});
