import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainLoop } from "../examples/train-loop.ts";
import { liveSessions } from "../src/engine/runtime/session.ts";

test("train-loop: the loss falls and the sentences are learned", async () => {
  const { losses, answers } = await trainLoop(mkdtempSync(join(tmpdir(), "mixtune-example-")));
  expect(losses.at(-1)).toBeLessThan(0.1 * losses[0]!);
  expect(answers).toEqual(["up", "down", "up", "down"]);
  expect(liveSessions()).toBe(0);
});

test("every example is run here", () => {
  expect(readdirSync(join(import.meta.dirname, "..", "examples"))).toEqual(["train-loop.ts"]);
});
