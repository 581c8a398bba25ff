import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import type { Split } from "../../specs/types.ts";
import type { Example, LoadedTask } from "../types.ts";
import { PLAIN_TEXT } from "./chat-template.ts";
import { drawShots, shotText, shotTurns, withShots } from "./few-shot.ts";

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

describe("shots are written", () => {
  const shots = [
    { prompt: "2 + 2", answer: "4" },
    { prompt: "3 + 3", answer: "6" },
  ];

  test("as turns", () => {
    expect(shotTurns(shots, "1 + 1").map(({ role, content }) => `${role}: ${content}`)).toEqual([
      "user: 2 + 2",
      "assistant: 4",
      "user: 3 + 3",
      "assistant: 6",
      "user: 1 + 1",
    ]);
  });

  test("as one text, as the plain template writes prompt and answer", () => {
    expect(shotText(shots, "1 + 1", PLAIN_TEXT)).toBe("2 + 2\nAnswer: 4\n\n3 + 3\nAnswer: 6\n\n1 + 1\nAnswer:");
    expect(shotText([], "1 + 1", PLAIN_TEXT)).toBe("1 + 1\nAnswer:");
  });
});

test("on this machine every question begins with the same shots, and what may be shortened stays the same text", () => {
  const rows = (["train", "train", "dev", "test"] as const).map((split, i) => ({ label: i % 3, group: i, split }));
  const bare = taskOf(rows, "label");
  const digests = { train: "a", dev: "b", test: "c" };
  const task: LoadedTask = { ...bare, digests, metric: "accuracy", licence: "", source: "", notes: [] };
  const [asked] = task.splits.test;
  task.splits.test = [{ ...asked!, fit: { from: 3, to: 9, keep: "end" } }];
  const shown = withShots(task, [{ prompt: "P", answer: "A" }]);
  const [{ prompt, fit }] = shown.splits.test as [Example];
  expect(prompt).toBe(`P\nAnswer: A\n\n${asked!.prompt}`);
  expect(prompt.slice(fit!.from, fit!.to)).toBe(asked!.prompt.slice(3, 9));
  expect(shown.splits.train).toBe(task.splits.train);
  expect(shown.digests.train).toBe("a");
  expect([shown.digests.dev, shown.digests.test]).not.toEqual(["b", "c"]);
});
