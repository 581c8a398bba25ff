/** @file Runs the built command as a person would, in a folder of its own. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MIXTUNE = fileURLToPath(new URL("../../dist/mixtune.js", import.meta.url));

/** What a command left. */
export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
  /** What it reads from standard input; default: nothing. */
  input?: string;
  /** Called with everything on standard output so far; may send signals. */
  onStdout?(text: string, kill: (signal: NodeJS.Signals) => void): void;
  /** Called with everything on standard error so far; may send signals. */
  onStderr?(text: string, kill: (signal: NodeJS.Signals) => void): void;
  /** Called every few milliseconds while the command runs. */
  watch?(kill: (signal: NodeJS.Signals) => void): void;
}

/** Runs mixtune with arguments; MIXTUNE_DATA is not passed on, the cache is the machine's own, no network but what `env` allows. */
export function mixtune(
  args: readonly string[],
  { cwd, env = {}, input = "", onStdout, onStderr, watch }: RunOptions,
): Promise<Finished> {
  const { MIXTUNE_DATA: _data, ...rest } = process.env;
  const child = spawn(process.execPath, [MIXTUNE, ...args], { cwd, env: { ...rest, HF_HUB_OFFLINE: "1", ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece) => {
    stdout += piece;
    onStdout?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.on("data", (piece) => {
    stderr += piece;
    onStderr?.(stderr, (signal) => child.kill(signal));
  });
  child.stdin.end(input);
  const timer = setInterval(() => watch?.((signal) => child.kill(signal)), 10);
  return new Promise((resolve) =>
    child.on("close", (status) => {
      clearInterval(timer);
      resolve({ status, stdout, stderr });
    }),
  );
}

/** A new folder, and how to remove it. */
export function temporaryFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-e2e-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a command that serves, on any free port, while `use` runs with its address; then stops it by a signal. */
export async function serving(
  args: readonly string[],
  { cwd, env = {}, signal = "SIGTERM" }: { cwd: string; env?: Record<string, string>; signal?: NodeJS.Signals },
  use: (url: string) => Promise<void>,
): Promise<Finished> {
  let used: Promise<void> | undefined;
  const finished = await mixtune([...args, "--port", "0", "--json"], {
    cwd,
    env,
    onStdout: (text, kill) => {
      if (used !== undefined || !text.endsWith("}\n")) return;
      used = use(JSON.parse(text).url).finally(() => kill(signal));
      used.catch(() => {}); // awaited below
    },
  });
  await used;
  return finished;
}
