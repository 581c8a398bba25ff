import { describe, expect, test } from "vitest";
import { addedColumns, pickedLabel, refuseTaken, writtenAnswer } from "./predicted.ts";

describe("the picked label", () => {
  test("is the likeliest, ties to the earlier, with probabilities among the labels", () => {
    const logprobs = Float64Array.of(Math.log(0.02), Math.log(0.06), Math.log(0.02));
    const { answer, probability, parsed, probabilities } = pickedLabel(["a", "b", "c"], logprobs);
    expect([answer, parsed]).toEqual(["b", "b"]);
    expect(probability).toBeCloseTo(0.6, 12);
    expect(probabilities?.a).toBeCloseTo(0.2, 12);
    const far = pickedLabel(["a", "b"], Float64Array.of(-5000, -5000));
    expect(far).toMatchObject({ answer: "a", probability: 0.5 });
  });
});

describe("a written answer", () => {
  const logprobs = Float64Array.of(Math.log(0.5), Math.log(0.5));

  test("is without what the template puts in front, with the probability of all its tokens", () => {
    const { probability, ...rest } = writtenAnswer("number", { text: " 1,200", stopped: "end", logprobs }, " ");
    expect(rest).toEqual({ answer: "1,200", parsed: "1200", finish_reason: "stop" });
    expect(probability).toBeCloseTo(0.25, 12);
  });

  test("that is none of its kind has no parsed value", () =>
    expect(writtenAnswer("spans", { text: "Ada", stopped: "length", logprobs }, " ")).toMatchObject({
      answer: "Ada",
      parsed: null,
      finish_reason: "length",
    }));
});

describe("added columns", () => {
  test("are those of the kind, under names with the prefix", () => {
    const names = (kind: "label" | "spans") =>
      addedColumns({ kind, field: "", labels: [] }, "m_").map(({ name, type }) => `${name} ${type}`);
    expect(names("label")).toEqual([
      "m_answer STRING",
      "m_probability DOUBLE",
      "m_parsed STRING",
      "m_probabilities JSON",
    ]);
    expect(names("spans")).toEqual([
      "m_answer STRING",
      "m_probability DOUBLE",
      "m_parsed JSON",
      "m_finish_reason STRING",
    ]);
  });

  test("never take the name of a column of the input", () => {
    const added = addedColumns({ kind: "text", field: "" }, "");
    expect(() => refuseTaken(added, ["text", "answer"], "in.csv")).toThrow(
      /^in\.csv: .*got a column "answer"\.\n.*options\.prefix/,
    );
    expect(() => refuseTaken(added, ["text", "probabilities"], "in.csv")).not.toThrow();
  });
});
