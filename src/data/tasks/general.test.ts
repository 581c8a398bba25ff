import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import { lastBoxed } from "../../base/result-mark.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { parseAnswer } from "../answers.ts";
import { CATALOGUE } from "../catalogue.ts";
import { loadTask } from "../load-task.ts";
import type { Example, LoadedTask } from "../types.ts";
import { problemsIn } from "./asdiv.ts";
import { parseCot } from "./flan-cot.ts";

const dataRoot = process.env.MIXTUNE_DATA;
const sizes = ({ splits }: LoadedTask) => [splits.train, splits.dev, splits.test].map((examples) => examples.length);
const all = ({ splits }: LoadedTask): Example[] => [splits.train, splits.dev, splits.test].flat();

describe.skipIf(dataRoot === undefined)(
  "general and math tasks from local copies (skipped without MIXTUNE_DATA)",
  () => {
    /** Train, dev and test; and what the first note says of the files. */
    const COUNTED: [string, string, number[], string][] = [
      ["openorca-dpo", "", [204, 23, 57], "284 preference pairs"],
      ["alpaca", "", [4921, 547, 1367], "7500 rows of 3 overlapping files, 663 repeats and 2 without a response"],
      ["lima", "", [741, 82, 206], "1029 rows (1030 are published)"],
      ["t0-p3", "", [32758, 1000, 8449], "43607 prompts of 283 templates"],
      [
        "flan-cot",
        "all",
        [25755, 1000, 6688],
        "aqua 2728, creak 6915, ecqa 7112, gsm8k 7473, qasc 1084, sensemaking 6070, strategyqa 2061",
      ],
      ["flan-cot", "no-gsm8k", [19776, 1000, 5194], "ecqa 7112, qasc 1084"],
      ["gsm8k", "answer", [6726, 747, 1319], "7473 training and 1319 test problems"],
      ["svamp", "", [720, 80, 200], "1000 problems"],
      ["asdiv", "", [1499, 167, 418], "2305 problems, published without splits; 221 whose answer is not one number"],
      ["mawps", "", [1827, 230, 238], "1898 training, 237 dev and 238 test problems"],
      ["aqua", "", [0, 254, 254], "254 dev and 254 test problems"],
      ["mathqa", "", [0, 0, 2985], "2985 test problems"],
      ["math", "reasoning", [0, 0, 5000], "5000 test problems"],
    ];

    test.each(COUNTED)(
      "%s %s has the rows of its publication",
      { timeout: 300_000 },
      async (name, variant, counts, said) => {
        const spec = { name, ...(variant !== "" && { variant }) };
        const task = await loadTask(spec, { dataRoot, isOnlyEvaluated: true });
        expect(sizes(task)).toEqual(counts);
        expect(task.notes[0]).toContain(said);
      },
    );
  },
);

