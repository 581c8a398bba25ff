import { describe, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import { taskWords } from "./task-words.ts";

describe("taskWords", () => {
  test("reads options of a catalogue task in the words of a study file", () => {
    expect(taskWords(["variant=allagree", "prompt_style=fingpt", "max_train=50", "train.cutoff_len=256"])).toEqual({
      options: { variant: "allagree", prompt_style: "fingpt", max_train: 50 },
      cutoffLen: 256,
    });
    expect(taskWords([])).toEqual({ options: {}, cutoffLen: TRAIN_DEFAULTS.cutoff_len });
  });

  test("refuses other keys with the nearest known one, words that are none, counts that are none", () => {
    expect(() => taskWords(["prompt_stile=x"])).toThrow("Did you mean prompt_style?");
    expect(() => taskWords(["fingpt"])).toThrow(SpecError);
    expect(() => taskWords(["max_train=many"])).toThrow("got many");
  });
});
