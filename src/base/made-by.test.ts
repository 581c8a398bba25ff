import { describe, expect, test } from "vitest";
import { refuseOtherMaker } from "./made-by.ts";

const refuse = (theirs: object, mine: object) => () => refuseOtherMaker("out", { ...theirs }, { ...mine }, "Move it.");

describe("another maker", () => {
  test("is refused with the keys that differ, those inside records by their own names", () => {
    const theirs = { model: "a", answer: { kind: "label", labels: ["x", "y"] }, shots: 0 };
    expect(refuse(theirs, theirs)).not.toThrow();
    expect(refuse(theirs, { ...theirs, answer: { kind: "label", labels: ["y"] }, code: 1, fit: null })).toThrow(
      'out: expected answer.labels ["x","y"], code none, got answer.labels ["y"], code 1.\n  Move it.',
    );
    expect(refuse({ most: null }, { most: 3 })).toThrow("out: expected most none, got most 3.");
  });

  test("whose long values differ behind what is shown is told by a digest", () => {
    const labels = (last: string) => ({ labels: [...Array.from({ length: 1200 }, (_, i) => `label ${i}`), last] });
    expect(refuse(labels("a"), labels("b"))).toThrow(
      /^out: expected labels \[.{99}… \(digest [0-9a-f]{8}\), got labels/,
    );
  });
});
