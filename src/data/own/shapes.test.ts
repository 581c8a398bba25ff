import { describe, expect, test } from "vitest";
import { dialogueOf, questionIn, type Shape, shapeOf } from "./shapes.ts";

const shape = (row: Record<string, unknown>): Shape => shapeOf(Object.keys(row))!;
const dialogue = (row: Record<string, unknown>) => {
  const turns = shape(row).turns(row);
  return Array.isArray(turns) ? dialogueOf(turns) : turns;
};
const said = (role: string, content: unknown) => ({ role, content });

describe("a shape is known by its fields", () => {
  test.each([
    ["alpaca", ["instruction", "input", "output"]],
    ["alpaca", ["id", "instruction", "output", "history"]],
    ["sharegpt", ["id", "conversations"]],
    ["messages", ["messages", "source"]],
    ["prompt/completion", ["prompt", "completion"]],
  ])("%s", (name, fields) => expect(shapeOf(fields)?.name).toBe(name));

  test("and others are not", () => {
    expect(shapeOf(["text", "label"])).toBeUndefined();
    expect(shapeOf(["instruction", "response"])).toBeUndefined();
  });
});

describe("the prompt and the answer", () => {
  test("of alpaca: instruction and input; system and history if there", () => {
    expect(dialogue({ instruction: "Add.", input: "1, 2", output: "3" })).toMatchObject({
      prompt: "Add.\n\n1, 2",
      answer: "3",
    });
    expect(dialogue({ instruction: "Add.", input: null, output: 3 })).toMatchObject({
      prompt: "Add.",
      answer: "3",
      numTurns: 2,
    });
    const row = { instruction: "And 2?", input: "", output: "4", system: "Be short.", history: [["1?", "2"]] };
    expect(dialogue(row)).toMatchObject({
      prompt: "Be short.\n\nUser: 1?\n\nAssistant: 2\n\nUser: And 2?",
      answer: "4",
      text: "1?\n2\nAnd 2?",
      numTurns: 4,
    });
  });

  test("of messages: text in parts too, and a JSON text of the list", () => {
    const messages = [said("system", "S"), said("user", [{ type: "text", text: "Q" }]), said("assistant", " A ")];
    const expected = { prompt: "S\n\nQ", answer: "A", text: "Q", numTurns: 2, numAfter: 0 };
    expect(dialogue({ messages })).toEqual(expected);
    expect(dialogue({ messages: JSON.stringify(messages) })).toEqual(expected);
  });

  test("of sharegpt: the last answer, the turns before it in the prompt, what comes after left out", () => {
    const turn = (from: string, value: string) => ({ from, value });
    const conversations = [
      turn("human", "a"),
      turn("gpt", "b"),
      turn("human", "c"),
      turn("gpt", "d"),
      turn("human", "e"),
    ];
    expect(dialogue({ conversations })).toEqual({
      prompt: "User: a\n\nAssistant: b\n\nUser: c",
      answer: "d",
      text: "a\nb\nc",
      numTurns: 4,
      numAfter: 1,
    });
  });

  test("of prompt and completion: texts or messages", () => {
    expect(dialogue({ prompt: "Q", completion: "A" })).toMatchObject({ prompt: "Q", answer: "A" });
    const row = { prompt: [said("system", "S"), said("user", "Q")], completion: [said("assistant", "A")] };
    expect(dialogue(row)).toMatchObject({ prompt: "S\n\nQ", answer: "A" });
    expect(dialogue({ prompt: "[not a list", completion: "A" })).toMatchObject({ prompt: "[not a list" });
  });
});

describe("what is wrong with a row is said", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ instruction: "", output: "x" }, /instruction is empty/],
    [{ instruction: "x", output: null }, /no output/],
    [{ instruction: { a: 1 }, output: "x" }, /instruction is a nested object/],
    [{ instruction: "x", output: "y", history: ["a"] }, /history 1 is not a pair/],
    [{ messages: "hello" }, /messages is not a list/],
    [{ messages: [] }, /no answer/],
    [{ messages: [said("user", "Q")] }, /no answer/],
    [{ messages: [said("assistant", "A")] }, /no turn of a user/],
    [{ messages: [said("tool", "x"), said("assistant", "A")] }, /turn 1 of messages is by "tool"/],
    [{ messages: [said("constructor", "x")] }, /is by "constructor"/],
    [{ messages: [null] }, /turn 1 of messages is by nobody/],
    [{ messages: [said("user", " ")] }, /turn 1 of messages has no text in content/],
    [{ messages: [said("user", [{ type: "image_url" }])] }, /has no text/],
  ])("%j", (row, problem) => expect((dialogue(row) as { problem: string }).problem).toMatch(problem));
});

describe("the question of a row", () => {
  test.each([
    ["alpaca without output", { instruction: "Add.", input: "1, 2" }, "Add.\n\n1, 2"],
    ["alpaca with an empty one", { instruction: "Add.", output: "" }, "Add."],
    ["a prompt alone", { prompt: "Add." }, "Add."],
    ["a prompt of messages", { prompt: [said("user", "Add.")] }, "Add."],
    [
      "messages that a user ends",
      { messages: [said("system", "Be short."), said("user", "Add.")] },
      "Be short.\n\nAdd.",
    ],
    ["messages with their answer", { messages: [said("user", "Add."), said("assistant", "3")] }, "Add."],
    [
      "a conversation that goes on",
      {
        conversations: [
          { from: "human", value: "1?" },
          { from: "gpt", value: "2" },
          { from: "human", value: "And 2?" },
        ],
      },
      "User: 1?\n\nAssistant: 2\n\nUser: And 2?",
    ],
  ])("of %s", (_, row, prompt) => expect(questionIn(row)).toMatchObject({ prompt }));

  test("is as in training where the row has its answer", () => {
    const row = { instruction: "And 2?", output: "4", system: "Be short.", history: [["1?", "2"]] };
    expect(questionIn(row)).toEqual(dialogue(row));
  });

  test("that has no shape, or no question, is said", () => {
    expect(questionIn({ text: "x" })).toEqual({ problem: expect.stringMatching(/known shape/) });
    expect(questionIn({ messages: [said("assistant", "3")] })).toEqual({
      problem: expect.stringMatching(/turn of a user/),
    });
  });
});
