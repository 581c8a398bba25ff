import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { studyOf } from "./assignments.ts";

const home = process.cwd();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-study-of-"));
  process.chdir(folder);
  for (const name of ["study", "other"])
    writeFileSync(`${name}.yaml`, `name: ${name}\nmodels: [mixtune/tiny]\ntasks: {fpb: {}}\ndesign: [all]\n`);
});
afterEach(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

test("without a file the study is ./study.yaml, and a setting in its place is a setting", () => {
  expect(studyOf(undefined, []).study.name).toBe("study");
  expect(studyOf("seeds=[4,5]", ["name=x"]).study).toMatchObject({ name: "x", seeds: [4, 5] });
  expect(studyOf("other.yaml", ["seeds=[4]"]).study).toMatchObject({ name: "other", seeds: [4] });
  expect(() => studyOf("other.yaml", ["more.yaml"])).toThrow(/expected key=value after the file, got more\.yaml/);
});

test("where there is none, the message says how to get one", () => {
  rmSync("study.yaml");
  expect(() => studyOf(undefined, [])).toThrow(/study\.yaml: .*no such file[\s\S]*mixtune init/);
});
