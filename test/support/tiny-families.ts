/** @file Tiny random models of every family, made by scripts/ci/tiny_families.py with the Python of MIXTUNE_PYTHON. */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../scripts/ci/tiny_families.py", import.meta.url));

/** @returns their folders */
export function makeFamilies(folder: string): string[] {
  const python = process.env.MIXTUNE_PYTHON ?? "python3";
  const { status, stderr } = spawnSync(python, [SCRIPT, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return readdirSync(folder).map((name) => join(folder, name));
}
