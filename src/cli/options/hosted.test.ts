import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addHostedOptions, addRequestConcurrency, hostedOptionsOf } from "./hosted.ts";

function read(...words: string[]) {
  const command = addRequestConcurrency(
    addHostedOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} })),
  );
  return hostedOptionsOf(command.parse(words, { from: "user" }).opts());
}

describe("flags of hosted models", () => {
  test("are options of the library", () => {
    const words = ["--api", "completions", "--allow-hosted", "--max-cost", "1.5", "--max-requests", "100"];
    expect(read(...words, "--prices", "2.5,10", "--concurrency", "3")).toEqual({
      api: "completions",
      isAllowed: true,
      budget: { money: 1.5, requests: 100 },
      prices: { inputPerMillion: 2.5, outputPerMillion: 10 },
      concurrency: 3,
    });
  });

  test("take the price of training as the third", () => {
    expect(read("--prices", "1,2,25").prices).toEqual({
      inputPerMillion: 1,
      outputPerMillion: 2,
      trainingPerMillion: 25,
    });
  });

  test.each([
    ["another api", ["--api", "responses"], /Allowed choices are chat, completions/],
    ["no number", ["--max-requests", "many"], /expected a whole number from 1/],
    ["none at all", ["--concurrency", "0"], /expected a whole number from 1 to 256/],
    ["too many", ["--concurrency", "1000"], /expected a whole number from 1 to 256/],
    ["a currency", ["--max-cost", "$5"], /expected a number/],
    ["a negative price", ["--prices", "-1,2"], /expected a number/],
    ["an empty price", ["--prices", "1,"], /expected a number/],
    ["one price", ["--prices", "3"], /two or three numbers with commas/],
    ["four prices", ["--prices", "1,2,3,4"], /two or three numbers with commas/],
  ])("refuse %s", (_, words, message) => {
    expect(() => read(...words)).toThrow(message);
  });
});
