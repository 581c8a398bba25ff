import { expect, test } from "vitest";
import type { JobSummary } from "../../app/study/study-events.ts";
import { ProgressLine } from "./progress.ts";
import { StudyProgress } from "./study-progress.ts";

/** A clock that is set by hand and what was written. */
function screen(isTerminal: boolean) {
  const written: string[] = [];
  const state = { now: 1_000_000, written };
  const line = new ProgressLine({
    isTerminal,
    columns: 200,
    now: () => state.now,
    write: (text) => {
      written.push(text);
    },
  });
  return { state, line };
}

const WHOLE = { label: "all seed 1", index: 2, pieces: 5, secondsAfter: 600 };

function steps(done: number, id = "r") {
  return { id, phase: "train" as const, done, total: 100, unit: "steps" as const, loss: 0.5 };
}

test("a terminal's line is rewritten, a few times a second, with rate and remaining time", () => {
  const { state, line } = screen(true);
  for (let i = 0; i <= 20; i++) {
    line.update({ ...WHOLE, ...steps(i) });
    state.now += 100;
  }
  expect(state.written).toHaveLength(11);
  expect(state.written.at(-1)).toBe(
    "\r[2/5] all seed 1  train 20/100 steps  loss 0.500  10 steps/s  8 s left  then about 10 min\x1b[K",
  );
  line.say("done");
  expect(state.written.slice(-2)).toEqual(["\r\x1b[K", "done\n"]);
});

test("elsewhere a plain line comes every ten seconds", () => {
  const { state, line } = screen(false);
  for (let i = 0; i < 60; i++) {
    line.update({ ...WHOLE, ...steps(i) });
    state.now += 500;
  }
  expect(state.written).toHaveLength(3);
  expect(state.written.every((text) => text.endsWith("\n") && !text.includes("\x1b"))).toBe(true);
});

test("the rate is that of the phase, not of what was there before it", () => {
  const { state, line } = screen(true);
  line.update({ ...WHOLE, ...steps(90) });
  state.now += 1000;
  line.update({ ...WHOLE, ...steps(91) });
  expect(state.written.at(-1)).toContain("1.0 steps/s  9 s left");
  line.update({ ...WHOLE, id: "r", phase: "eval", done: 0, total: 10, unit: "examples" });
  state.now += 1000;
  line.update({ ...WHOLE, id: "r", phase: "eval", done: 5, total: 10, unit: "examples", tokens_per_second: 1234 });
  expect(state.written.at(-1)).toContain("eval 5/10 examples  1,234 tokens/s  1 s left");
});

test("a phase that is at its end has nothing left", () => {
  const { state, line } = screen(true);
  line.update({ ...WHOLE, ...steps(0) });
  state.now += 1000;
  line.update({ ...WHOLE, secondsAfter: Number.NaN, ...steps(100) });
  expect(state.written.at(-1)).not.toContain("left");
  expect(state.written.at(-1)).not.toContain("then");
});

test("the rest of a study is estimated again from what the finished jobs took", () => {
  const { state, line } = screen(true);
  const jobs = ["a", "b", "c"].map((id) => ({ id, label: id, seconds: 100 }));
  const [a, b] = jobs as [JobSummary, JobSummary];
  const progress = new StudyProgress(line, () => state.now);
  progress.onEvent({ kind: "planned", jobs, concurrency: 1 });
  progress.onEvent({ kind: "started", job: a, index: 1, total: 3 });
  progress.onEvent({ kind: "step", job: a, progress: steps(1, "a") });
  expect(state.written.at(-1)).toMatch(/^\r\[1\/3\] a .* then about 3 min/);
  state.now += 600_000;
  progress.onEvent({ kind: "done", job: a, seconds: 600 });
  expect(state.written.at(-1)).toBe("[1/3] a  done after 10 min\n");
  progress.onEvent({ kind: "started", job: b, index: 2, total: 3 });
  progress.onEvent({ kind: "step", job: b, progress: steps(1, "b") });
  expect(state.written.at(-1)).toMatch(/then about 10 min/);
  progress.onEvent({ kind: "done", job: b, seconds: 7200 });
  expect(state.written.at(-1)).toBe("[2/3] b  done after 1 s (2.0 h with earlier calls)\n");
  progress.onEvent({ kind: "started", job: b, index: 2, total: 3 });
  progress.onEvent({ kind: "failed", job: b, reason: "no disk" });
  expect(state.written.at(-1)).toBe("[2/3] b  failed after 1 s: no disk\n");
});

test("memory that goes clearly beyond the plan is said once", () => {
  const { state, line } = screen(true);
  const job = { id: "a", label: "a", seconds: 100, memoryBytes: 1e9 };
  const progress = new StudyProgress(line, () => state.now);
  progress.onEvent({ kind: "planned", jobs: [job], concurrency: 1 });
  progress.onEvent({ kind: "started", job, index: 1, total: 1 });
  const measured = (peak_memory_bytes: number) =>
    progress.onEvent({ kind: "step", job, progress: { ...steps(1, "a"), peak_memory_bytes } });
  measured(1.2e9);
  expect(state.written.join("")).not.toContain("held");
  measured(2e9);
  measured(3e9);
  expect(
    state.written
      .join("")
      .match(/a: 2\.0 GB are held after its first step; the plan expected 1\.0 GB for 1 at once\./g),
  ).toHaveLength(1);
  expect(state.written.join("")).not.toContain("3.0 GB");
});
