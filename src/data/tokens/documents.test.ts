import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutDocument } from "./documents.ts";

describe("cutDocument", () => {
  test("predicts every token but the first exactly once, in windows of at most cutoff_len", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 2, max: 50 }), (length, cutoffLen) => {
        const answer = Int32Array.from({ length }, (_, i) => i);
        const windows = cutDocument({ id: "train#0", prompt: new Int32Array(0), answer }, cutoffLen);
        for (const window of windows) expect(window.answer.length).toBeLessThanOrEqual(cutoffLen);
        expect(windows.flatMap((window) => [...window.answer.subarray(1)])).toEqual([...answer.subarray(1)]);
      }),
    );
  });

  test("leaves a document that fits as it is", () => {
    const document = { id: "train#0", prompt: Int32Array.of(1), answer: Int32Array.of(2, 3) };
    expect(cutDocument(document, 3)).toEqual([document]);
  });
});
