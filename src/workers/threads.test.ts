import { expect, test, vi } from "vitest";
import { concurrencyFor, threadsFor } from "./threads.ts";

/** A machine of 8 cores with 10 GB of free memory, of which runs may take 8. */
vi.mock(import("node:os"), async (original) => ({
  ...(await original()),
  availableParallelism: () => 8,
  freemem: () => 10e9,
}));

test.each([
  ["as many runs as there are cores, where they fit", 1, 0.5e9, 8],
  ["as there are cores for runs of several threads", 3, 0.5e9, 2],
  ["as fit in memory", 1, 3e9, 2],
  ["as fit exactly", 1, 2e9, 4],
  ["one run that does not fit", 1, 50e9, 1],
  ["one run of more threads than there are cores", 16, 0.5e9, 1],
])("%s", (_, threads, memoryBytes, expected) => {
  expect(concurrencyFor(threads, memoryBytes)).toBe(expected);
});

test("a small model computes with one thread, a larger one with all cores of its machine", () => {
  expect([threadsFor(4.6e6), threadsFor(50e6), threadsFor(135e6, 16)]).toEqual([1, 8, 16]);
});
