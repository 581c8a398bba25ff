/**
 * @file Goldens: values that come from an independent oracle, kept under test/golden/<area>/<case>/ with the script that made them.
 *
 *     node scripts/golden.js verify            digests of inputs and expected values are those in provenance.json
 *     node scripts/golden.js make [PYTHON] [CASE…]   makes them again and notes their digests
 *     node scripts/golden.js compare [PYTHON]  makes them in a copy of the tree's folder and says whether the numbers are the same
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const GOLDEN = join(ROOT, "test", "golden");
/** Another processor or library version rounds differently in the last places; a wrong value differs by far more. */
const TOLERANCE = 1e-4;
/**
 * Gradient norms along a training with DoRA: rounding grows from step to step. The same PyTorch differs from itself by 1e-7 at the first and by
 * 6.3e-4 at the tenth step between an AMD EPYC and an Intel Xeon, while the losses stay within 1.3e-6 (docs/LOG.md, 2026-11-30).
 */
const DORA_NORMS = { place: /\.dora_norms\.\d+$/, tolerance: 2e-3 };

const [mode = "verify", ...words] = process.argv.slice(2);
const modes = { verify, make, compare };
if (!Object.hasOwn(modes, mode)) {
  console.error(`golden: expected verify, make or compare, got ${mode}.`);
  process.exit(2);
}
process.exitCode = modes[mode](...words) ? 0 : 1;

function verify() {
  const cases = casesIn(GOLDEN);
  const problems = cases.flatMap((folder) => problemsOf(folder));
  for (const problem of problems) console.error(`golden: ${problem}`);
  console.log(`golden: ${cases.length} cases, ${cases.flatMap(filesOf).length} files, ${problems.length} problems`);
  return problems.length === 0 && cases.length > 0;
}

function problemsOf(folder) {
  const name = nameOf(folder);
  const path = join(folder, "provenance.json");
  if (!existsSync(path)) return [`${name}: no provenance.json. Make it with scripts/golden.js make.`];
  const { command, reads, digests } = JSON.parse(readFileSync(path, "utf8"));
  if (command === undefined || digests === undefined) return [`${name}: provenance.json lacks command or digests`];
  const now = digestsOf(folder, reads);
  const names = new Set([...Object.keys(now), ...Object.keys(digests)]);
  return [...names]
    .filter((file) => now[file] !== digests[file])
    .map((file) => `${name}${file.startsWith("/") ? " reads " : "/"}${file}: changed since it was made`);
}

function make(python = "python3", ...only) {
  const cases = casesIn(GOLDEN).filter((folder) => only.length === 0 || only.includes(nameOf(folder)));
  for (const folder of cases) {
    console.log(`golden: making ${nameOf(folder)}`);
    if (python !== "-") runMaker(python, folder);
    const path = join(folder, "provenance.json");
    const { digests: _, ...provenance } = JSON.parse(readFileSync(path, "utf8"));
    const digests = digestsOf(folder, provenance.reads);
    writeFileSync(path, `${JSON.stringify({ ...provenance, digests }, null, 2)}\n`);
  }
  return cases.length > 0;
}

/** The same scripts, other machine: every number within TOLERANCE, everything else equal. */
function compare(python = "python3") {
  const copy = mkdtempSync(join(tmpdir(), "mixtune-golden-"));
  try {
    cpSync(ROOT, copy, {
      recursive: true,
      filter: (path) => !/[/\\](node_modules|dist|\.git|studies|\.venv)$/.test(path),
    });
    const cases = casesIn(join(copy, "test", "golden"));
    const problems = cases.flatMap((folder) => {
      const original = join(GOLDEN, relative(join(copy, "test", "golden"), folder));
      console.log(`golden: making ${nameOf(original)} again`);
      try {
        runMaker(python, folder);
      } catch {
        return [`${nameOf(original)}: make.py failed`];
      }
      return filesOf(original).flatMap((file) => {
        const difference = firstDifference(contentOf(join(original, file)), contentOf(join(folder, file)), file);
        return difference === undefined ? [] : [`${nameOf(original)}: ${difference}`];
      });
    });
    for (const problem of problems) console.error(`golden: ${problem}`);
    console.log(`golden: ${cases.length} cases made again, ${problems.length} problems`);
    return problems.length === 0 && cases.length > 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Numbers where a file holds numbers, so that they can be compared as such. */
function contentOf(path) {
  if (!existsSync(path)) return "no file";
  const bytes = readFileSync(path);
  if (path.endsWith(".json")) return JSON.parse(bytes.toString());
  if (!path.endsWith(".safetensors")) return bytes.toString("base64");
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString());
  return Object.fromEntries(
    Object.entries(header).map(([name, { dtype, shape, data_offsets: at }]) => {
      if (at === undefined) return [name, null];
      const data = bytes.buffer.slice(bytes.byteOffset + start + at[0], bytes.byteOffset + start + at[1]);
      return [
        name,
        { dtype, shape, data: dtype === "F32" ? [...new Float32Array(data)] : Buffer.from(data).toString("base64") },
      ];
    }),
  );
}

function firstDifference(was, is, place) {
  if (typeof was === "number" && typeof is === "number") {
    const tolerance = DORA_NORMS.place.test(place) ? DORA_NORMS.tolerance : TOLERANCE;
    return Math.abs(was - is) <= tolerance * Math.max(1, Math.abs(was)) ? undefined : `${place}: ${was}, now ${is}`;
  }
  if (typeof was === "object" && was !== null && typeof is === "object" && is !== null) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const difference = firstDifference(was[key], is[key], `${place}.${key}`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  const shown = (value) => JSON.stringify(value)?.slice(0, 60);
  return was === is ? undefined : `${place}: ${shown(was)}, now ${shown(is)}`;
}

function runMaker(python, folder) {
  execFileSync(python, [join(folder, "make.py")], { cwd: join(folder, "..", "..", "..", ".."), stdio: "inherit" });
}

/** Folders with a make.py. */
function casesIn(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "make.py")
    .map((entry) => entry.parentPath)
    .sort();
}

/** Files of a case that its script makes or reads. */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((name) => name !== "provenance.json" && name !== "make.py")
    .sort();
}

/** Of a case's own files, and of those outside it that its script reads: paths from the root, in provenance.json. */
function digestsOf(folder, reads = []) {
  const outside = reads.filter((name) => existsSync(join(ROOT, name)));
  const paths = [
    ...filesOf(folder).map((name) => [name, join(folder, name)]),
    ...outside.map((name) => [`/${name}`, join(ROOT, name)]),
  ];
  return Object.fromEntries(
    paths.map(([name, path]) => [name, createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}

function nameOf(folder) {
  return relative(GOLDEN, folder).split(sep).join("/");
}
