/** @file The Python that the PyTorch worker would use: is there one, and which packages has it? */

import { spawnSync } from "node:child_process";

/** What was found; packages that are not installed are absent. */
export interface PythonFound {
  version: string;
  packages: Record<string, string>;
}

const PACKAGES = ["torch", "transformers", "peft", "ray"];
const LOOK = `import sys, json, importlib.metadata as m
found = {}
for name in ${JSON.stringify(PACKAGES)}:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps({"version": sys.version.split()[0], "packages": found}))`;

/**
 * Asks an interpreter for its version and packages, without importing them.
 * @param command  name or path of the interpreter
 * @returns absent if it cannot be started within ten seconds
 */
export function findPython(command = "python3"): PythonFound | undefined {
  const { status, stdout } = spawnSync(command, ["-c", LOOK], {
    encoding: "utf8",
    timeout: 10_000,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? (JSON.parse(stdout) as PythonFound) : undefined;
}
