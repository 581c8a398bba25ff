import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Example, FitRange, LoadedTask } from "../types.ts";
import { plainTemplate, tokenizeExample } from "./chat-template.ts";
import { fitExample, fitRange } from "./fit.ts";
import { prepareTask, tokenizeToFit } from "./prepare.ts";
import { openTokenizer } from "./tokenizers.ts";

const tokenizer = openTokenizer(
  join(import.meta.dirname, "../../../test/golden/data-tokenizer/kinds/byte-level-digits"),
);
const template = plainTemplate(tokenizer);

const HEAD = "Read the page and answer.\n";
const TAIL = "\n\nWhat was the profit?";

function exampleOf(part: string, keep: FitRange["keep"], id = "train#1"): Example {
  const prompt = `${HEAD}${part}${TAIL}`;
  const range = fitRange(prompt, part, keep);
  return { id, prompt, answer: "12.5", group: id, ...(range && { fit: range }) };
}

function taskOf(train: Example[]): LoadedTask {
  return {
    ...{
      name: "pages",
      answer: { kind: "text", field: "a" },
      metric: "accuracy",
      licence: "x",
      source: "x",
      notes: [],
    },
    splits: { train, dev: [], test: train.map((example) => ({ ...example, id: example.id.replace("train", "test") })) },
    digests: { train: "", dev: "", test: "" },
  };
}

