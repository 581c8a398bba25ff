import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readStatus } from "../runs/run-dir.ts";
import type { Job } from "../study/types.ts";
import { StatusKeeper } from "./status-keeper.ts";

const dir = mkdtempSync(join(tmpdir(), "mixtune-keeper-"));
afterAll(() => rmSync(dir, { recursive: true }));

// A resumed run said that it had taken the time of its last part alone.
test("the time of a run counts every call that worked on it, and not the time between them", () => {
  let now = 0;
  const call = (begin: number, end: number, state: "interrupted" | "done") => {
    now = begin;
    const status = new StatusKeeper({ dir } as Job, () => now);
    status.write({ state: "running" });
    now = end;
    status.write({ state });
  };
  call(1_000_000, 1_060_000, "interrupted");
  call(9_000_000, 9_030_000, "done");
  expect(readStatus(dir).seconds).toBe(90);
});
