import { describe, expect, test } from "vitest";
import { DataError } from "../base/errors.ts";
import { findLeaks, refuseLeaks } from "./leakage.ts";
import type { Example, LoadedTask } from "./types.ts";

function task(name: string, train: string[], test: string[]): LoadedTask {
  const rows = (split: string, texts: string[]): Example[] =>
    texts.map((text, i) => ({
      id: `${split}#${i}`,
      prompt: `${name}: what of this?\n${text}`,
      answer: "a",
      group: text,
      text,
    }));
  return {
    ...{ name, answer: { kind: "text", field: "a" }, metric: "accuracy", licence: "x", source: "x", notes: [] },
    splits: { train: rows("train", train), dev: [], test: rows("test", test) },
    digests: { train: "", dev: "", test: "" },
  };
}

describe("refuseLeaks", () => {
  const secret = "Profit of the group rose by five percent.";

  test("accepts tasks without common texts", () => {
    expect(() =>
      refuseLeaks([task("a", ["one text here"], [secret]), task("b", ["another text"], ["and a third"])]),
    ).not.toThrow();
  });

  test("names the rows where a test text of one task is trained on in another, whatever the case and the instruction", () => {
    const tasks = [
      task("a", ["other"], [secret]),
      task("b", ["other", "PROFIT of the group rose by five  percent!"], ["third"]),
    ];
    expect(findLeaks(tasks)).toMatchObject([
      { train: { task: "b", id: "train#1" }, test: { task: "a", id: "test#0" } },
    ]);
    expect(() => refuseLeaks(tasks)).toThrow(DataError);
    expect(() => refuseLeaks(tasks)).toThrow("b/train#1");
  });

  test("passes over texts of fewer than five words, which coincide by chance", () => {
    expect(findLeaks([task("a", ["gold prices steady"], ["Gold prices steady"])])).toEqual([]);
  });
});
