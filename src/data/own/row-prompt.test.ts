import { expect, test } from "vitest";
import { rowPrompt } from "./row-prompt.ts";

test("fields stand where they are named, and nothing in them is a name or a pattern", () => {
  const { fields, write } = rowPrompt("Q?\n{text}\n{text} {n}", undefined);
  expect(fields).toEqual(["text", "text", "n"]);
  expect(write({ text: "{n} $&", n: 3 })).toEqual({ prompt: "Q?\n{n} $&\n{n} $& 3" });
});

// The regression: no prompt could show JSON, as every brace began the name of a field.
test("doubled braces stand for braces, and a lone one for itself", () => {
  const { fields, write } = rowPrompt('Such as {{"team": "post"}}, {{{text}}} or { alone.\n{text}', undefined);
  expect(fields).toEqual(["text", "text"]);
  expect(write({ text: "{{x}}" })).toEqual({ prompt: 'Such as {"team": "post"}, {{{x}}} or { alone.\n{{x}}' });
});

test("the first place of the field that may be shortened is known", () => {
  const { prompt, fit } = rowPrompt("{q}: {text} {text}", { field: "text", keep: "end" }).write({
    q: "Why",
    text: "long",
  }) as { prompt: string; fit: { from: number; to: number } };
  expect(fit).toEqual({ from: 5, to: 9, keep: "end" });
  expect(prompt.slice(fit.from, fit.to)).toBe("long");
});

test.each([
  [{ a: 1 }, "no b"],
  [{ a: 1, b: " " }, "b is empty"],
  [{ a: 1, b: [2] }, "b is a list, not a text or number"],
  [{ a: Number.NaN, b: 1 }, "a is not a number (NaN)"],
])("a row without a text in a field is said: %j", (row, problem) =>
  expect(rowPrompt("{a}{b}", undefined).write(row)).toEqual({ problem }),
);
