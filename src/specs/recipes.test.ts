import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseStudy } from "./study-file.ts";

const RECIPES = join(import.meta.dirname, "../../recipes");

test.each(["demo", "smoke", "finance-small"])("the recipe %s is a study file of its own name", (name) => {
  const path = join(RECIPES, `${name}.yaml`);
  const study = parseStudy(readFileSync(path, "utf8"), path, { assignments: [], cwd: "/" });
  expect(study.name).toBe(name);
  expect(study.models).toEqual(["mixtune/tiny"]);
});
