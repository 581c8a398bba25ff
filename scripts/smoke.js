/**
 * @file recipes/smoke.yaml through the built command: started, killed once it has saved a checkpoint, started again, and its table shown.
 * Seconds, not minutes; test/e2e looks closer.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const MIXTUNE = join(ROOT, "dist", "mixtune.js");
const scratch = mkdtempSync(join(tmpdir(), "mixtune-smoke-"));
const out = join(scratch, "smoke");
const study = [MIXTUNE, "run", join(ROOT, "recipes", "smoke.yaml"), "--out", out];

const begun = performance.now();
try {
  await killedOnceSaved();
  say("killed with a checkpoint on disk");
  must("run", study);
  say("run to its end");
  must("report", [MIXTUNE, "report", out, "--format", "md"]);
  say("done");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Starts the study and kills it as soon as any run has a committed checkpoint. */
function killedOnceSaved() {
  const child = spawn(process.execPath, study, { stdio: ["ignore", "ignore", "inherit"] });
  const timer = setInterval(() => {
    if (hasCheckpoint()) child.kill("SIGKILL");
  }, 20);
  return new Promise((resolve, reject) => {
    child.on("close", (status, signal) => {
      clearInterval(timer);
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`smoke: the study ended by itself (status ${status}) before it could be killed`));
    });
  });
}

function hasCheckpoint() {
  const runs = join(out, "runs");
  return existsSync(runs) && readdirSync(runs).some((id) => existsSync(join(runs, id, "checkpoints", "last.json")));
}

function must(what, words) {
  const { status } = spawnSync(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`smoke: ${what} ended with status ${status}`);
}

function say(what) {
  console.error(`smoke: ${what} after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}
