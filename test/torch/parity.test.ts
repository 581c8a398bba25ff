import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
  readItemScores,
  readMetrics,
  readPredictions,
  readReceipt,
  readScores,
  readStatus,
} from "../../src/runs/run-dir.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";

const SMOKE = fileURLToPath(new URL("../../recipes/smoke.yaml", import.meta.url));
const { folder, remove } = temporaryFolder();
afterAll(remove);

const STEPS = 20;
const SETTINGS = [
  'design=["all"]',
  ...["train.max_steps=20", "train.learning_rate=1e-3", "train.eval_steps=10", "train.save_steps=5"],
  ...[
    "train.evaluate=last",
    "train.keep=weights",
    "eval.max_test=250",
    "eval.max_dev=32",
    "controls=[]",
    "eval.baselines=[]",
  ],
];

async function run(worker: "local" | "torch", out: string, ...more: string[]): Promise<string> {
  const args = ["run", SMOKE, "--worker", worker, "--out", out, "--quiet", ...SETTINGS, ...more];
  const { status, stderr } = await mixtune(args, { cwd: folder });
  expect([status, stderr]).toEqual([0, ""]);
  return onlyRun(out);
}

function onlyRun(out: string): string {
  const runs = join(folder, out, "runs");
  const [id, ...others] = readdirSync(runs);
  expect(others).toEqual([]);
  return join(runs, id!);
}

/** Largest differences of two runs of the same spec on both engines. */
function differences(a: string, b: string) {
  const [ours, theirs] = [readMetrics(a), readMetrics(b)];
  expect([ours.length, theirs.length]).toEqual([STEPS, STEPS]);
  let loss = 0;
  let dev = 0;
  for (const [i, line] of ours.entries()) {
    const other = theirs[i]!;
    expect([other.step, other.tokens, other.learning_rate]).toEqual([line.step, line.tokens, line.learning_rate]);
    loss = Math.max(loss, Math.abs(line.loss - other.loss));
    expect(Object.keys(other.loss_per_task).sort()).toEqual(Object.keys(line.loss_per_task).sort());
    for (const [task, value] of Object.entries(line.dev_loss ?? {}))
      dev = Math.max(dev, Math.abs(value - other.dev_loss![task]!));
  }
  let logprob = 0;
  let items = 0;
  let others = 0;
  for (const task of ["gen-sentiment", "gen-topic"]) {
    const [first, second] = [readPredictions(a, task, "test"), readPredictions(b, task, "test")];
    expect(second.map(({ id, prompt_digest }) => [id, prompt_digest])).toEqual(
      first.map(({ id, prompt_digest }) => [id, prompt_digest]),
    );
    for (const [i, one] of first.entries()) {
      items++;
      for (const [label, value] of Object.entries(one.label_logprobs!))
        logprob = Math.max(logprob, Math.abs(value - second[i]!.label_logprobs![label]!));
      if (one.scores.constrained !== second[i]!.scores.constrained || one.output !== second[i]!.output) others++;
    }
  }
  return { loss, dev, logprob, items, others };
}

describe("the same run on both engines", () => {
  test.each([
    ["LoRA", []],
    ["LoRA, all of a prompt learned", ["train.loss_on=all"]],
    ["LoRA, not packed, each task's mean", ["train.packing=none", "train.loss_mean=task"]],
    ["LoRA, contaminated packs", ["train.packing=contaminated"]],
    ["full", ["train.method=full", "train.weight_decay=0.1"]],
    ["full from random weights", ["train.method=full", "train.init=random"]],
  ] as [string, string[]][])("has the same losses and answers: %s", async (name, more) => {
    const [local, torch] = [await run("local", `local ${name}`, ...more), await run("torch", `torch ${name}`, ...more)];
    const found = differences(local, torch);
    console.log(name, JSON.stringify(found));
    expect(found.items).toBeGreaterThanOrEqual(400);
    expect(found.loss).toBeLessThanOrEqual(1e-4);
    expect(found.dev).toBeLessThanOrEqual(1e-4);
    expect(found.logprob).toBeLessThanOrEqual(1e-2);
    expect(found.others).toBe(0);
    expect(readStatus(torch).state).toBe("done");
    expect(readReceipt(torch)!.versions).toHaveProperty("torch");
    expect(["prepared", "answers"].filter((left) => existsSync(join(torch, left)))).toEqual([]);
    expect(Object.keys(readScores(torch).tasks)).toEqual(Object.keys(readScores(local).tasks));
    expect(readItemScores(torch, "gen-topic", "test", new Map())).toBeDefined();
  });
});

describe("a run on PyTorch", () => {
  test("that is killed goes on from its checkpoint, to the same bytes", async () => {
    const whole = await run("torch", "whole");
    const args = ["run", SMOKE, "--worker", "torch", "--out", "killed", "--quiet", ...SETTINGS];
    const killed = await mixtune(args, {
      cwd: folder,
      watch: (kill) => {
        const runs = join(folder, "killed", "runs");
        if (existsSync(runs) && readdirSync(runs).some((id) => hasStep(join(runs, id), 5))) kill("SIGKILL");
      },
    });
    expect(killed.status).toBeNull();
    const again = await run("torch", "killed");
    const weights = (dir: string) =>
      readFileSync(join(dir, "checkpoints", `step-${STEPS}`, "adapter_model.safetensors")).toString("base64");
    expect(weights(again) === weights(whole)).toBe(true);
    expect(readMetrics(again).map(({ loss }) => loss)).toEqual(readMetrics(whole).map(({ loss }) => loss));
  });
});

function hasStep(dir: string, step: number): boolean {
  const index = join(dir, "checkpoints", "last.json");
  return existsSync(index) && JSON.parse(readFileSync(index, "utf8")).step >= step;
}
