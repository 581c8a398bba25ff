import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

const RECIPE = fileURLToPath(new URL("../../recipes/parity.yaml", import.meta.url));
const PYTHON = process.env.MIXTUNE_PYTHON!;
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** A program that stands where a Python should be. */
function interpreter(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const SHORT = ["--worker", "torch", "--quiet", "train.max_steps=10", "eval.max_test=20", "eval.scoring=[constrained]"];
const run = (out: string, env: Record<string, string>) =>
  mixtune(["run", RECIPE, "--out", out, ...SHORT], { cwd: folder, env });

describe("--worker torch without what it takes", () => {
  test.each([
    ["no such program", () => join(folder, "none"), "ENOENT"],
    ["a program that is no Python", () => interpreter("echo", "echo hello"), "expected a Python with PyTorch"],
    [
      "a Python without packages",
      () => interpreter("bare", `exec ${PYTHON} -S "$@"`),
      "expected 2.6 or newer, got no such package",
    ],
  ])("ends before anything is begun: %s", async (name, python, message) => {
    const { status, stdout, stderr } = await run(name, { MIXTUNE_PYTHON: python() });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
    expect(stderr).toContain("mixtune setup torch");
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(existsSync(join(folder, name, "runs"))).toBe(false);
  });
});

test("a GPU without room for the model is refused with the arithmetic", async () => {
  const about = {
    python: "3",
    torch: "3",
    transformers: "5",
    peft: "1",
    device: "cuda",
    device_name: "small",
    device_memory: 6e8,
  };
  const { status, stderr } = await run("small", {
    MIXTUNE_PYTHON: interpreter("gpu", `echo '${JSON.stringify(about)}'`),
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^mixtune\/tiny: expected a model that fits into 600 MB of memory, got about .* weights of 4 bytes \(float32\) are 18/,
  );
  expect(existsSync(join(folder, "small"))).toBe(false);
});

test("the worker sees no key and no token", async () => {
  const seen = join(folder, "seen");
  const python = interpreter("spy", `env >> ${seen}\nexec ${PYTHON} "$@"`);
  const secrets = { OPENAI_API_KEY: "sk-planted", HF_TOKEN: "hf_planted", AWS_SECRET_ACCESS_KEY: "planted" };
  const { status, stderr } = await run("spied", { MIXTUNE_PYTHON: python, ...secrets });
  expect([status, stderr]).toEqual([0, ""]);
  expect(readFileSync(seen, "utf8")).toContain("PYTHONPATH=");
  expect(readFileSync(seen, "utf8")).not.toContain("planted");
});

test("a worker process that is killed is named, and the same command goes on", async () => {
  const pids = join(folder, "pids");
  const python = interpreter("killed", `echo $$ >> ${pids}\nexec ${PYTHON} "$@"`);
  const runs = join(folder, "killed-worker", "runs");
  let isKilled = false;
  const first = await mixtune(["run", RECIPE, "--out", "killed-worker", ...SHORT], {
    cwd: folder,
    env: { MIXTUNE_PYTHON: python },
    watch: () => {
      const begun =
        existsSync(runs) && readdirSync(runs).some((id) => existsSync(join(runs, id, "checkpoints", "step-5")));
      if (!begun || isKilled) return;
      isKilled = true;
      process.kill(Number(readFileSync(pids, "utf8").trim().split("\n").at(-1)), "SIGKILL");
    },
  });
  expect(first.status).toBe(1);
  expect(first.stdout).toContain("SIGKILL (killed: often for want of memory)");
  const again = await run("killed-worker", { MIXTUNE_PYTHON: PYTHON });
  expect([again.status, again.stderr]).toEqual([0, ""]);
});
