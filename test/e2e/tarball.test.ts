import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

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

  describe("a program of a stranger", () => {
    const examples = readdirSync(join(ROOT, "examples")).map((name) => name.replace(/\.ts$/, ""));

    beforeAll(() => {
      cpSync(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });
      writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
      // As strict as it gets, and types of the packages checked too.
      const compilerOptions = {
        ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
        ...{
          module: "NodeNext",
          target: "ES2023",
          lib: ["ES2023"],
          types: ["node"],
          outDir: "compiled",
          rootDir: "examples",
        },
        typeRoots: [join(ROOT, "node_modules", "@types")],
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["examples"] }));
      call("node", join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-p", ".");
    }, 120_000);

    test("is one of these", () => {
      expect(examples).toEqual(["compare-two-models", "evaluate-a-model", "own-data", "run-a-study", "train-loop"]);
    });

    test("runs a study", () => {
      const out = call("node", "compiled/run-a-study.js");
      expect(out).toMatch(/^all 6 steps$/m);
      expect(out).toMatch(/\| all +\|/);
      expect(existsSync(join(folder, "out", "first", "report.html"))).toBe(true);
    });

    test("makes a task of files, trains on it and asks the model", () => {
      const out = call("node", "compiled/own-data.js");
      expect(out).toMatch(/^checked: true \d+ train, \d+ dev, \d+ test$/m);
      expect(out).toMatch(/^yes -\d+\.\d+ no -\d+\.\d+$/m);
    });

    test("evaluates a model", () => {
      const out = call("node", "compiled/evaluate-a-model.js");
      expect(out).toMatch(/^gen-entity: accuracy 0\.\d+ \(95% interval 0\.\d+ to 0\.\d+, n \d+\)$/m);
    });

    test("compares two models", () => {
      expect(call("node", "compiled/compare-two-models.js")).toMatch(/^gen-topic: accuracy differs by -?0/m);
    });

    test("trains without a trainer", () => {
      const losses = [...call("node", "compiled/train-loop.js").matchAll(/^step \d+: loss (\S+)$/gm)];
      expect(losses).toHaveLength(3);
      expect(Number(losses.at(-1)![1])).toBeLessThan(0.01);
    });

    test("reads in a page: no example has more than 40 lines", () => {
      for (const name of examples)
        expect(readFileSync(join(ROOT, "examples", `${name}.ts`), "utf8").split("\n").length - 1).toBeLessThanOrEqual(
          40,
        );
    });

    test("plans the paper's 55 mixtures", () => {
      const script = `import { readStudy } from "mixtune";
        const { study } = readStudy("node_modules/mixtune/recipes/paper-55.yaml");
        console.log(study.models.length, Object.keys(study.tasks).length);`;
      expect(call("node", "--input-type=module", "-e", script)).toMatch(/^\d+ \d+$/m);
    });

    test("takes the statistics without any native module", () => {
      const script = `import { createRequire } from "node:module";
        import { wilsonInterval } from "mixtune/stats";
        const native = process.report.getReport().sharedObjects.filter((path) => /\\.node$|onnxruntime/.test(path));
        console.log(JSON.stringify({ ...wilsonInterval(8, 10), native }));`;
      expect(JSON.parse(call("node", "--input-type=module", "-e", script))).toMatchObject({ native: [] });
    });

    test("finds the schemas", () => {
      const script = 'console.log(import.meta.resolve("mixtune/schema/study.schema.json"))';
      expect(call("node", "--input-type=module", "-e", script)).toMatch(/protocol\/study\.schema\.json$/m);
    });
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
