import { expect, test } from "vitest";
import { DataError, MixtuneError, SpecError } from "./errors.ts";

const detail = { place: "study.yaml: train.lora_rank", expected: "a whole number", got: "eight", remedy: "Write 8." };

test("an error says place, expected, got and remedy, and keeps them and its cause", () => {
  const cause = new Error("below");
  const error = new SpecError({ ...detail, cause });
  expect(error.message).toBe("study.yaml: train.lora_rank: expected a whole number, got eight.\n  Write 8.");
  expect(error).toMatchObject({ ...detail, cause, name: "SpecError" });
});

test("kinds can be told apart and share one base", () => {
  expect(new DataError(detail)).toBeInstanceOf(MixtuneError);
  expect(new DataError(detail)).not.toBeInstanceOf(SpecError);
});
