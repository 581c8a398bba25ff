import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import type { Split } from "../../specs/types.ts";
import type { Example, LoadedTask } from "../types.ts";
import { drawShots, withShots } from "./few-shot.ts";
import { turnsOf } from "./turns.ts";

const LABELS = ["up", "down", "flat"];

type Drawn = Pick<LoadedTask, "name" | "answer" | "splits">;

function taskOf(rows: readonly { label: number; group: number; split: Split }[], kind: "label" | "text"): Drawn {
  const splits: Record<Split, Example[]> = { train: [], dev: [], test: [] };
  for (const { label, group, split } of rows) {
    const id = `${split}#${splits[split].length}`;
    splits[split].push({ id, prompt: `prompt of ${id}`, answer: LABELS[label]!, group: `g${group}` });
  }
  const answer = kind === "label" ? { kind, field: "answer", labels: LABELS } : { kind, field: "answer" };
  return { name: "toy", answer, splits };
}

const anyTask = fc
  .tuple(
    fc.array(
      fc.record({
        label: fc.nat(2),
        group: fc.nat(40),
        split: fc.constantFrom<Split>("train", "train", "train", "dev", "test"),
      }),
      { maxLength: 60 },
    ),
    fc.constantFrom("label" as const, "text" as const),
  )
  .map(([rows, kind]) => taskOf(rows, kind));

/** Training examples that may be shown. */
function free({ splits }: Drawn): Example[] {
  const scored = [...splits.dev, ...splits.test].map(({ group }) => group);
  return splits.train.filter(({ group }) => !scored.includes(group));
}

describe("shots", () => {
  test("are distinct examples of train, none of a group that is scored, the first K of any larger K", () => {
    fc.assert(
      fc.property(anyTask, fc.nat(12), fc.nat(), (task, numShots, seed) => {
        fc.pre(free(task).length >= numShots);
        const shots = drawShots(task, numShots, seed);
        expect(new Set(shots).size).toBe(numShots);
        for (const shot of shots) expect(free(task)).toContain(shot);
        const more = drawShots(task, free(task).length, seed);
        expect(more.slice(0, numShots)).toEqual(shots);
        expect(drawShots(task, numShots, seed)).toEqual(shots);
      }),
    );
  });

  test("hold each label equally often, as far as there are enough", () => {
    fc.assert(
      fc.property(anyTask, fc.nat(12), fc.nat(), (task, numShots, seed) => {
        fc.pre(task.answer.kind === "label" && free(task).length >= numShots);
        const shots = drawShots(task, numShots, seed);
        const counts = LABELS.map((label) => shots.filter(({ answer }) => answer === label).length);
        const most = Math.max(...counts);
        for (const [i, label] of LABELS.entries()) {
          const there = free(task).filter(({ answer }) => answer === label).length;
          expect(counts[i]).toBeGreaterThanOrEqual(Math.min(there, most - 1));
        }
      }),
    );
  });

  test("depend on the seed, in choice and in the order of labels", () => {
    const rows = Array.from({ length: 90 }, (_, i) => ({ label: i % 3, group: i, split: "train" as const }));
    const draws = Array.from({ length: 30 }, (_, seed) => drawShots(taskOf(rows, "label"), 6, seed));
    expect(new Set(draws.map((shots) => shots.map(({ id }) => id).join())).size).toBe(30);
    expect(new Set(draws.map((shots) => shots.at(-1)!.answer))).toEqual(new Set(LABELS));
    const rounds = draws.map((shots) => shots.map(({ answer }) => answer).join());
    expect(rounds.some((round) => round.slice(0, round.length / 2) !== round.slice(-round.length / 2))).toBe(true);
  });

  test("that are too few are refused, and so are documents", () => {
    const rows = [0, 1, 2].map((i) => ({ label: i, group: i, split: "train" as const }));
    const shared = [...rows, { label: 0, group: 1, split: "test" as const }];
    expect(() => drawShots(taskOf(shared, "label"), 3, 1)).toThrow(SpecError);
    expect(() => drawShots(taskOf(shared, "label"), 3, 1)).toThrow(
      /few_shot:3: task toy: expected 3 .* got 2\.\n {2}Take few_shot:2/,
    );
    const documents: Drawn = { ...taskOf(rows, "text"), answer: { kind: "document", field: "text" } };
    expect(() => drawShots(documents, 1, 1)).toThrow(/got 0/);
  });
});

test("every question of dev and test is asked behind the same shots", () => {
  const rows = (["train", "train", "dev", "test"] as const).map((split, i) => ({ label: i % 3, group: i, split }));
  const bare = taskOf(rows, "label");
  const digests = { train: "a", dev: "b", test: "c" };
  const task: LoadedTask = { ...bare, digests, metric: "accuracy", licence: "", source: "", notes: [] };
  const shown = withShots(task, [{ prompt: "P", answer: "A" }]);
  expect(turnsOf(shown.splits.test[0]!, shown.shots)).toEqual([
    { role: "user", content: "P" },
    { role: "assistant", content: "A" },
    { role: "user", content: task.splits.test[0]!.prompt },
  ]);
  expect(shown.splits).toBe(task.splits);
  expect(shown.digests.train).toBe("a");
  expect([shown.digests.dev, shown.digests.test]).not.toEqual(["b", "c"]);
});
