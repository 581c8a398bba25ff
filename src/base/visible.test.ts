import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visible, visibleLine } from "./visible.ts";

describe("visible", () => {
  test("leaves words of all scripts, tabs and line feeds as they are", () => {
    const text = "Überschuß € 12\tpaid\n売上高 “more” – ✓ 😀";
    expect(visible(text)).toBe(text);
  });

  test("shows what a terminal would obey, and what would hide or turn text around, as codes", () => {
    expect(visible("a\u001b[2Jb\u0007\r")).toBe("a\\u{1b}[2Jb\\u{7}\\u{d}");
    expect(visible("x\u202ey\u200bz\ufeff\u2028")).toBe("x\\u{202e}y\\u{200b}z\\u{feff}\\u{2028}");
    expect(visible("\u009b31m\ud800")).toBe("\\u{9b}31m\\u{d800}");
  });

  test("leaves no control character in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
      }),
    );
  });
});

describe("visibleLine", () => {
  test("is one line of at most so many characters", () => {
    expect(visibleLine(" two\n  lines ", 20)).toBe("two lines");
    expect(visibleLine("abcdefghij", 5)).toBe("abcd…");
  });
});
