/**
 * @file npm run mutate [-- SEED [LINES]]: mutates a sample of lines of stats, data, study and app, runs the unit tests that reach each mutant, and
 * prints those that survive. Stryker cannot sample mutants, so it is given lines. The same seed picks the same lines of unchanged files.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const FOLDERS = ["stats", "data", "study", "app"];
const [seed = "1", count = "120"] = process.argv.slice(2);

const key = (line) => createHash("sha256").update(`${seed} ${line}`).digest("hex");
const sample = FOLDERS.flatMap(filesOf)
  .flatMap(linesOf)
  .map((line) => ({ line, key: key(line) }))
  .sort((a, b) => (a.key < b.key ? -1 : 1))
  .slice(0, Number(count))
  .map(({ line }) => line);
const stryker = ["stryker", "run", "scripts/mutate/stryker.config.json", "--mutate", sample.join(",")];
process.exit(spawnSync("npx", ["--no-install", ...stryker], { cwd: ROOT, stdio: "inherit" }).status ?? 1);

/** Source files of a folder, with slashes. */
function filesOf(folder) {
  return readdirSync(join(ROOT, "src", folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

/** Lines of a file that compute something. */
function linesOf(file) {
  return readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .flatMap((line, i) => {
      const isCode =
        /[=(<>&|?!+*/-]/.test(line) && !/^\s*(?:\/?\*|\/\/|import |export type|export interface|\} from)/.test(line);
      return isCode ? [`${file}:${i + 1}-${i + 1}`] : [];
    });
}