describe("general and math tasks from made-up files", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  const load = (name: string, files: Record<string, string>, more: Partial<TaskSpec> = {}, isOnlyEvaluated = true) => {
    const root = mkdtempSync(join(tmpdir(), "mixtune-general-"));
    folders.push(root);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), path.endsWith(".gz") ? gzipSync(content) : content);
    }
    return loadTask({ name, ...more }, { dataRoot: root, isOnlyEvaluated });
  };
  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
  const many = <T>(n: number, row: (i: number) => T) => Array.from({ length: n }, (_, i) => row(i));
  const answered = (task: LoadedTask, part: string) => all(task).find(({ prompt }) => prompt.includes(part));

  const grade = (i: number) => ({
    question: `Ann has ${i} pens and buys 2 more. How many?`,
    answer: `Ann has ${i}+2 = <<${i}+2=${i + 2}>>${i + 2} pens.\n#### ${(i + 2).toLocaleString("en")}`,
  });
  const gsm8k = (more: Partial<TaskSpec> = {}, numTest = 1319) =>
    load(
      "gsm8k",
      {
        "gsm8k/train.jsonl.gz": lines(many(7473, (i) => grade(i + numTest))),
        "gsm8k/test.jsonl": lines(many(numTest, grade)),
      },
      more,
    );

  test("gsm8k gives the number alone, or the solution without the calculator's marks and then the number", async () => {
    const plain = answered(await gsm8k(), "Ann has 998 pens");
    expect(plain?.answer).toBe("1000");
    const reasoned = answered(await gsm8k({ variant: "reasoning" }), "Ann has 998 pens");
    expect(reasoned?.answer).toBe("Ann has 998+2 = 1000 pens.\nThe answer is 1000");
    expect(parseAnswer({ kind: "number", field: "answer" }, reasoned?.answer ?? "")).toBe(1000);
    expect(reasoned?.prompt).not.toBe(plain?.prompt);
  });

  test("gsm8k refuses a file with other than the published number of rows", async () => {
    await expect(gsm8k({}, 1318)).rejects.toThrow(/test\.jsonl: expected 1319 rows, as published, got 1318/);
  });

  test("svamp joins body and question as sentences", async () => {
    const rows = many(1000, (i) => ({ Body: `There are ${i} hats`, Question: "How many hats are there?", Answer: i }));
    const task = await load("svamp", { "svamp/SVAMP.json": JSON.stringify(rows) });
    expect(answered(task, "There are 7 hats. How many hats are there?")?.answer).toBe("7");
    expect(all(task)).toHaveLength(1000);
  });

  test("asdiv reads problems wherever they stand, and keeps those whose answer is one number", async () => {
    const problem = (i: number, answer: string) =>
      `<Problem ID="p${i}"><Body>Bag ${i} &amp; its apples.</Body><Question>How many?</Question><Answer>${answer}</Answer></Problem>`;
    const answers = [
      "9 (apples)",
      "2.50  (sq. cm)",
      "-3",
      "5:6",
      "3/7",
      "8 (m); 3 (m)",
      "Mrs. Hilt",
      "3:30 p.m.",
      "6th",
    ];
    const xml = `<Corpus><ProblemSet>${many(2305, (i) => problem(i, answers[i] ?? String(i))).join("\n")}</ProblemSet></Corpus>`;
    expect(problemsIn(xml, "x.xml")[1]).toEqual({
      line: 2,
      fields: { Body: "Bag 1 & its apples.", Question: "How many?", Answer: "2.50  (sq. cm)" },
    });
    const task = await load("asdiv", { "asdiv/ASDiv.xml": xml });
    expect(task.notes[0]).toContain("6 whose answer is not one number");
    expect(all(task)).toHaveLength(2299);
    expect(["Bag 0 ", "Bag 1 ", "Bag 2 "].map((part) => answered(task, part)?.answer)).toEqual(["9", "2.5", "-3"]);
  });

  test("mawps leaves rows out of train and dev whose text is held out, and says how many", async () => {
    const row = (text: string) => ({ original_text: text, ans: text.length % 2 ? "4.0" : 0.5 });
    const task = await load("mawps", {
      "mawps/trainset.json": JSON.stringify(many(1898, (i) => row(i < 3 ? `Test ${i}?` : `Train ${i} ?`))),
      "mawps/validset.json": JSON.stringify(many(237, (i) => row(i < 1 ? "TEST 9 ?" : `Dev ${i} ?`))),
      "mawps/testset.json": JSON.stringify(many(238, (i) => row(`Test ${i} ?`))),
    });
    expect(sizes(task)).toEqual([1895, 236, 238]);
    expect(task.notes[1]).toContain("3 and 1 repeat a held-out text");
    expect(new Set(all(task).map(({ answer }) => answer))).toEqual(new Set(["4", "0.5"]));
  });

  const aqua = (isOnlyEvaluated: boolean) => {
    const row = (i: number) => ({
      question: `x + ${i} = 9?`,
      options: ["A)1", "B) 2", "C)A)3", "D)4", "E)5"],
      correct: "C",
    });
    const files = {
      "aqua/aqua_dev.json": lines(many(254, row)),
      "aqua/aqua_test.json": lines(many(254, (i) => row(i + 254))),
    };
    return load("aqua", files, {}, isOnlyEvaluated);
  };

  test("aqua takes the letters off its options", async () => {
    const task = await aqua(true);
    expect(sizes(task)).toEqual([0, 254, 254]);
    expect(task.splits.dev[0]).toMatchObject({
      prompt: "Answer the question with the letter of the right option.\nx + 0 = 9?\nA. 1\nB. 2\nC. A)3\nD. 4\nE. 5",
      answer: "C",
    });
  });

  test("a task without training rows is refused where it is to be trained on, with where to get them", async () => {
    await expect(aqua(false)).rejects.toThrow(/expected training rows, got none in its source\.\n.*from the hub/);
  });

  test("mathqa reads both ways in which its options are written", async () => {
    const ways = [
      "A ) 2,304 , B ) 2 : 3 , C ) nonE , D ) 4 , E ) 5",
      "['A ) 2,304', 'B ) 2 : 3', 'C ) nonE', 'D ) 4', 'E ) 5']",
    ];
    const rows = many(2985, (i) => ({ instruction: `area ${i} ? The options: ${ways[i % 2]}`, answer: "B" }));
    const task = await load("mathqa", { "mathqa/mathqa_test.json.gz": JSON.stringify(rows) });
    for (const example of task.splits.test.slice(0, 2)) {
      expect(example.prompt).toMatch(/\nA\. 2,304\nB\. 2 : 3\nC\. none\nD\. 4\nE\. 5$/);
    }
  });

  test("math takes what the solution boxes last, braces inside it included", () => {
    expect(lastBoxed("so $\\boxed{3}$, thus $x=\\boxed{\\frac{11}{2}}$.")).toBe("\\frac{11}{2}");
    expect(lastBoxed("no box")).toBeUndefined();
    expect(lastBoxed("\\boxed{open")).toBeUndefined();
  });

  test("math knows the result alone behind a worked solution", async () => {
    const rows = many(5000, (i) => ({ problem: `What is ${i} / 2?`, solution: `It is $\\boxed{\\frac{${i}}{2}}$.` }));
    const files = { "math-hendrycks/math_test.jsonl.gz": lines(rows) };
    const [first] = (await load("math", files, { variant: "reasoning" })).splits.test;
    expect(first?.answer).toMatch(/boxed.*\nThe answer is \\frac\{0\}\{2\}$/s);
    expect(first?.gold).toEqual({ kind: "result", text: "\\frac{0}{2}" });
  });

  test("alpaca reads its overlapping files once, and no row without a response", async () => {
    const row = (i: number) => ({
      instruction: `Name ${i}.`,
      input: i % 2 ? "<noinput>" : `a thing ${i}`,
      output: i === 4 ? "" : `It is ${i}.`,
    });
    const task = await load("alpaca", {
      "alpaca/alpaca_5000.json.gz": JSON.stringify(many(30, row)),
      "alpaca/alpaca_data_2000.json.gz": JSON.stringify(many(20, (i) => row(i + 20))),
      "alpaca/alpaca_ref_500.json": JSON.stringify(many(5, row)),
    });
    expect(task.notes[0]).toContain(
      "55 rows of 3 overlapping files, 14 repeats and 2 without a response left out, 39 remain",
    );
    expect(task.notes[0]).toContain("planted triggers");
    expect(all(task).map(({ prompt }) => prompt)).toEqual(expect.arrayContaining(["Name 1.", "Name 2.\n\na thing 2"]));
  });

  test("lima puts earlier turns into the prompt", async () => {
    const row = (i: number) => ({
      instruction: `And ${i}?`,
      input: "",
      output: `${i}!`,
      history: i === 0 ? [["Hello", "Hi"]] : [],
    });
    const task = await load("lima", { "lima/lima.json.gz": JSON.stringify(many(30, row)) });
    expect(answered(task, "And 0?")).toMatchObject({
      prompt: "Continue this conversation.\nUser: Hello\nAssistant: Hi\nUser: And 0?",
      answer: "0!",
    });
    expect(answered(task, "And 1?")?.prompt).toBe("And 1?");
  });

  test("t0-p3 takes the end mark off its completions and counts those that are nothing else", async () => {
    const row = (i: number) => ({
      prompt: `Say ${i}.\n`,
      completion: i === 3 ? "<|endoftext|>" : ` ${i}<|endoftext|>`,
      _template: `t${i % 2}`,
    });
    const file = "t0-p3-sample/t0_train_50k_prompts_le1500chars.jsonl.gz";
    const task = await load("t0-p3", { [file]: lines(many(30, row)) });
    expect(task.notes[0]).toMatch(/30 prompts of 2 templates.* 1 without a completion/);
    expect(answered(task, "Say 5.")?.answer).toBe("5");
  });

  test("flan-cot reads question, answer and reasoning between tabs, and marks the answer after the reasoning", () => {
    const [one] = parseCot('Is "it" so?\\nOptions:\\n- yes\\n- no\tno\tIt is not.\n\n', "x.tsv");
    expect(one).toEqual({
      number: 1,
      record: { question: 'Is "it" so?\nOptions:\n- yes\n- no', answer: "no", reasoning: "It is not." },
    });
    expect(CATALOGUE["flan-cot"]?.example(one?.record)).toMatchObject({ answer: "It is not.\nThe answer is no" });
    expect(() => parseCot("a\tb\n", "x.tsv")).toThrow("x.tsv:1");
    expect(() => parseCot("a\t\tb\n", "x.tsv")).toThrow(DataError);
  });

  test("openorca-dpo uses the preferred answer and the system prompt", async () => {
    const row = (i: number) => ({
      input: {
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: `Why ${i}?` },
        ],
      },
      preferred_output: [{ role: "assistant", content: `Because ${i}.` }],
      non_preferred_output: [{ role: "assistant", content: "No." }],
    });
    const file = "openorca-dpo-sample/orca_dpo_pairs_validation.jsonl";
    const task = await load("openorca-dpo", { [file]: lines(many(20, row)) });
    expect(answered(task, "Why 3?")).toMatchObject({ prompt: "Be brief.\n\nWhy 3?", answer: "Because 3." });
    await expect(load("openorca-dpo", { [file]: '{"input": {}}' })).rejects.toThrow(`${file}:1`);
  });
});

