import { describe, expect, test } from "vitest";
import { rowProblem } from "./marks.ts";
import { type Dialogue, dialogueOf, questionIn, type Shape, shapeOf } from "./shapes.ts";

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
      turns: [said("system", "Be short."), said("user", "1?"), said("assistant", "2"), said("user", "And 2?")],
      answer: "4",
      text: "1?\n2\nAnd 2?",
      numTurns: 4,
    });
  });

  test("of messages: text in parts too, and a JSON text of the list", () => {
    const messages = [said("system", "S"), said("user", [{ type: "text", text: "Q" }]), said("assistant", " A ")];
    const turns = [said("system", "S"), said("user", "Q")];
    const expected = { prompt: "S\n\nQ", turns, answer: "A", text: "Q", numTurns: 2, numAfter: 0 };
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
      turns: [said("user", "a"), said("assistant", "b"), said("user", "c")],
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

describe("what a row says about training", () => {
  const user = said("user", "Q");
  const good = said("assistant", "GOOD");
  const bad = { ...said("assistant", "BAD") };

  test.each<[string, Record<string, unknown>]>([
    ["weight of OpenAI and Mistral", { messages: [user, { ...good, weight: 1 }, user, { ...bad, weight: 0 }] }],
    ["loss of ms-swift", { messages: [user, { ...good, loss: true }, user, { ...bad, loss: false }] }],
    ["nulls beside it", { messages: [user, { ...good, weight: null }, user, { ...bad, weight: "0" }] }],
    [
      "train of Axolotl",
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "gpt", value: "GOOD" },
          { from: "human", value: "R" },
          { from: "gpt", value: "BAD", train: false },
        ],
      },
    ],
    ["in a completion", { prompt: "Q", completion: [good, { ...bad, training: false }] }],
  ])("%s chooses the last answer that may be trained on", (_, row) =>
    expect(dialogue(row)).toMatchObject({ answer: "GOOD" }),
  );

  test("leaves a row out where no answer may be", () => {
    const row = { messages: [user, { ...bad, weight: 0 }] };
    expect(dialogue(row)).toEqual({ problem: "has no answer that may be trained on", isLeftOut: true });
    expect(questionIn(row)).toEqual({ prompt: "Q" });
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ ...good, weight: 0.5 }, /^turn 2 of messages has weight 0\.5, where 0 and 1 are known/],
    [{ ...good, train_detail: [{ begin_offset: 0, end_offset: 1, train: true }] }, /has train_detail, which/],
    [{ ...good, tool_calls: [{ id: "a" }] }, /has tool_calls, which is not supported/],
    [{ ...good, reasoning_content: "hm" }, /has reasoning_content, which/],
    [{ ...user, weight: 1 }, /turn 2 of messages is by user and marked to be trained on/],
  ])("is refused by name: %j", (turn, problem) => {
    expect((dialogue({ messages: [user, turn, good] }) as { problem: string }).problem).toMatch(problem);
  });

  test("keys that nothing is done with are told, empty ones and flags are not", () => {
    const messages = [
      { ...user, name: "Ann", weight: 0 },
      { ...good, tool_calls: [], refusal: null, weight: 1 },
    ];
    const unused = new Set<string>();
    shape({ messages }).turns({ messages }, unused);
    expect([...unused]).toEqual(["name"]);
  });

  test("of the whole row is obeyed or refused, but where the task reads the column", () => {
    const left = { problem: "is marked not to be trained on", isLeftOut: true };
    expect(rowProblem({ weight: 0 }, [])).toEqual(left);
    expect(rowProblem({ kto_tag: false }, [])).toEqual(left);
    expect(rowProblem({ label: false }, [])).toEqual(left);
    expect(rowProblem({ label: false }, ["label"])).toBeNull();
    expect(rowProblem({ label: "spam", kto_tag: true, tools: "[]", images: [], mask: null }, [])).toBeNull();
    expect(rowProblem({ completion_mask: [0, 1] }, [])).toEqual({
      problem: "has completion_mask, which is not supported",
    });
    expect(rowProblem({ tools: [{ name: "f" }] }, [])).toEqual({ problem: "has tools, which is not supported" });
    expect(rowProblem({ weight: 2 }, [])).toEqual({ problem: "weight 2, where 0 and 1 are known" });
    expect(questionIn({ prompt: "Q", tools: [{ name: "f" }] })).toEqual({
      problem: "has tools, which is not supported",
    });
  });
});

describe("what is wrong with a row is said", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ instruction: "", output: "x" }, /instruction is empty/],
    [{ instruction: "x", output: null }, /no output/],
    [{ instruction: { a: 1 }, output: "x" }, /instruction is a nested object/],
    [{ instruction: "x", output: "y", history: ["a"] }, /history 1 is not a pair/],
    [{ messages: "hello" }, /messages is a text that is not a JSON list/],
    [{ messages: 7 }, /messages is not a list of {role, content} objects/],
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
    const { prompt, turns } = dialogue(row) as Dialogue;
    expect(questionIn(row)).toEqual({ prompt, turns });
  });

  test("that has no shape, or no question, is said", () => {
    expect(questionIn({ text: "x" })).toEqual({ problem: expect.stringMatching(/known shape/) });
    expect(questionIn({ messages: [said("assistant", "3")] })).toEqual({
      problem: expect.stringMatching(/turn of a user/),
    });
  });
});
