import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readReceipt } from "../../src/runs/run-dir.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";

const RECIPE = fileURLToPath(new URL("../../recipes/parity.yaml", import.meta.url));
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** A Python on a machine that says that it has four GPUs, and where PyTorch then finds none: ranks meet on the processor. */
function fourGpus(log: string): string {
  const path = join(folder, "four-gpus");
  const gpus = { device: "cuda", device_name: "toy", device_count: 4, device_memory: 8e9 };
  const about = JSON.stringify({ python: "3", torch: "3", transformers: "5", peft: "1", ...gpus });
  const real = `echo "$CUDA_VISIBLE_DEVICES" >> ${log}; exec ${process.env.MIXTUNE_PYTHON} "$@"`;
  writeFileSync(path, `#!/bin/sh\nif [ "$3" = info ]; then echo '${about}'; else ${real}; fi\n`);
  chmodSync(path, 0o755);
  return path;
}

const log = join(folder, "seen");
const env = { MIXTUNE_PYTHON: fourGpus(log), CUDA_VISIBLE_DEVICES: "5,GPU-8932f937,0,7" };
const CHANGES = ["seeds=[1,2]", "train.max_steps=2", "eval.max_dev=8", "eval.max_test=8", "eval.scoring=[constrained]"];
const run = (out: string, gpus: string) =>
  mixtune(["run", RECIPE, "--worker", "torch", "--gpus", gpus, "--out", out, "--quiet", "--json", ...CHANGES], {
    cwd: folder,
    env,
  });

test("runs go on side by side, each with GPUs and ranks of its own", async () => {
  const { status, stdout, stderr } = await run("side-by-side", "2");
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout).done).toBe(2);
  expect(readFileSync(log, "utf8").trim().split("\n").sort()).toEqual(["0,7", "5,GPU-8932f937"]);
  const runs = join(folder, "side-by-side", "runs");
  const devices = readdirSync(runs).map((id) => readReceipt(join(runs, id))!.versions.device);
  expect(devices).toEqual(["2 x cpu", "2 x cpu"]);
});

test("doctor counts them", async () => {
  const { stdout } = await mixtune(["doctor", "--json"], { cwd: folder, env });
  const { checks } = JSON.parse(stdout) as { checks: { name: string; found: string }[] };
  expect(checks.find(({ name }) => name === "torch worker")?.found).toContain("on 4 GPUs, the first toy");
});

test("more GPUs than there are end it before anything is begun", async () => {
  const { status, stdout } = await run("too-many", "5");
  expect(status).toBe(2);
  expect(JSON.parse(stdout).error).toMatchObject({ place: "--gpus", got: "5" });
  expect(existsSync(join(folder, "too-many"))).toBe(false);
});
