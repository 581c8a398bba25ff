import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const ENVIRONMENT = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", CI: "1" };
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

/** The packed package, installed in an empty folder as a stranger would. */
describe("the tarball in an empty folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-tarball-"));
  const call = (command: string, ...words: string[]): string =>
    execFileSync(command, words, {
      cwd: folder,
      env: ENVIRONMENT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
  const mixtune = (...words: string[]): string => call("npx", "--no-install", "mixtune", ...words);

  beforeAll(() => {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: ROOT,
      env: ENVIRONMENT,
    });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    call("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", `./${tarball}`);
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("says its version", () => expect(mixtune("--version").trim()).toBe(manifest.version));

  test("has an engine that works", () => {
    const report = JSON.parse(mixtune("doctor", "--json")) as { checks: { name: string; state: string }[] };
    expect(report.checks.find(({ name }) => name === "engine")?.state).toBe("ok");
  });

  test("runs the demo, offline", () => {
    const out = mixtune(
      "demo",
      "--out",
      join(folder, "demo"),
      'design=["all"]',
      "seeds=[1]",
      "train.max_steps=2",
      "eval.max_dev=20",
      "eval.max_test=20",
    );
    expect(out).toMatch(/majority/);
    expect(readdirSync(join(folder, "demo", "runs"))).toHaveLength(1);
  });

  test("can be imported", () => {
    expect(call("node", "--input-type=module", "-e", 'console.log(typeof (await import("mixtune")))').trim()).toBe(
      "object",
    );
  });

  test("brings its types", () => {
    expect(readdirSync(join(folder, "node_modules", "mixtune", "dist"))).toContain("index.d.ts");
  });

  test("brings the schemas that a study file can be checked against", () => {
    const program = 'import s from "mixtune/schema/study.schema.json" with { type: "json" }; console.log(s.type)';
    expect(call("node", "--no-warnings", "--input-type=module", "-e", program).trim()).toBe("object");
  });

  test("brings the page of the report", () => {
    const names = readdirSync(join(folder, "node_modules", "mixtune", "dist", "page"));
    expect(names.sort()).toEqual(["report.css", "report.js"]);
  });

  test("brings no source, test or data set along", () => {
    const names = readdirSync(join(folder, "node_modules", "mixtune"));
    expect(names.sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "NOTICE",
      "README.md",
      "assets",
      "dist",
      "package.json",
      "protocol",
      "python",
      "recipes",
    ]);
    const worker = readdirSync(join(folder, "node_modules", "mixtune", "python"), {
      recursive: true,
      encoding: "utf8",
    });
    expect(worker).toContain(join("mixtune_worker", "prepared.schema.json"));
    expect(
      worker.filter(
        (name) => !/^(README\.md|requirements\.txt|mixtune_worker(\/\w+\.py|\/prepared\.schema\.json)?)$/.test(name),
      ),
    ).toEqual([]);
  });
});
