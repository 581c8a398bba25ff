import { describe, expect, test } from "vitest";
import { SpecError } from "../base/errors.ts";
import { hostedDeviations, hostedTrain, refuseUnhosted } from "./hosted-train.ts";
import { parseStudy } from "./study-file.ts";
import { resolveTrain, TRAIN_DEFAULTS, type TrainBlock } from "./train.ts";

const study = (text: string) =>
  parseStudy(`name: s\nmodels: ["openai:m"]\ntasks: {fpb: {}}\ndesign: [all]\n${text}`, "/s/study.yaml", {
    assignments: [],
    cwd: "/",
  });

describe("a train block for a service", () => {
  test.each<[string, TrainBlock]>([
    ["learning_rate", { learning_rate: 1e-5 }],
    ["lora_rank", { lora_rank: 64, lora_alpha: 128, lora_target: ["q_proj"] }],
    [
      "optimiser",
      { weight_decay: 0.1, adam_beta1: 0.8, max_grad_norm: 9, warmup_steps: 5, lr_scheduler_type: "linear" },
    ],
    ["batch_tokens, packing", { batch_tokens: 99, packing: "none" }],
    ["what is kept", { keep: "none", eval_steps: 7, save_steps: 7 }],
  ])("makes no other run where the service decides itself: %s", (_, block) => {
    expect(hostedTrain(resolveTrain(block))).toEqual(TRAIN_DEFAULTS);
  });

  test("keeps what a service takes", () => {
    const block = { num_train_epochs: 2, train_batch_size: 8, learning_rate_multiplier: 0.5, cutoff_len: 77 };
    expect(hostedTrain(resolveTrain(block))).toEqual({ ...TRAIN_DEFAULTS, ...block, batch_tokens: null });
  });

  test.each<[string, TrainBlock]>([
    ["method", { method: "full" }],
    ["init", { init: "random", method: "full" }],
    ["max_steps", { max_steps: 10 }],
    ["num_train_epochs", { num_train_epochs: 1.5 }],
    ["loss_on", { loss_on: "all" }],
    ["loss_mean", { loss_mean: "task" }],
    ["packing", { packing: "contaminated" }],
    ["early_stopping_patience", { early_stopping_patience: 2 }],
    ["evaluate", { evaluate: "best" }],
    ["use_dora", { use_dora: true }],
  ])("is refused with %s, which decides what is learnt", (_, block) => {
    expect(() => hostedTrain(resolveTrain(block))).toThrow(SpecError);
  });

  test("names every setting that the service decides, with the study's own value", () => {
    const [decided, ...others] = hostedDeviations(
      resolveTrain({ learning_rate: 3e-5, lora_rank: 64, train_batch_size: 4 }),
    );
    expect(decided).toMatch(/learning_rate \(0\.00003 here\)|learning_rate \(3e-5 here\)/);
    expect(decided).toMatch(/lora_rank \(64 here\)/);
    expect(decided).not.toMatch(/batch_tokens|save_steps/);
    expect(others.join(" ")).not.toMatch(/train_batch_size would/);
    expect(others.join(" ")).toMatch(/learning_rate_multiplier would set it/);
  });

  test("names or takes or refuses every key that there is", () => {
    const said = hostedDeviations(TRAIN_DEFAULTS).join(" ");
    const ruled = [
      "init",
      "max_steps",
      "num_train_epochs",
      "loss_on",
      "loss_mean",
      "early_stopping_patience",
      "evaluate",
    ];
    // Nothing is evaluated, saved or kept on the way.
    const idle = ["eval_steps", "save_steps", "keep"];
    const silent = Object.keys(TRAIN_DEFAULTS).filter((key) => !new RegExp(`\\b${key}\\b`).test(said));
    expect(silent.sort()).toEqual([...ruled, ...idle].sort());
  });
});

describe("a study for a service", () => {
  test.each([
    [
      "a factor of its own settings",
      "factors: {train.learning_rate: [1.0e-4, 2.0e-4]}",
      /would be the same job, paid for again/,
    ],
    ["random weights", "controls: [random_init]", /a service trains what it has/],
    ["a budget in steps", "budget: {match: steps}", /a service counts epochs/],
    ["a budget in tokens", "budget: {match: [none, tokens]}", /a service counts epochs/],
    ["a seed too large", "seeds: [3000000000]", /seeds up to 2147483647/],
  ])("is refused with %s", (_, text, words) => {
    expect(() => refuseUnhosted(study(text))).toThrow(words);
  });

  test.each([
    "factors: {train.num_train_epochs: [1, 2], train.learning_rate_multiplier: [0.5, 2], tasks.fpb.max_train: [50, 100]}",
    "controls: [base, 'few_shot:5', shuffled_labels]",
    "budget: {match: target_examples}",
  ])("may have %s", (text) => {
    expect(() => refuseUnhosted(study(text))).not.toThrow();
  });

  test("is read strictly, and refused without that reading", () => {
    expect(study("").eval.scoring).toContain("strict");
    expect(() => study("eval: {scoring: [constrained]}")).toThrow(
      /strict too: a hosted model gives no log-probability/,
    );
  });
});
