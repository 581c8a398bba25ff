import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { writeStudyLock } from "../../study/lock-file.ts";
import { planRuns } from "../../study/plan.ts";
import { readStudy, readTrainFile } from "./read-study.ts";
import { studyDir } from "./study-dir.ts";

const RECIPE = join(import.meta.dirname, "../../../recipes/paper-55.yaml");

/** A plan of the recipe where each ingredient has as many rows as the test says. */
function planOf(models: string, numTrain: (name: string) => number) {
  const { study } = readStudy(RECIPE, [models]);
  const names = [...Object.keys(study.tasks), ...Object.keys(study.mixers)];
  return planRuns(study, {
    ingredients: () =>
      Object.fromEntries(
        names.map((name) => [
          name,
          { rows_digest: name, num_train: numTrain(name), dev_digest: "dev", has_labels: true },
        ]),
      ),
    models: Object.fromEntries(
      study.models.map((name) => [name, { name, weights_digest: name, tokenizer_digest: "t", template_digest: "p" }]),
    ),
    worker: { kind: "local", threads: 2 },
    estimate: () => ({
      ...{ examples: 0, tokens: 0, ingredients: {}, steps: 1, seconds: 1 },
      time: { start: 0, train: 1, score: 0 },
      memory: { process: 0, weights: 0, optimizer: 0, activations: 0, logits: 0, scoring: 0 },
      ...{ memory_bytes: 0, disk_bytes: 0, working_disk_bytes: 0 },
    }),
    stepsToShow: () => 1,
  });
}

test("the recipe paper-55 on four models is 220 runs", () => {
  expect(planOf("models=[a/m, b/m, c/m, d/m]", () => 1e6)).toHaveLength(220);
});

test("its amounts are those of the paper's code: caps, and of general and mathematical data the sum of all caps and half of it", () => {
  const runs = planOf("models=[a/m]", () => 1e6);
  expect(runs.find(({ mixture }) => mixture.name === "all")?.mixture.ingredients).toEqual({
    headline: { max_train: 10_000 },
    fpb: { max_train: 5000 },
    "finner-cls": { max_train: 5000 },
    finqa: { max_train: 2000 },
    convfinqa: { max_train: 2000 },
    "twitter-topic": { max_train: 2500 },
    "twitter-sentiment": { max_train: 5000 },
    "open-orca": { max_train: 31_500 },
    "orca-math": { max_train: 15_750 },
  });
  const pair = runs.find(({ mixture }) => mixture.name === "fpb__orca-math");
  expect(pair?.mixture.ingredients).toEqual({ fpb: { max_train: 5000 }, "orca-math": { max_train: 15_750 } });
});

test("a dataset smaller than its cap counts as large as it is", () => {
  const runs = planOf("models=[a/m]", (name) => (name === "fpb" ? 3500 : 1e6));
  const single = runs.find(({ mixture }) => mixture.name === "open-orca");
  expect(single?.mixture.ingredients).toEqual({ "open-orca": { max_train: 30_000 } });
});

// The regression: run from two folders there were two studies of one file.
describe("results go", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-study-dir-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const notes: string[] = [];
  const dirOf = (name: string, more = "") => {
    const path = join(folder, "study.yaml");
    writeFileSync(path, `name: ${name}\nmodels: [mixtune/tiny]\ntasks: {gen-topic: {}}\ndesign: [all]\n${more}`);
    return studyDir(readStudy(path), (text) => notes.push(text));
  };

  test("beside the study's file, wherever the command is called", () => {
    expect(dirOf("mixtune-test-beside")).toBe(join(folder, "studies", "mixtune-test-beside"));
  });

  test("under the current folder for a recipe that ships, and for a value", () => {
    expect(studyDir(readStudy(RECIPE), () => {})).toBe(join(process.cwd(), "studies", readStudy(RECIPE).study.name));
  });

  test("on where an earlier version began them under the current folder, which is said", () => {
    const before = process.cwd();
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(join(elsewhere, "studies", "s"), { recursive: true });
    const spy = vi.spyOn(process, "cwd").mockReturnValue(elsewhere);
    try {
      expect(dirOf("s")).toBe(join(folder, "studies", "s"));
      const { study } = readStudy(join(folder, "study.yaml"));
      writeStudyLock(join(elsewhere, "studies", "s"), { format: 1, study, runs: [], baselines: [] } as never);
      expect(dirOf("s")).toBe(join(elsewhere, "studies", "s"));
      expect(notes.at(-1)).toContain(`The results of s are in ${join(elsewhere, "studies", "s")}`);
    } finally {
      spy.mockRestore();
    }
    expect(process.cwd()).toBe(before);
  });
});

test("a run file is a study of one mixture with the seed that the file says", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-run-file-"));
  const path = join(folder, "run.yaml");
  writeFileSync(path, "model: mixtune/tiny\nmixture: {fpb: {max_train: 20}, headline: {}}\nseed: 7\n");
  const { study } = readTrainFile(path, []);
  rmSync(folder, { recursive: true });
  expect(study).toMatchObject({
    name: "run",
    models: ["mixtune/tiny"],
    design: [{ name: "run", tasks: { fpb: { max_train: 20 }, headline: {} } }],
    seeds: [7],
    controls: [],
  });
});
