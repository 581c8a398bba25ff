/** @file Makes the environment of the PyTorch worker: by uv where there is one, else by venv and pip. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { WorkerError } from "../base/errors.ts";

/** Where an environment has its interpreter. */
export function pythonOf(environmentFolder: string): string {
  return process.platform === "win32"
    ? join(environmentFolder, "Scripts", "python.exe")
    : join(environmentFolder, "bin", "python");
}

export interface TorchSetup {
  /** Where the environment goes; one that is there is brought up to date. */
  folder: string;
  /** The interpreter that it is made from. */
  python: string;
  /** What to install, a requirement a line. */
  requirements: string;
  /** What the installers see of the environment. */
  environment: Record<string, string>;
  /** Called with each line that they print. */
  onLine(line: string): void;
  signal: AbortSignal;
}

/**
 * Makes or completes the environment.
 * @returns its interpreter
 * @throws {WorkerError} the installer that failed, with what it said last
 */
export async function setUpTorch(setup: TorchSetup): Promise<string> {
  const { folder, python, requirements, environment } = setup;
  const hasUv = spawnSync("uv", ["--version"], { env: environment, stdio: "ignore" }).status === 0;
  const inside = pythonOf(folder);
  if (!existsSync(inside)) {
    await run(...(hasUv ? uv(["venv", "--python", python, folder]) : pip(python, ["venv", folder])), setup);
  }
  await run(
    ...(hasUv
      ? uv(["pip", "install", "--python", inside, "--requirement", requirements])
      : pip(inside, ["pip", "install", "--disable-pip-version-check", "--requirement", requirements])),
    setup,
  );
  return inside;
}

const uv = (args: string[]): [string, string[]] => ["uv", args];
const pip = (python: string, args: string[]): [string, string[]] => [python, ["-m", ...args]];

async function run(command: string, args: string[], { environment, onLine, signal }: TorchSetup): Promise<void> {
  const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"], signal });
  let last = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
        last = line;
        onLine(line);
      }
    });
  }
  const status = await new Promise<number | string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", resolve);
  });
  if (status === 0) return;
  throw new WorkerError({
    place: [command, ...args].join(" "),
    expected: "status 0",
    got: `${status}${last === "" ? "" : `: ${last}`}`,
    remedy: "Fix the reason and call mixtune setup torch again: what is installed stays. PyTorch takes some gigabytes.",
  });
}
