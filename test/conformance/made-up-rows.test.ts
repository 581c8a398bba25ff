/** @file Every reader of the catalogue with made-up rows in the publication's own format, or as the hub has them, against examples written by hand. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import { loadTask } from "../../src/data/load-task.ts";
import type { Example, LoadedTask } from "../../src/data/types.ts";
import { columnTypeOf, formatParquet } from "../../src/formats/parquet-write.ts";
import type { Split } from "../../src/specs/types.ts";
import { EXPECTED_EXAMPLES, type ExpectedExamples, type ExpectedRow } from "../fixtures/expected-examples.ts";
import { HUB_CASES } from "../fixtures/hub-rows.ts";
import { writeCatalogueData } from "../support/catalogue-data.ts";
import { expectFullMarks, isScoredByText } from "./gold.ts";
import { describeTask, localVariants, mayLackTrain } from "./task.ts";

/** Five rows are not as many as were published; the readers' own tests check the counts. */
vi.mock(import("../../src/data/readers/published.ts"), async (original) => ({
  ...(await original()),
  asPublished: (rows) => rows,
  checkCounts: () => {},
}));

const SPLITS: readonly Split[] = ["train", "dev", "test"];
const dataRoot = mkdtempSync(join(tmpdir(), "mixtune-catalogue-"));
beforeAll(() => writeCatalogueData(dataRoot));
afterAll(() => rmSync(dataRoot, { recursive: true }));

/** The examples of one task as rows and as a whole. */
function expectExamples({ metric, splits }: LoadedTask, expected: ExpectedExamples): void {
  expect(metric).toBe(expected.metric);
  expect(SPLITS.map((split) => splits[split].length)).toEqual(expected.sizes);
  expectAllRows(splits, expected);
  const [first] = [expected.train, expected.dev, expected.test, expected.carved].find((rows) => rows?.length)!;
  const all = SPLITS.flatMap((split) => splits[split]);
  expect(all.find(({ prompt }) => prompt.includes(first![0]))?.prompt).toBe(expected.prompt);
  expect(new Set(all.map(({ group }) => group)).size).toBe(expected.groups ?? all.length);
}

function expectAllRows(
  splits: LoadedTask["splits"],
  expected: Pick<ExpectedExamples, "train" | "dev" | "test" | "carved">,
): void {
  for (const split of SPLITS) if (expected[split] !== undefined) expectRows(splits[split], expected[split]);
  const rest = SPLITS.flatMap((split) => (expected[split] === undefined ? splits[split] : []));
  const { carved = [] } = expected;
  expectRows(
    carved.flatMap(([phrase]) => rest.filter(({ prompt }) => prompt.includes(phrase))),
    carved,
  );
  expect(rest).toHaveLength(carved.length);
}

function expectRows(examples: readonly Example[], expected: readonly ExpectedRow[]): void {
  const found = examples.map(({ prompt, answer }, i) => {
    const [phrase = ""] = expected[i] ?? [];
    return [prompt.includes(phrase) ? phrase : prompt, answer];
  });
  expect(found).toEqual(expected);
}

describe("made-up rows in the publication's format", () => {
  const local = Object.values(CATALOGUE).filter((task) => task.local !== undefined);
  const forms = local.flatMap((task) =>
    localVariants(task).map((variant, i) => ({ task, variant, key: i === 0 ? task.name : `${task.name} ${variant}` })),
  );

  test("are there for every task and variant", () => {
    expect(Object.keys(EXPECTED_EXAMPLES).sort()).toEqual(forms.map(({ key }) => key).sort());
  });

  test.each(forms)("$key: the examples they are", async ({ task, variant, key }) => {
    const spec = { name: task.name, ...(variant !== "" && { variant }) };
    const loaded = await loadTask(spec, { dataRoot, isOnlyEvaluated: mayLackTrain(task) });
    expectExamples(loaded, EXPECTED_EXAMPLES[key]!);
  });

  test.each(local.filter(isScoredByText))("$name: full marks for each gold answer", async (task) => {
    expectFullMarks(await loadTask({ name: task.name }, { dataRoot, isOnlyEvaluated: true }));
  });

  for (const task of local) describeTask(task, dataRoot);
});

describe("made-up rows as the hub has them", () => {
  const hosted = Object.values(CATALOGUE).filter((task) => task.hub !== undefined);

  test("are there for every task that the hub has", () => {
    const names = Object.keys(HUB_CASES).map((key) => key.split(" ")[0]);
    expect(new Set(names)).toEqual(new Set(hosted.map(({ name }) => name)));
    for (const [key, { rows }] of Object.entries(HUB_CASES)) {
      expect(Object.keys(rows).sort()).toEqual(Object.values(CATALOGUE[key.split(" ")[0]!]!.hub!.splits).sort());
    }
  });

  test.each(Object.entries(HUB_CASES))("%s: the examples they are", async (key, { rows, ...expected }) => {
    const [name = "", variant] = key.split(" ");
    const splits = Object.entries(rows).map(([split, ofSplit]) => {
      const path = join(dataRoot, `${key}-${split}.parquet`);
      const columns = Object.keys(ofSplit[0]!).map((column) => ofSplit.map((row) => row[column]));
      const named = columns.map((values, i) => ({
        name: Object.keys(ofSplit[0]!)[i]!,
        type: columnTypeOf(values),
        values,
      }));
      writeFileSync(path, formatParquet(named));
      return [split, [path]];
    });
    const hubFiles = { [name]: { repo: "made/up", revision: "0".repeat(40), splits: Object.fromEntries(splits) } };
    const isOnlyEvaluated = mayLackTrain(CATALOGUE[name]!);
    const task = await loadTask({ name, ...(variant && { variant }) }, { hubFiles, isOnlyEvaluated });
    expectAllRows(task.splits, expected);
  });
});