/** Words with awkward characters, in lines. */
const part = fc
  .array(
    fc.array(fc.constantFrom("net", "sales", "1,204.5", "Überschuß", "€", "売上", "of", "the-group"), {
      maxLength: 12,
    }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((lines) => lines.map((words) => words.join(" ")).join("\n"));
const keep = fc.constantFrom("start" as const, "end" as const);

describe("a fitted example", () => {
  test("is never longer than cutoff_len, keeps a beginning or end of the part, and nothing else of the prompt changes", () => {
    const longestHead = tokenizeExample(
      exampleOf("", "start"),
      { answer: { kind: "text", field: "a" } },
      tokenizer,
      template,
    );
    const least = longestHead.prompt.length + longestHead.answer.length + 4;
    fc.assert(
      fc.property(part, keep, fc.integer({ min: least, max: 300 }), (text, end, cutoffLen) => {
        const row = exampleOf(text, end);
        const { example, whole, tokensLost } = tokenizeToFit(row, taskOf([]), tokenizer, template, cutoffLen);
        const length = whole.prompt.length + whole.answer.length;
        expect(length).toBeLessThanOrEqual(cutoffLen);
        expect(example.prompt.startsWith(HEAD) && example.prompt.endsWith(TAIL)).toBe(true);
        const kept = example.prompt.slice(HEAD.length, example.prompt.length - TAIL.length);
        expect(end === "start" ? text.startsWith(kept) : text.endsWith(kept)).toBe(true);
        const before = tokenizeExample(row, { answer: { kind: "text", field: "a" } }, tokenizer, template);
        expect(tokensLost).toBe(before.prompt.length + before.answer.length - length);
        if (before.prompt.length + before.answer.length <= cutoffLen) expect(kept).toBe(text);
        // Whole words stay whole.
        const next = end === "start" ? text[kept.length] : text[text.length - kept.length - 1];
        if (kept !== "" && next !== undefined) expect(next).toMatch(/\s/);
      }),
    );
  });
});

describe("fitExample, one token a character", () => {
  const ids = (n: number) => ({ id: "train#1", prompt: new Int32Array(n), answer: new Int32Array(0) });
  const around = HEAD.length + TAIL.length;
  /** What is kept; a word costs `factor` times as many tokens as alone. */
  const fitted = (text: string, end: FitRange["keep"], room: number, factor = 1) => {
    const { fit, ...row } = exampleOf(text, end);
    const sizes: number[] = [];
    const result = fitExample({ ...row, fit: fit! }, around + room, {
      tokenize: (prompt) => {
        sizes.push(around + Math.ceil(factor * (prompt.length - around)));
        return ids(sizes.at(-1)!);
      },
      wordTokens: (word) => word.length,
    });
    expect(result?.whole.prompt.length ?? 0).toBeLessThanOrEqual(around + room);
    return { sizes, kept: result?.example.prompt.slice(HEAD.length, result.example.prompt.length - TAIL.length) };
  };

  test("keeps as many whole lines as fit", () => {
    const lines = "first line\nsecond line\nthird line";
    expect(fitted(lines, "start", 25).kept).toBe("first line\nsecond line");
    expect(fitted(lines, "end", 25).kept).toBe("second line\nthird line");
    expect(fitted(lines, "start", 22).kept).toBe("first line\nsecond line");
    expect(fitted(lines, "start", 21).kept).toBe("first line");
  });

  test("keeps words where whole lines would leave out more than half of what fits", () => {
    const lines = "title\none long paragraph that goes on and on\nend";
    expect(fitted(lines, "start", 30).kept).toBe("title\none long paragraph that");
    expect(fitted(lines, "end", 20).kept).toBe("goes on and on\nend");
    expect(fitted("one long line", "start", 9).kept).toBe("one long");
    expect(fitted("one long line", "end", 10).kept).toBe("long line");
  });

  test("leaves all of the part out before it gives up, and gives up where that is not enough", () => {
    expect(fitted("incomprehensibilities", "start", 5).kept).toBe("");
    expect(fitted("words", "start", -1).kept).toBeUndefined();
  });

  test("tokenises twice where words cost what they cost alone, a few times more where they cost more", () => {
    const words = "word ".repeat(2000).trim();
    const alike = fitted(words, "start", 5000);
    expect(alike.sizes).toEqual([around, around + 4999]);
    expect(alike.kept).toHaveLength(4999);
    const dearer = fitted(words, "end", 5000, 1.2);
    expect(dearer.sizes.length).toBeLessThan(8);
    expect(dearer.kept!.length).toBeGreaterThan(3900);
  });
});

describe("fitRange", () => {
  test("says where the part is, and nothing of an empty one", () => {
    expect(fitRange("ab page cd", "page", "end")).toEqual({ from: 3, to: 7, keep: "end" });
    expect(fitRange("ab", "", "end")).toBeUndefined();
  });

  test("does not pass over a task whose prompt does not hold the part as it is", () => {
    expect(() => fitRange("ab", "page", "start")).toThrow("not in the prompt");
  });
});

describe("prepareTask with fit", () => {
  const long = exampleOf("Profit rose again in every one of the countries.\n".repeat(20).trim(), "start");
  const short = exampleOf("Profit rose.", "start", "train#2");
  const options = { cutoffLen: 80, lossOn: "answer" as const, onBadRow: "stop" as const };

  test("shortens the same way in training and evaluation, and counts rows and tokens", () => {
    const prepared = prepareTask(taskOf([long, short]), tokenizer, template, options);
    const [train, tested] = [prepared.split("train"), prepared.split("test")];
    expect(train.examples[0]?.prompt).toBe(tested.examples[0]?.prompt);
    expect(train.examples[0]?.prompt.length).toBeLessThan(long.prompt.length);
    expect(train.examples[1]).toEqual(short);
    expect([...train.lengths.tokens].every((length) => length <= 80)).toBe(true);
    const whole = prepareTask(taskOf([long, short]), tokenizer, template, { ...options, cutoffLen: 1000 }).split(
      "train",
    );
    expect(train.fitted).toEqual({ rows: 1, tokens: whole.numTokens - train.numTokens });
    expect(train.notes).toEqual([
      `pages/train: 1 of 2 prompts shortened to 80 tokens, ${train.fitted.tokens} tokens left out of them.`,
    ]);
    expect(whole.fitted).toEqual({ rows: 0, tokens: 0 });
    expect(whole.notes).toEqual([]);
    expect(train.rowsDigest).not.toBe(whole.rowsDigest);
  });

  test("refuses by row what is too long even so, and without a fit says that one can be declared", () => {
    const prepare = (row: Example, cutoffLen: number) =>
      prepareTask(taskOf([row]), tokenizer, template, { ...options, cutoffLen }).split("train");
    expect(() => prepare(long, 12)).toThrow(
      /pages\/train#1.*too many even without the part that its fit may leave out/,
    );
    const { fit: _, ...unfitted } = long;
    expect(() => prepare(unfitted, 80)).toThrow(/pages\/train#1.*\n.*declare a fit for the task/);
  });
});