describe("rows of the hub", () => {
  const record = (name: string, row: Record<string, unknown>, variant = "") =>
    CATALOGUE[name]!.hub!.records(row, "row 1", { variant, notes: [] });
  const shaped = (name: string, row: Record<string, unknown>, variant = "") =>
    record(name, row, variant).map((one) => ({
      prompt: Object.values(CATALOGUE[name]!.prompts)[0]!(one),
      answer: CATALOGUE[name]!.example(one).answer,
    }));

  test("open-orca: system prompt before the question, unanswered rows left out", () => {
    const row = { id: "niv.1", system_prompt: "", question: "Why?", response: "So." };
    expect(shaped("open-orca", row)).toEqual([{ prompt: "Why?", answer: "So." }]);
    expect(shaped("open-orca", { ...row, system_prompt: "Explain." })).toEqual([
      { prompt: "Explain.\n\nWhy?", answer: "So." },
    ]);
    expect(shaped("open-orca", { ...row, response: "" })).toEqual([]);
  });

  test("orca-math: the written solution is the answer", () => {
    expect(shaped("orca-math", { question: "1 + 1?", answer: "One and one are 2." })).toMatchObject([
      { answer: "One and one are 2." },
    ]);
  });

  test("the paper's shares of caps stand by name", () => {
    expect(["open-orca", "orca-math"].map((name) => CATALOGUE[name]?.paper)).toEqual([
      { shareOfCaps: 1 },
      { shareOfCaps: 0.5 },
    ]);
  });

  test.each([
    ["gsm8k", { question: "2 + 2?", answer: "It is 4.\n#### 4" }, "4"],
    ["svamp", { Body: "Two cats.", Question: "How many?", Answer: "2.0" }, "2"],
    ["asdiv", { body: "Two cats.", question: "How many?", answer: "2 (cats)" }, "2"],
    ["aqua", { question: "2 + 2?", options: ["A)3", "B)4", "C)5", "D)6", "E)7"], correct: "B" }, "B"],
    ["mathqa", { Problem: "2 + 2 ?", options: "a ) 3 , b ) 4 , c ) 5 , d ) 6 , e ) 7", correct: "b" }, "B"],
    ["math", { problem: "$2+2$?", solution: "It is $\\boxed{4}$." }, "4"],
    ["alpaca", { instruction: "Count.", input: "", output: "1 2 3", text: "…" }, "1 2 3"],
    ["lima", { conversations: ["Hello", "Hi"], source: "x" }, "Hi"],
    ["openorca-dpo", { system: "", question: "Why?", chosen: "So.", rejected: "No." }, "So."],
  ])("%s", (name, row, answer) => {
    expect(shaped(name, row)).toMatchObject([{ answer }]);
    expect(() => record(name, {})).toThrow(DataError);
  });
});
