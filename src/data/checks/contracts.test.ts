import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Message } from "../../specs/message.ts";
import { openTemplate, plainTemplate } from "../tokens/chat-template.ts";
import { openTokenizer } from "../tokens/tokenizers.ts";
import { asked } from "../tokens/turns.ts";
import type { Example, LoadedTask } from "../types.ts";
import {
  findingsOf,
  mislabelledCopies,
  publishedFindings,
  splitFacts,
  tokenFacts,
  tokenFindings,
} from "./contracts.ts";

const tokenizer = openTokenizer(
  join(import.meta.dirname, "../../../test/golden/data-tokenizer/kinds/byte-level-digits"),
);
const template = plainTemplate(tokenizer);
const LABELS = ["bearish", "bullish", "neutral"];

function rowsOf(split: string, answers: readonly string[], prompt = (i: number) => `Tweet ${i}`): Example[] {
  return answers.map((answer, i) => ({ id: `${split}#${i + 1}`, prompt: prompt(i), answer, group: `${split}${i}` }));
}

function taskOf(
  splits: Partial<LoadedTask["splits"]>,
  answer: LoadedTask["answer"] = { kind: "label", field: "label", labels: LABELS },
): LoadedTask {
  return {
    ...{ name: "tweets", answer, metric: "macro_f1", licence: "x", source: "x", notes: [] },
    splits: { train: [], dev: [], test: [], ...splits },
    digests: { train: "", dev: "", test: "" },
  };
}

/** As many answers of each label. */
const answers = (counts: Record<string, number>) =>
  Object.entries(counts).flatMap(([label, n]) => Array.from({ length: n }, () => label));

const noScore = { scoreConstant: () => Number.NaN };

describe("label maps", () => {
  // The tweets' validation split as published, and as a well-known copy has it: 1 and 2 read as neutral and positive.
  const published = { test: { bearish: 347, bullish: 475, neutral: 1566 } };
  const swapped = { bearish: 347, bullish: 1566, neutral: 475 };

  test("as published are accepted", () => {
    expect(publishedFindings(taskOf({ test: rowsOf("test", answers(published.test)) }), published)).toEqual([]);
  });

  test("with two labels swapped are caught, and named as that", () => {
    const [finding, ...more] = publishedFindings(taskOf({ test: rowsOf("test", answers(swapped)) }), published);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: "broken",
      place: "tweets/test",
      expected: "347 bearish, 475 bullish, 1566 neutral, as published",
      got: "347 bearish, 1566 bullish, 475 neutral",
    });
    expect(finding?.remedy).toContain("swapped");
  });

  test("with two labels swapped in train are caught although rows may be left out there", () => {
    const known = { train: { bearish: 1442, bullish: 1923, neutral: 6178 }, test: published.test };
    const of = (counts: Record<string, number>) => {
      const rows = rowsOf("train", answers(counts));
      return taskOf({ train: rows.slice(100), dev: rows.slice(0, 100), test: rowsOf("test", answers(published.test)) });
    };
    expect(publishedFindings(of({ bearish: 1430, bullish: 1918, neutral: 6114 }), known)).toEqual([]);
    expect(publishedFindings(of({ bearish: 1430, bullish: 6114, neutral: 1918 }), known)).toMatchObject([
      { place: "tweets/train", got: "1330 bearish, 6114 bullish, 1918 neutral" },
    ]);
  });

  test("of a person's own copy under other names are caught by the counts", () => {
    const own = (counts: Record<string, number>) =>
      taskOf({ test: rowsOf("test", answers(counts)) }, { kind: "label", field: "l", labels: Object.keys(counts) });
    const known = [{ name: "twitter-sentiment", published }];
    const [finding] = mislabelledCopies(own({ negative: 347, neutral: 475, positive: 1566 }), known);
    expect(finding).toMatchObject({
      severity: "broken",
      place: "tweets/test",
      got: "347 negative, 475 neutral, 1566 positive",
    });
    expect(finding?.expected).toContain("twitter-sentiment");
    // Right under other names, or of another set: nothing to say.
    expect(mislabelledCopies(own({ negative: 347, positive: 475, neutral: 1566 }), known)).toEqual([]);
    expect(mislabelledCopies(own({ negative: 348, neutral: 475, positive: 1566 }), known)).toEqual([]);
    expect(mislabelledCopies(own({ "0": 347, "1": 475, "2": 1566 }), known)).toEqual([]);
  });

  test("rows lost or added against published counts are caught", () => {
    const rows = (n: number) => taskOf({ test: rowsOf("test", answers({ bearish: n })) });
    expect(publishedFindings(rows(10), { test: 10 })).toEqual([]);
    expect(publishedFindings(rows(9), { test: 10 })).toMatchObject([
      { expected: "10 rows, as published", got: "9 rows" },
    ]);
    expect(publishedFindings(rows(11), { test: 10 })).toMatchObject([{ got: "11 rows" }]);
  });
});

