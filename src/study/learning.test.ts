import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { formatJsonl } from "../formats/jsonl.ts";
import { readMetrics, readScores, runPaths, writeScores } from "../runs/run-dir.ts";
import { resolveTrain, type TrainBlock } from "../specs/train.ts";
import { hintText, learningHints, settingHints, suitedRate, suitedTrain } from "./learning.ts";
import { studyResults } from "./results.ts";
import { runDir } from "./scored.ts";

const SMOLLM2 = 134.5e6;
const TINY = 4.6e6;

function hintsOf(block: TrainBlock, steps: number, parameters = SMOLLM2): string[] {
  return settingHints([{ train: resolveTrain({ learning_rate: 1e-3, ...block }), steps, parameters }]).map(hintText);
}

describe("settings that suit", () => {
  // The published ones are of arXiv 2305.14314 (LoRA) and of alignment-handbook's zephyr-7b (full).
  test("are those that were measured or published, at every size", () => {
    expect(suitedRate("lora", TINY)).toBe(4e-3);
    expect(suitedRate("lora", SMOLLM2)).toBe(1e-3);
    expect(suitedRate("lora", 7e9)).toBe(2e-4);
    expect(suitedRate("full", TINY)).toBe(5e-4);
    expect(suitedRate("full", 7e9)).toBe(2e-5);
    expect(suitedTrain(TINY, 540)).toEqual({
      ...{ method: "full", learning_rate: 5e-4, num_train_epochs: 3, train_batch_size: 16 },
    });
    expect(suitedTrain(SMOLLM2, 5000)).toMatchObject({ method: "lora", train_batch_size: 16 });
  });

  test.each([10, 100, 540, 10_000])("give nothing to note, with %i rows or more than a few", (rows) => {
    const { num_train_epochs, train_batch_size, ...suited } = suitedTrain(SMOLLM2, rows);
    const steps = Math.ceil((rows / train_batch_size) * num_train_epochs);
    expect(hintsOf({ ...suited, num_train_epochs, train_batch_size }, steps)).toEqual([]);
  });
});

describe("settings that cannot learn", () => {
  // SmolLM2-135M on 500 rows: weighted F1 0.195, below a constant's 0.311.
  test("have fewer than 50 steps, by smaller batches mended, and by more epochs where these would be tiny", () => {
    expect(hintsOf({}, 11)).toEqual([
      "The run takes 11 optimiser steps: fewer than 50 are hardly enough to learn. Try train.batch_tokens=450.",
    ]);
    expect(hintsOf({ train_batch_size: 32 }, 20)[0]).toMatch(/Try train\.train_batch_size=6\.$/);
    expect(hintsOf({ train_batch_size: 8, num_train_epochs: 1 }, 10)[0]).toMatch(
      /Try train\.train_batch_size=4 train\.num_train_epochs=5\.$/,
    );
    expect(hintsOf({ max_steps: 20 }, 20)[0]).toMatch(/Try train\.max_steps=100\.$/);
    expect(hintsOf({}, 50)).toEqual([]);
    expect(hintsOf({}, Number.NaN)).toEqual([]);
  });

  test("have a rate ten times off, said once for many runs", () => {
    expect(hintsOf({ learning_rate: 2e-4 }, 500)).toEqual([]);
    expect(hintsOf({ learning_rate: 2e-4 }, 500, TINY)).toEqual([
      "train.learning_rate 2e-4 is 20 times below what suits method lora and 4.6 M weights. Try train.learning_rate=4e-3.",
    ]);
    expect(hintsOf({ method: "full", learning_rate: 2e-4 }, 500, 7e9)[0]).toMatch(/10 times above .* 7\.0 B weights/);
    expect(hintsOf({ learning_rate: 2e-4, init: "random" }, 500, TINY)).toEqual([]);
    const run = { train: resolveTrain({ learning_rate: 2e-4 }), parameters: TINY };
    const hints = settingHints([80, 30, 20].map((steps) => ({ ...run, steps })));
    expect(hints).toHaveLength(2);
    expect(hints[0]!.text).toMatch(/^2 of 3 runs take 20 to 30 optimiser steps/);
  });
});

describe("finished runs", () => {
  const dirs: string[] = [];
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
  });

  /** Two tasks and what is right of a share of each task's answers; the majority has half of them. */
  function recorded(chance: (task: string, holds: boolean) => number) {
    const dir = mkdtempSync(join(tmpdir(), "mixtune-learning-"));
    dirs.push(dir);
    const lock = recordStudy(dir, {
      ...{ tasks: ["a", "b"], design: "[singles]", seeds: [1], numItems: 200, numSteps: 60 },
      chance: (task, mixture) => (mixture === undefined ? 0.45 : chance(task, mixture.ingredients[task] !== undefined)),
    });
    const folder = (name: string) => runDir(dir, lock.runs.find(({ mixture }) => mixture.name === name)!.id);
    return { folder, hints: () => learningHints(studyResults(dir)).map(hintText) };
  }

  test("that learned give nothing to note, whatever they do on other tasks", () => {
    expect(recorded((_, holds) => (holds ? 0.8 : 0.1)).hints()).toEqual([]);
  });

  test("are no better than the most frequent answer, or worse than before", () => {
    expect(recorded((task, holds) => (task === "a" && holds ? 0.5 : 0.8)).hints()).toEqual([
      "a: on a the model is no better than always giving the most frequent answer. Try train.batch_tokens=2048.",
    ]);
    expect(recorded((task, holds) => (task === "b" && holds ? 0.3 : 0.8)).hints()[0]).toMatch(
      /^b: on b the model is worse than before training\./,
    );
  });

  test("give one answer to everything, by dev's counts", () => {
    const { folder, hints } = recorded(() => 0.8);
    const scores = readScores(folder("a"))!;
    for (const split of ["dev", "test"] as const)
      scores.tasks.a![split]!.top_answer = { label: "yes", given: split === "dev" ? 200 : 1, gold: 100 };
    writeScores(folder("a"), scores);
    expect(hints()).toEqual([expect.stringMatching(/^a: on a every answer is yes\. Try /)]);
  });

  test("have a loss that rose: a lower rate is proposed", () => {
    const { folder, hints } = recorded(() => 0.8);
    const risen = readMetrics(folder("b")).map((line) => ({ ...line, loss: line.step }));
    writeFileSync(runPaths.metrics(folder("b")), formatJsonl(risen));
    expect(hints()).toEqual(["b: the training loss did not fall. Try train.learning_rate=7e-5."]);
  });
});
