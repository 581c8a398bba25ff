import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { formatItemIndex, type ItemScores, type KnownItems, parseItemIndex } from "./item-scores.ts";
import { openRunDir, readItemScores, readPredictions, runPaths, writePredictions } from "./run-dir.ts";
import type { Prediction } from "./types.ts";

const root = mkdtempSync(join(tmpdir(), "mixtune-items-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const newRun = (): string => openRunDir(join(root, `${count++}`));

function prediction(id: string, group: string, scores: Record<string, number>): Prediction {
  return { id, prompt_digest: "p", gold: "yes", output: "no", parsed: null, scores, group };
}

const ITEMS = [
  prediction("test#2", "g", { accuracy: 1, margin: 0.1 + 0.2 }),
  prediction("test#10", "g", { accuracy: 0 }),
  prediction("test#1", "h", { accuracy: 0, margin: -1e-300 }),
];
const WANTED: ItemScores = {
  ids: ["test#1", "test#10", "test#2"],
  groups: ["h", "g", "g"],
  scores: { accuracy: [0, 0, 1], margin: [-1e-300, Number.NaN, 0.1 + 0.2] },
};

function written(predictions: readonly Prediction[] = ITEMS) {
  const dir = newRun();
  writePredictions(dir, "fpb", "test", predictions);
  const [path, index] = [runPaths.predictionsOf(dir, "fpb", "test"), runPaths.indexOf(dir, "fpb", "test")];
  return { dir, path, index, read: (known: KnownItems = new Map()) => readItemScores(dir, "fpb", "test", known) };
}

describe("the index of predictions", () => {
  test("holds ids, groups and scores in the order of ids, without what an item lacks", () => {
    const { read, index, dir } = written();
    expect(read()).toEqual(WANTED);
    const parsed = parseItemIndex(
      readFileSync(index),
      sha256(readFileSync(runPaths.predictionsOf(dir, "fpb", "test"))),
      new Map(),
    );
    expect(parsed).toEqual(WANTED);
  });

  test("says what the predictions say, whatever their texts and numbers", () => {
    const scores = fc.dictionary(fc.string({ maxLength: 8 }), fc.double(), { maxKeys: 3 });
    const items = fc.array(
      fc.record({ id: fc.string({ unit: "binary" }), group: fc.string({ unit: "binary" }), scores }),
    );
    fc.assert(
      fc.property(items, (drawn) => {
        const { dir, read, index } = written(drawn.map(({ id, group, scores }) => prediction(id, group, scores)));
        const got = read();
        const wanted = readPredictions(dir, "fpb", "test").toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
        expect(got.ids).toEqual(wanted.map(({ id }) => id));
        expect(got.groups).toEqual(wanted.map(({ group }) => group));
        const names = new Set(wanted.flatMap((one) => Object.keys(one.scores)));
        expect(new Set(Object.keys(got.scores))).toEqual(names);
        for (const [name, values] of Object.entries(got.scores))
          expect(values).toEqual(
            wanted.map((one) => Object.entries(one.scores).find(([key]) => key === name)?.[1] ?? Number.NaN),
          );
        const before = readFileSync(index);
        rmSync(index);
        expect(read()).toEqual(got);
        expect(readFileSync(index)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  test("is made again where any of its bytes is another, or some are missing", () => {
    const { index, read } = written();
    const whole = readFileSync(index);
    for (let at = 0; at < whole.length; at += 11) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 4;
      writeFileSync(index, damaged);
      expect(read()).toEqual(WANTED);
      expect(readFileSync(index)).toEqual(whole);
      writeFileSync(index, whole.subarray(0, at));
      expect(read()).toEqual(WANTED);
      expect(readFileSync(index)).toEqual(whole);
    }
  });

  // A copy from another machine may have any time, and one score for another leaves the size as it was.
  test("is never that of earlier predictions of the same size and time", () => {
    const { path, read } = written();
    const { atime, mtime } = statSync(path);
    writeFileSync(path, readFileSync(path, "utf8").replace('"accuracy":1', '"accuracy":0'));
    utimesSync(path, atime, mtime);
    expect(read().scores.accuracy).toEqual([0, 0, 0]);
    expect(read().scores.accuracy).toEqual([0, 0, 0]);
  });

  test("of the right digests with something else inside is made again", () => {
    const { path, index, read } = written();
    const digest = sha256(readFileSync(path));
    const foreign = [
      { ...WANTED, ids: ["test#1"] },
      { ...WANTED, scores: { accuracy: [0, 0] } },
      { ...WANTED, scores: { accuracy: ["0", 0, 1] } },
      { ...WANTED, groups: [1, 2, 3] },
      { ids: null, groups: null, scores: null },
    ] as unknown as ItemScores[];
    for (const one of foreign) {
      writeFileSync(index, formatItemIndex(one, digest));
      expect(read()).toEqual(WANTED);
    }
  });

  test("is gone without where it cannot be written", () => {
    const { index, read } = written();
    rmSync(index);
    mkdirSync(index); // as good as a folder of somebody else's: the tests may run as root
    expect(read()).toEqual(WANTED);
  });

  test("does not hide that predictions are damaged", () => {
    const { path, read } = written();
    writeFileSync(path, '{"id":1}\n', { flag: "a" });
    expect(() => read()).toThrow(/fpb\.test\.jsonl:4: /);
  });

  test("of runs that answered the same items shares their list", () => {
    const known: KnownItems = new Map();
    const [a, b] = [written().read(known), written(ITEMS.toReversed()).read(known)];
    expect(b.ids).toBe(a.ids);
    expect(b.groups).toBe(a.groups);
    const other = written(ITEMS.slice(1)).read(known);
    expect(other.ids).toEqual(["test#1", "test#10"]);
  });
});