describe("splitFacts and what is found in them", () => {
  const factsOf = (examples: Example[], answer?: LoadedTask["answer"]) => {
    const task = taskOf({ train: examples }, answer);
    const facts = splitFacts(task, "train", noScore);
    return { facts, findings: findingsOf(task, facts) };
  };

  test("a sound split has counts and no findings", () => {
    const { facts, findings } = factsOf(rowsOf("train", ["bearish", "bullish", "neutral", "neutral"]));
    expect(facts).toMatchObject({
      ...{ rows: 4, groups: 4, repeated: 0, contradicting: 0, empty_answers: 0, unreadable: [] },
      labels: { bearish: 1, bullish: 1, neutral: 2 },
    });
    expect(findings).toEqual([]);
  });

  test("repeats and contradictions are counted by prompt", () => {
    const same = rowsOf("train", ["bearish", "bearish", "neutral", "bullish"], (i) => (i < 3 ? "the same" : "another"));
    const { facts, findings } = factsOf(same);
    expect(facts).toMatchObject({ repeated: 1, contradicting: 3 });
    expect(findings.map(({ severity, got }) => [severity, got])).toEqual([
      ["warning", "3 of 4 rows whose prompt has another answer elsewhere"],
      ["warning", "1 of 4 rows repeat another's prompt and answer"],
    ]);
  });

  test("empty answers and answers that cannot be read back break the contract, by row", () => {
    const { findings } = factsOf(rowsOf("train", ["bearish", "Bullish", "neutral", " "]));
    expect(findings.filter(({ severity }) => severity === "broken")).toMatchObject([
      { got: "1 of 4 rows with an empty one" },
      { place: "tweets/train: train#2, train#4", got: "2 of 4 that do not" },
    ]);
    const numbers = factsOf(rowsOf("train", ["12", "-3.5", "1,204.5", "twelve"]), { kind: "number", field: "n" });
    expect(numbers.facts.unreadable).toEqual(["train#4"]);
  });

  test("labels without rows and a split that is mostly one answer are warned of", () => {
    const { findings } = factsOf(rowsOf("train", answers({ neutral: 95, bullish: 5 })));
    expect(findings).toMatchObject([
      { severity: "warning", got: "none of bearish" },
      { severity: "warning", got: '95.0 % "neutral"' },
    ]);
  });

  test("the best constant answer is that of the task's metric, with the share of the most frequent answer beside it", () => {
    const task = taskOf({ test: rowsOf("test", answers({ neutral: 6, bullish: 4 })) });
    const scoreConstant = (_: readonly Example[], label: string) => (label === "bullish" ? 0.9 : 0.1);
    expect(splitFacts(task, "test", { scoreConstant }).constant).toEqual({
      ...{ answer: "bullish", accuracy: 0.6, metric: "macro_f1", value: 0.9 },
    });
  });
});

