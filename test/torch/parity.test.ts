import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readItemScores, readMetrics, readReceipt, readScores, readSpec, readStatus } from "../../src/runs/run-dir.ts";
import { type Parity, parityOf } from "../../src/workers/parity.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";
import { makeFamilies } from "../support/tiny-families.ts";

const RECIPE = fileURLToPath(new URL("../../recipes/parity.yaml", import.meta.url));
const { folder, remove } = temporaryFolder();
afterAll(remove);

const STEPS = 20;
type Worker = "local" | "torch";

/** @returns the run folders of the recipe with these changes, by model */
async function runs(worker: Worker, out: string, ...more: string[]): Promise<Map<string, string>> {
  const args = ["run", RECIPE, "--worker", worker, "--concurrency", "1", "--out", out, "--quiet", ...more];
  const { status, stdout, stderr } = await mixtune(args, { cwd: folder });
  expect([status, stderr], stdout).toEqual([0, ""]);
  const under = join(folder, out, "runs");
  const dirs = readdirSync(under).map((id) => join(under, id));
  return new Map(dirs.map((dir) => [readSpec(dir).model.name, dir]));
}

async function run(worker: Worker, out: string, ...more: string[]): Promise<string> {
  const [dir, ...others] = (await runs(worker, out, ...more)).values();
  expect(others).toEqual([]);
  return dir!;
}

/** Text takes longest: it is written where a net or a batch is new. */
const WITHOUT_TEXT = "eval.scoring=[constrained]";

/** Another layout of the same method: its net has answered enough. */
const FEW = ["eval.max_test=50"];
const isVariant = (name: string) => name.includes(", ");

function expectSame(name: string, found: Parity, items = 500): void {
  console.log(name, JSON.stringify({ ...found, other_answers: found.other_answers.length }));
  expect(found.steps).toBe(STEPS);
  expect(found.items).toBeGreaterThanOrEqual(items);
  expect(found.loss).toBeLessThanOrEqual(1e-4);
  expect(found.dev_loss).toBeLessThanOrEqual(1e-4);
  expect(found.logprob).toBeLessThanOrEqual(1e-2);
  expect(found.other_answers).toEqual([]);
}

describe("the same run on both engines", () => {
  test.each([
    ["LoRA", []],
    ["LoRA, all of a prompt learned", ["train.loss_on=all"]],
    ["LoRA, not packed, each task's mean", ["train.packing=none", "train.loss_mean=task"]],
    ["LoRA, contaminated packs, large batches", ["train.packing=contaminated", "train.train_batch_size=40"]],
    ["DoRA", ["train.use_dora=true", "train.weight_decay=0.1"]],
    ["full", ["train.method=full", "train.weight_decay=0.1"]],
    [
      "full from random weights, batches by tokens",
      ["train.method=full", "train.init=random", "train.train_batch_size=null", "train.batch_tokens=3000"],
    ],
  ] as [string, string[]][])("has the same losses and answers: %s", async (name, more) => {
    const changes = name === "LoRA" ? more : [...more, WITHOUT_TEXT, ...(isVariant(name) ? FEW : [])];
    const local = await run("local", `local ${name}`, ...changes);
    const torch = await run("torch", `torch ${name}`, ...changes);
    expectSame(name, parityOf(local, torch, readSpec(torch).train), isVariant(name) ? 100 : 500);
    expect(readStatus(torch).state).toBe("done");
    expect(readReceipt(torch)!.versions).toHaveProperty("torch");
    expect(["prepared", "answers"].filter((left) => existsSync(join(torch, left)))).toEqual([]);
    expect(Object.keys(readScores(torch).tasks)).toEqual(Object.keys(readScores(local).tasks));
    expect(readItemScores(torch, "gen-topic", "test", new Map())).toBeDefined();
  });
});

describe("every model family", () => {
  let models: string[];
  beforeAll(() => {
    models = makeFamilies(join(folder, "models"));
  });

  test.each(["lora", "full"])("has the same losses and answers on both engines: %s", async (method) => {
    const more = [`models=${JSON.stringify(models)}`, `train.method=${method}`];
    if (method === "full") more.push(WITHOUT_TEXT);
    const [local, torch] = [
      await runs("local", `local-${method}`, ...more),
      await runs("torch", `torch-${method}`, ...more),
    ];
    expect([...torch.keys()].sort()).toEqual([...models].sort());
    for (const [model, dir] of torch) {
      expectSame(`${model.slice(folder.length + 8)} ${method}`, parityOf(local.get(model)!, dir, readSpec(dir).train));
    }
  });
});

describe("a run that is killed", () => {
  const whole = new Map<Worker, string>();
  beforeAll(async () => {
    for (const worker of ["local", "torch"] as const)
      whole.set(worker, await run(worker, `whole-${worker}`, WITHOUT_TEXT));
  });

  test("on PyTorch goes on from its checkpoint, to the same bytes", async () => {
    await killed("torch", "killed");
    const again = await run("torch", "killed", WITHOUT_TEXT);
    const weights = (dir: string) =>
      readFileSync(join(dir, "checkpoints", `step-${STEPS}`, "adapter_model.safetensors")).toString("base64");
    expect(weights(again) === weights(whole.get("torch")!)).toBe(true);
    expect(losses(again)).toEqual(losses(whole.get("torch")!));
  });

  test.each([
    ["local", "torch"],
    ["torch", "local"],
  ] as [Worker, Worker][])(
    "on one engine goes on, on the other, to the same answers: %s, then %s",
    async (first, then) => {
      const begun = await killed(first, `begun-${first}`);
      const out = `ended-${then}`;
      const dir = join(folder, out, "runs", readdirSync(join(whole.get(then)!, ".."))[0]!);
      mkdirSync(dir, { recursive: true });
      for (const name of ["checkpoints", "metrics.jsonl"])
        cpSync(join(begun, name), join(dir, name), { recursive: true });
      const kept = JSON.parse(readFileSync(join(dir, "checkpoints", "last.json"), "utf8")).step;
      expect(await run(then, out, WITHOUT_TEXT)).toBe(dir);
      expect(losses(dir).slice(0, kept)).toEqual(losses(whole.get(first)!).slice(0, kept));
      expectSame(`${first}, then ${then}`, parityOf(whole.get(first)!, dir, readSpec(dir).train));
    },
  );
});

const losses = (dir: string) => readMetrics(dir).map(({ loss }) => loss);

/** A run that SIGKILL ended between its first checkpoint and its last. */
async function killed(worker: Worker, out: string): Promise<string> {
  const under = join(folder, out, "runs");
  const args = ["run", RECIPE, "--worker", worker, "--out", out, "--quiet", WITHOUT_TEXT];
  const { status } = await mixtune(args, {
    cwd: folder,
    watch: (kill) => {
      if (existsSync(under) && readdirSync(under).some((id) => hasStep(join(under, id), 5))) kill("SIGKILL");
    },
  });
  expect(status).toBeNull();
  const dir = join(under, readdirSync(under)[0]!);
  expect(readMetrics(dir).length).toBeLessThan(STEPS);
  return dir;
}

function hasStep(dir: string, step: number): boolean {
  const index = join(dir, "checkpoints", "last.json");
  return existsSync(index) && JSON.parse(readFileSync(index, "utf8")).step >= step;
}
