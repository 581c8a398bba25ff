import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseStudy } from "./study-file.ts";
import { parseTrainFile } from "./train-file.ts";

const RECIPES = join(import.meta.dirname, "../../recipes");

test.each(["demo", "smoke", "finance-small", "nine-small"])("the recipe %s is a study file of its own name", (name) => {
  const path = join(RECIPES, `${name}.yaml`);
  const study = parseStudy(readFileSync(path, "utf8"), path, { assignments: [], cwd: "/" });
  expect(study.name).toBe(name);
  expect(study.models).toEqual(["mixtune/tiny"]);
});

test("the recipe of the shipped model is a run file", () => {
  const path = join(RECIPES, "pretrain-tiny.yaml");
  const run = parseTrainFile(readFileSync(path, "utf8"), path, { assignments: [], cwd: "/" });
  expect(run.train).toMatchObject({ method: "full", init: "random", loss_on: "all" });
  const weights = Object.values(run.mixture.ingredients).map(({ weight }) => weight ?? Number.NaN);
  expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
});

test.each([
  ["mistral", "mistralai/Mistral-7B-v0.1"],
  ["qwen2", "Qwen/Qwen2.5-0.5B"],
  ["qwen3", "Qwen/Qwen3-0.6B-Base"],
  ["phi3", "microsoft/Phi-3-mini-4k-instruct"],
  ["gemma2", "google/gemma-2-2b"],
])("the recipe of the family %s is a run file that names its model on the hub", (family, model) => {
  const path = join(RECIPES, `family-${family}.yaml`);
  const run = parseTrainFile(readFileSync(path, "utf8"), path, { assignments: [], cwd: "/" });
  expect(run).toMatchObject({ name: `family-${family}`, model, train: { method: "lora", lora_target: "all" } });
});