describe("tokenFacts", () => {
  test("names conversations that the chat template does not take, as a run would", () => {
    const folder = join(import.meta.dirname, "../../../test/golden/data-tokenizer/kinds/byte-fallback");
    const tokens = openTokenizer(folder);
    const [first, second] = rowsOf("train", ["yes", "no"]) as [Example, Example];
    const answer: Message = { role: "assistant", content: "Hello" };
    const task = taskOf({ train: [{ ...first, turns: [answer, ...asked("Why?")] }, second] }, text);
    const facts = tokenFacts(task, "train", tokens, openTemplate(folder, tokens), 1000);
    expect(facts.refused).toEqual([first.id]);
    expect(tokenFindings(task, facts, false)).toEqual([
      {
        severity: "broken",
        place: `tweets/train: ${first.id}`,
        expected: "turns that the model's chat template takes",
        got: expect.stringMatching(/^1 rows without: .*alternate/),
        remedy: expect.stringContaining("on_bad_row: skip"),
      },
    ]);
    expect(tokenFindings(task, facts, true)).toMatchObject([{ severity: "warning" }]);
  });

  test("say how many prompts leave no room for the longest number", () => {
    const task = taskOf({ test: rowsOf("test", ["3", "4"]) }, { kind: "number", field: "n" });
    const notes = (positions?: number) => tokenFacts(task, "test", tokenizer, template, 1000, positions).notes;
    expect(notes(40)[0]).toContain("tweets/test: 2 of 2 prompts leave fewer than 32 of the 40 tokens");
    expect([...notes(), ...notes(1000)]).toEqual([]);
  });

  const text = { kind: "text", field: "a" } as const;
  const tokensIn = (words: string) => tokenizer.encode(words).length;

  test("count tokens of prompts and examples by nearest rank", () => {
    const rows = rowsOf(
      "train",
      Array.from({ length: 20 }, () => "yes"),
      (i) => "a ".repeat(i + 1),
    );
    const facts = tokenFacts(taskOf({ train: rows }, text), "train", tokenizer, template, 1000);
    const lengths = rows.map(({ prompt }) => tokensIn(template.render(asked(prompt)))).sort((a, b) => a - b);
    expect(facts.prompt).toEqual({ min: lengths[0], median: lengths[9], p95: lengths[18], max: lengths[19] });
    const answerLength = tokensIn(" yes") + 1;
    expect(facts.example.max).toBe(lengths[19]! + answerLength);
    expect(facts.tokens).toBe(lengths.reduce((sum, length) => sum + length + answerLength, 0));
    expect(facts).toMatchObject({ over: 0, too_long: [], fitted: { rows: 0, tokens: 0 } });
  });

  test("count what is fitted and what is too long even so", () => {
    const long = "word ".repeat(100).trim();
    const rows = rowsOf("train", ["yes", "yes", "yes"], (i) => (i === 0 ? "short" : long));
    rows[1]!.fit = { from: 0, to: long.length, keep: "start" };
    const task = taskOf({ train: rows }, text);
    const facts = tokenFacts(task, "train", tokenizer, template, 60);
    expect(facts).toMatchObject({ over: 2, too_long: ["train#3"], fitted: { rows: 1 } });
    expect(facts.fitted.tokens).toBeGreaterThan(0);
    expect(tokenFindings(task, facts, false)).toMatchObject([{ severity: "broken", place: "tweets/train: train#3" }]);
    expect(tokenFindings(task, facts, true)).toMatchObject([{ severity: "warning" }]);
  });

  test("an example that fits the limit and not the model is found", () => {
    const rows = rowsOf("train", ["yes", "yes"], (i) => "word ".repeat(i === 0 ? 1 : 100).trim());
    const task = taskOf({ train: rows }, text);
    const { max } = tokenFacts(task, "train", tokenizer, template, 1000).example;
    const of = (positions: number) => {
      const facts = tokenFacts(task, "train", tokenizer, template, 1000, positions);
      return tokenFindings(task, facts, false, { name: "m", positions });
    };
    expect(of(max)).toEqual([]);
    expect(of(max - 1)).toMatchObject([
      { severity: "broken", expected: `examples of at most ${max - 1} tokens, which is what m reads` },
    ]);
  });

  test("say what prompts share at their beginning", () => {
    const head = "Is this tweet bullish or bearish? It was written on Monday. ";
    const rows = rowsOf("train", ["yes", "yes", "yes"], (i) => head + ["alpha", "bravo", "9 charlie"][i]);
    const facts = tokenFacts(taskOf({ train: rows }, text), "train", tokenizer, template, 1000);
    const prompts = rows.map(({ prompt }) => tokenizer.encode(template.render(asked(prompt))));
    let common = 0;
    while (prompts.every((ids) => ids[common] === prompts[0]![common])) common++;
    expect(common).toBeGreaterThan(5);
    expect(facts.prefix?.common).toBe(common);
    const all = prompts.reduce((sum, ids) => sum + ids.length, 0);
    expect(facts.prefix?.share).toBeGreaterThanOrEqual((2 * common) / all);
    expect(facts.prefix?.share).toBeLessThan(1);
  });

  test("count the windows of documents, which have no prompt", () => {
    const rows = rowsOf("train", ["Sales rose and fell again. ".repeat(30)], () => "");
    const facts = tokenFacts(
      taskOf({ train: rows }, { kind: "document", field: "t" }),
      "train",
      tokenizer,
      template,
      50,
    );
    expect(facts.windows).toBe(Math.ceil((facts.tokens - 1) / 49));
    expect(facts).not.toHaveProperty("prompt");
    expect(facts.too_long).toEqual([]);
  });
});
