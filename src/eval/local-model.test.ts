import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CONTEXT, type TwoModels, twoModels } from "../../test/support/serving.ts";
import { chatPrompt, PromptTooLong, textPrompt, tokenText } from "./local-model.ts";

let two: TwoModels;
beforeAll(async () => {
  two = await twoModels();
}, 60_000);
afterAll(() => two.close());

describe("a prompt", () => {
  test("may fill the context but for one token", () => {
    const word = two.base.tokenizer.encode(" bank").length;
    expect(word).toBe(1);
    expect(textPrompt(two.base, " bank".repeat(CONTEXT - 1))).toHaveLength(CONTEXT - 1);
    expect(() => textPrompt(two.base, " bank".repeat(CONTEXT))).toThrow(PromptTooLong);
    expect(() => textPrompt(two.base, " bank".repeat(CONTEXT))).toThrow(/at most 511 tokens.*got 512/);
  });

  test("that is far too long is not read to its end", () => {
    const encode = vi.spyOn(two.base.tokenizer, "encode");
    expect(() => textPrompt(two.base, "bank ".repeat(1_000_000))).toThrow(PromptTooLong);
    const numChars = encode.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
    encode.mockRestore();
    expect(numChars).toBeLessThan(100_000);
  });

  test("of very many messages is not rendered", () => {
    const messages = Array.from({ length: CONTEXT }, () => ({ role: "user" as const, content: "" }));
    expect(() => chatPrompt(two.base, messages)).toThrow(/512 messages/);
  });
});

test("texts of tokens, put together, are the text", () => {
  const { tokenizer } = two.base;
  const text = " The bank's Überschuss rose by 3.5 % 🚀\n\n  twice.";
  const ids = [...tokenizer.encode(text)];
  const whole = ids.map((id) => tokenText(tokenizer, id)).join("");
  // parts of a character have no text of their own
  expect(whole.replace(/\uFFFD+/g, "?")).toBe(
    text.replace(/[^\0-\x7f]+/g, (c) => (tokenizer.encode(c).length > 1 ? "?" : c)),
  );
});
