import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openTemplate } from "../data/tokens/chat-template.ts";
import { prepareTask } from "../data/tokens/prepare.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import type { LoadedTask } from "../data/types.ts";
import { readNumberStrict } from "../metrics/number-answer.ts";
import { CachedNetwork } from "../models/cached-network.ts";
import { Network } from "../models/network.ts";
import { openModelFolder, rawWeights } from "../models/weights.ts";
import { EVAL_DEFAULTS } from "../specs/study-file.ts";
import type { EvalSpec } from "../specs/types.ts";
import { evaluateSplit } from "./evaluate.ts";
import { type NetworkParts, networkModel } from "./network-model.ts";
import { rescoreSplit } from "./rescore.ts";

const TINY = join(import.meta.dirname, "../../assets/tiny");
const cache = mkdtempSync(join(tmpdir(), "mixtune-evaluate-"));
const POSITIONS = 192;

describe("answers held to numbers", () => {
  const tokenizer = openTokenizer(TINY);
  const template = openTemplate(TINY, tokenizer);
  const folder = openModelFolder(TINY);
  const tuning = { method: "frozen", frozen: rawWeights(folder, cache) } as const;
  const options = { threads: 1, maxPositions: POSITIONS };
  let network: Network;
  let writer: CachedNetwork;
  let model: NetworkParts;
  beforeAll(async () => {
    network = await Network.create("score", folder.config, tuning, options);
    writer = await CachedNetwork.create(folder.config, tuning, options);
    const parameters = new Float32Array(0);
    model = {
      network,
      writer: async () => writer,
      parameters,
      tokenizer,
      template,
      maxPositions: POSITIONS,
      stopStrings: [],
    };
  });
  afterAll(async () => {
    await network.release();
    await writer.release();
    rmSync(cache, { recursive: true });
  });

  const QUESTIONS = ["How many pens are 3 times 12 pens?", "What is the margin, 5% or 6%?", "Did sales grow in 2015?"];
  function taskOf(answers: readonly string[], trained: readonly string[] = []): LoadedTask {
    const example = (split: string) => (answer: string, i: number) => ({
      ...{ id: `${split}#${i}`, prompt: `${split}: ${QUESTIONS[i % 3]}`, answer, group: `${split} ${i}` },
    });
    const splits = { train: trained.map(example("train")), dev: [], test: answers.map(example("test")) };
    const about = { name: "sums", licence: "own", source: "own", notes: [], digests: { train: "", dev: "", test: "" } };
    return { ...about, answer: { kind: "number", field: "answer" }, metric: "number_accuracy", splits };
  }
  const evaluate = (task: LoadedTask, more: Partial<EvalSpec>, other: Partial<NetworkParts> = {}) => {
    const prepared = prepareTask(task, tokenizer, template, { cutoffLen: 160, lossOn: "answer", onBadRow: "stop" });
    const spec = { ...EVAL_DEFAULTS, max_new_tokens: 12, ...more };
    return evaluateSplit(networkModel({ ...model, ...other }), prepared, "test", spec, async () => {});
  };

  test("are not asked for by default", async () => {
    const { predictions, scores } = await evaluate(taskOf(["36", "6", "2"]), {});
    expect(predictions.every((prediction) => prediction.constrained_output === undefined)).toBe(true);
    expect(scores.metrics).not.toHaveProperty("own_constrained");
  });

  test("stand beside what was written freely, and change none of its scores", async () => {
    const task = taskOf(["36", "6", "2"]);
    const free = await evaluate(task, {});
    const both = await evaluate(task, { constrained_numbers: true });
    expect(both.predictions.map(({ output }) => output)).toEqual(free.predictions.map(({ output }) => output));
    for (const { constrained_output } of both.predictions) {
      expect(readNumberStrict(constrained_output!)).not.toBeNull();
      expect(["yes", "no"]).not.toContain(constrained_output!.trim());
    }
    const stored = both.scores;
    expect(rescoreSplit(both.predictions, stored, task, task.splits.test, "p").scores).toEqual(stored);
    const { own_constrained, ...others } = both.scores.metrics;
    expect(others).toEqual(free.scores.metrics);
    // gold that is what was written: right where it is held to a number, whatever is written freely
    const said = both.predictions.map(({ constrained_output }) => constrained_output!.trim());
    const again = await evaluate(taskOf(said), { constrained_numbers: true });
    expect([own_constrained?.value, again.scores.metrics.own_constrained?.value]).toEqual([0, 1]);
  });

  test("may be yes or no where answers of the task are, in whichever split", async () => {
    const { predictions } = await evaluate(taskOf(["36", "6", "2"], ["no"]), { constrained_numbers: true });
    expect(predictions.map(({ constrained_output }) => constrained_output)).toContain(" no");
  });

  test("stand behind the model's own solution and the result mark where a solution is asked for", async () => {
    const readOn = vi.spyOn(writer, "readOn");
    const task = taskOf(["3 times 12 is 36.\nThe answer is 36", "It is 6.\nThe answer is 6"]);
    const { predictions } = await evaluate(task, { constrained_numbers: true });
    const passes = readOn.mock.calls.flatMap(([, , , tokens]) => tokens.map((ids) => tokenizer.decode(ids)));
    readOn.mockRestore();
    for (const { output, constrained_output } of predictions) {
      expect(output).not.toContain("The answer is");
      expect(passes.some((text) => text.endsWith(`${output.trimEnd()}\nThe answer is`))).toBe(true);
      expect(readNumberStrict(constrained_output!)).not.toBeNull();
    }
  });

  test("stand behind the mark alone where the solution leaves no room", async () => {
    const small = await CachedNetwork.create(folder.config, tuning, { ...options, maxPositions: 72 });
    const readOn = vi.spyOn(small, "readOn");
    const task = taskOf(["3 times 12 is 36.\nThe answer is 36"]);
    const { predictions } = await evaluate(
      task,
      { constrained_numbers: true, max_new_tokens: 30 },
      { writer: async () => small, maxPositions: 72 },
    );
    const passes = readOn.mock.calls.flatMap(([, , , tokens]) => tokens.map((ids) => tokenizer.decode(ids)));
    await small.release();
    expect(passes.some((text) => text.endsWith("\nAnswer: The answer is"))).toBe(true);
    expect(readNumberStrict(predictions[0]!.constrained_output!)).not.toBeNull();
  });
});
