import { describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import type { Example, LoadedTask } from "../types.ts";
import { findLeaks, refuseLeaks } from "./leakage.ts";

function task(name: string, train: string[], test: string[], more: Partial<LoadedTask> = {}): LoadedTask {
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
    ...more,
  };
}

/** Questions on report pages; a page is `text|page`. */
function pages(name: string, train: string[], test: string[], unit = "report page"): LoadedTask {
  const rows = (split: string, texts: string[]): Example[] =>
    texts.map((row, i) => {
      const [text, group] = row.split("|") as [string, string];
      return { id: `${split}#${i}`, prompt: `${name}\n${text}`, answer: "1", group, text };
    });
  return task(name, [], [], { unit, splits: { train: rows("train", train), dev: [], test: rows("test", test) } });
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

  // The regression: a Japanese sentence has no blanks, so that it was one word and never compared.
  test("counts two letters as a word where a script has no blanks", () => {
    expect(findLeaks([task("a", ["まあまあです。商品5579について"], ["まあまあです 商品5579について"])])).toHaveLength(
      1,
    );
    expect(findLeaks([task("a", ["最高でした"], ["最高でした"])])).toEqual([]);
  });

  test("does not mind the test split of data that is only mixed in", () => {
    const tasks = [task("a", [secret], ["other"]), task("mixer", ["another"], [secret])];
    expect(() => refuseLeaks(tasks)).toThrow("a/train#0");
    expect(refuseLeaks(tasks, { scored: ["a"] })).toEqual([]);
  });

  test("lets pairs pass that are allowed by name, in either order, and says so; others are refused still", () => {
    const tasks = [task("a", [secret, secret], ["other"]), task("b", ["another"], [secret])];
    for (const allowed of [[["a", "b"]], [["b", "a"]]] as const) {
      expect(refuseLeaks(tasks, { allowed })).toEqual([
        {
          task: "a",
          sentence: "a: 2 of its training examples are in the test split of b, as allow_overlap lets them.",
        },
      ]);
    }
    expect(() => refuseLeaks(tasks, { allowed: [["a", "c"]] })).toThrow("allow_overlap: [[a, b]]");
  });
});

describe("groups", () => {
  test("are found between tasks that name theirs alike: a report page trained on by one and tested by the other", () => {
    const finqa = pages(
      "finqa",
      ["What was net income in 2019?|ABC/2019/page_3.pdf", "And what in 2018?|ABC/2018/page_9.pdf"],
      [],
    );
    const convfinqa = pages("convfinqa", [], ["By how much did it change from then?|ABC/2019/page_3.pdf"]);
    expect(findLeaks([finqa, convfinqa])).toEqual([
      {
        train: { task: "finqa", id: "train#0" },
        test: { task: "convfinqa", id: "test#0" },
        by: "report page",
        what: "ABC/2019/page_3.pdf",
      },
    ]);
    expect(() => refuseLeaks([finqa, convfinqa])).toThrow(/finqa\/train#0.*the report page of convfinqa\/test#0/);
  });

  test("of other units, of tasks that name none, and plain numbers say nothing between tasks", () => {
    const train = ["What was net income in 2019?|p3"];
    const tested = ["By how much did it change from then?|p3"];
    expect(findLeaks([pages("a", train, []), pages("b", [], tested, "conversation")])).toEqual([]);
    const numbered = (rows: string[]) => rows.map((row) => row.replace("p3", "3"));
    expect(findLeaks([pages("a", numbered(train), []), pages("b", [], numbered(tested))])).toEqual([]);
    const { unit: _a, ...a } = pages("a", train, []);
    const { unit: _b, ...b } = pages("b", [], tested);
    expect(findLeaks([a, b])).toEqual([]);
  });

  test("are found within a task, also numbers: a group must stay in one split", () => {
    const rows = ["What was net income in 2019?|7"];
    expect(findLeaks([pages("a", rows, ["By how much did it change from then?|7"])])).toMatchObject([
      { train: { id: "train#0" }, test: { id: "test#0" }, what: "7" },
    ]);
  });

  test("that are the text itself are compared as texts, so that short ones may coincide", () => {
    const normal = "gold prices steady";
    const rows = [`Gold prices steady|${normal}`];
    expect(findLeaks([pages("a", rows, []), pages("b", [], rows)])).toEqual([]);
  });
});
