import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json")) as {
  engines: { node: string };
  files: string[];
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const lock = JSON.parse(read("package-lock.json")) as {
  packages: Record<
    string,
    {
      dev?: boolean;
      hasInstallScript?: boolean;
      resolved?: string;
      version?: string;
      optionalDependencies?: Record<string, string>;
    }
  >;
};

describe("dependencies", () => {
  test("run no install script, but the one of onnxruntime-node that .npmrc switches off", () => {
    const withScript = Object.entries(lock.packages).filter(
      ([path, entry]) => path !== "" && entry.hasInstallScript && !entry.dev,
    );
    expect(withScript.map(([path]) => path)).toEqual(["node_modules/onnxruntime-node"]);
    expect(read(".npmrc")).toContain("onnxruntime-node-install=skip");
  });

  // A library that pins would put a second copy of each package beside its user's.
  test("are ranges that start at what the lock file holds exactly", () => {
    for (const [name, range] of Object.entries(manifest.dependencies)) {
      // hyparquet's limits are checked through modules that its minor releases may move (formats/parquet-check.ts).
      const start = name === "hyparquet" ? "~" : "^";
      expect(range, name).toBe(`${start}${lock.packages[`node_modules/${name}`]?.version}`);
    }
  });

  test("for development are pinned", () => {
    for (const [name, version] of Object.entries(manifest.devDependencies))
      expect(version, name).toBe(lock.packages[`node_modules/${name}`]?.version);
  });

  // A lock file that was made where some platforms' packages were missing is refused by npm ci everywhere else.
  test("are locked for every platform, not only for the one the lock was made on", () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
    expect(Object.values(lock.packages).some(({ optionalDependencies }) => optionalDependencies !== undefined)).toBe(
      true,
    );
  });

  test("are named without the address of a registry other than the public one", () => {
    const addresses = Object.values(lock.packages).flatMap(({ resolved }) => resolved ?? []);
    expect(addresses.filter((address) => !address.startsWith("https://registry.npmjs.org/"))).toEqual([]);
  });
});

test("the package asks for the Node that it is built for", () => expect(manifest.engines.node).toBe(">=20.19"));

describe("the shipped base model", () => {
  const folder = join(ROOT, "assets", "tiny");
  const names = existsSync(folder) ? readdirSync(folder) : [];

  test("is there, with its card, and takes at most 10,000,000 bytes", () => {
    expect(names).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json", "README.md"]));
    const numBytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(numBytes).toBeLessThanOrEqual(10_000_000);
  });
});

describe("the tree", () => {
  const TEXT = new Set([
    ".ts",
    ".js",
    ".json",
    ".md",
    ".yaml",
    ".yml",
    ".cff",
    ".py",
    ".sh",
    ".txt",
    "",
    ".npmrc",
    ".gitignore",
  ]);
  const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const files = tracked.split("\n").filter((path) => path !== "" && existsSync(join(ROOT, path)));

  /** Absolute paths of somebody's machine have no meaning elsewhere. */
  const machinePath = new RegExp(`(^|[^\\w.~/-])/(${["work", "root", "home", "Users"].join("|")})/`, "m");

  test("names no path of a machine it was written on", () => {
    const texts = files.filter((path) => TEXT.has(extname(path)) && path !== "package-lock.json");
    expect(texts.length).toBeGreaterThan(50);
    expect(texts.filter((path) => machinePath.test(read(path)))).toEqual([]);
  });

  test("and a planted one would be seen", () => {
    expect(machinePath.test(`see ${"/"}work/main`)).toBe(true);
    expect(machinePath.test(`"${"/"}root/w"`)).toBe(true);
    expect(machinePath.test("recipes/work/x ../root/y https://example.org/home/")).toBe(false);
  });

  test("has everything that the package promises to hold", () => {
    expect(manifest.files.filter((path) => path !== "dist" && !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("leaves no test out: nothing is marked only or todo", () => {
    const marked = files.filter(
      (path) => path.endsWith(".test.ts") && /\b(test|describe|it)\.(only|todo)\b/.test(read(path)),
    );
    expect(marked.filter((path) => path !== "test/package.test.ts")).toEqual([]);
  });
});
