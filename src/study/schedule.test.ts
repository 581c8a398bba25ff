import fc from "fast-check";
import { expect, test } from "vitest";
import { wallSeconds } from "./schedule.ts";

/** Second by second: places that are free take the next job. */
function simulated(jobs: readonly number[], places: number): number {
  const waiting = [...jobs];
  const running: number[] = [];
  for (let now = 0; ; now++) {
    while (running.length < places && waiting.length > 0) {
      const seconds = waiting.shift()!;
      if (seconds > 0) running.push(now + seconds);
    }
    if (running.length === 0) return now;
    const ended = (at: number) => at === now + 1;
    for (let i = running.length - 1; i >= 0; i--) if (ended(running[i]!)) running.splice(i, 1);
    if (running.length === 0 && waiting.length === 0) return now + 1;
  }
}

test("the time of jobs side by side is that of a clock that ticks through them", () => {
  const jobsArb = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 12 });
  fc.assert(
    fc.property(jobsArb, fc.integer({ min: 1, max: 5 }), (jobs, places) => {
      expect(wallSeconds(jobs, places)).toBe(simulated(jobs, places));
    }),
  );
});

test("one at a time it is the sum, without jobs nothing", () => {
  expect([wallSeconds([3, 4, 5], 1), wallSeconds([], 2)]).toEqual([12, 0]);
});
