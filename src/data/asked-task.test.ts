import { describe, expect, test } from "vitest";
import type { TaskSpec } from "../specs/types.ts";
import { askedTask } from "./asked-task.ts";

const own: TaskSpec = {
  name: "t",
  data: { train: "no-such-file.jsonl" },
  prompt: "Q?\n{text} {n}",
  answer: { kind: "label", field: "y", labels: ["a", "b"] },
};

describe("a row is asked", () => {
  test("by the task's own prompt", () => {
    const { answer, question } = askedTask(own);
    expect(answer).toBe(own.answer);
    expect(question({ text: "x", n: 3, y: "a" }, "f:1")).toEqual({ id: "f:1", prompt: "Q?\nx 3" });
    expect(question({ text: "x" }, "f:7")).toEqual({ problem: "no n" });
  });

  test("with the part that may be shortened", () => {
    const { question } = askedTask({ ...own, fit: { field: "text", keep: "start" } });
    expect(question({ text: "long", n: 3 }, "f:1")).toMatchObject({ fit: { from: 3, to: 7, keep: "start" } });
  });

  test("of a catalogue task by its field prompt", () => {
    const { answer, question } = askedTask({ name: "fpb", catalogue: "fpb" });
    expect(answer).toMatchObject({ kind: "label", labels: ["negative", "neutral", "positive"] });
    expect(question({ prompt: "as it stands" }, "f:1")).toMatchObject({ prompt: "as it stands" });
  });

  test("of a task in a known shape as that shape has it", () => {
    const shaped: TaskSpec = { name: "t", data: { train: "no-such-file.jsonl" } };
    const { answer, question } = askedTask(shaped);
    expect(answer.kind).toBe("text");
    expect(question({ instruction: "Add.", input: "1, 2" }, "f:1")).toMatchObject({ prompt: "Add.\n\n1, 2" });
    expect(question({ text: "x" }, "f:1")).toEqual({
      problem: expect.stringMatching(/^no fields of a known shape \(messages, /),
    });
  });
});

test("documents, which have no answer, are refused", () => {
  const { prompt: _prompt, ...rest } = own;
  expect(() => askedTask({ ...rest, answer: { kind: "document", field: "text" } })).toThrow(/got kind document/);
  expect(() => askedTask({ name: "m", texts_of: [own] })).toThrow(/got kind document/);
});
