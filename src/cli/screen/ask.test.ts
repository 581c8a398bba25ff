import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askOnTerminal } from "./ask.ts";

const choices = [
  { value: "urgent", about: "2 labels" },
  { value: "team", about: "3 labels" },
];

/** What a question answers to lines that a person types, and what was shown. */
async function answered(typed: string, isOpen = false, signal = new AbortController().signal) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (piece) => (shown += piece));
  const answer = askOnTerminal({ text: "Which column?", choices, isOpen }, { input, output }, signal);
  input.end(typed);
  return { answer: await answer, shown };
}

test("a number, a value or Enter chooses; the end of the input is Enter", async () => {
  const { answer, shown } = await answered("2\n");
  expect(answer).toBe("team");
  expect(shown).toContain("Which column?\n  1  urgent  (2 labels)\n  2  team  (3 labels)\n  [urgent] ");
  expect((await answered("team\n")).answer).toBe("team");
  expect((await answered("\n")).answer).toBe("urgent");
  expect((await answered("")).answer).toBe("urgent");
});

test("another answer is asked for again, unless the question is open", async () => {
  const { answer, shown } = await answered("7\n");
  expect([answer, shown]).toEqual(["urgent", expect.stringContaining("Please give a number from 1 to 2")]);
  expect((await answered("./my-model\n", true)).answer).toBe("./my-model");
});

test("Ctrl-C ends the question as it ends any work", async () => {
  const stopped = new Error("stopped");
  await expect(answered("", false, AbortSignal.abort(stopped))).rejects.toBe(stopped);
});
