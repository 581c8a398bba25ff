import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { writeLogs } from "./write-logs.ts";

const dir = mkdtempSync(join(tmpdir(), "mixtune-logs-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a study's runs go into one file of lines, or into a folder of events for each", () => {
  recordStudy(dir, { tasks: ["a", "b"], design: "[singles]", seeds: [1], numItems: 10, chance: () => 0.7 });
  const lines = writeLogs(dir, { to: "jsonl" });
  expect(lines).toEqual({ folder: join(dir, "exports", "jsonl"), runs: 2 });
  expect(readdirSync(lines.folder)).toEqual(["runs.jsonl"]);
  const events = writeLogs(dir, { to: "tensorboard", out: join(dir, "elsewhere") });
  expect(events.folder).toBe(join(dir, "elsewhere", "tensorboard"));
  const folders = readdirSync(events.folder);
  expect(folders.map((name) => name.replace(/-\w+$/, ""))).toEqual(["a-seed1", "b-seed1"]);
  expect(folders.every((name) => existsSync(join(events.folder, name, "events.out.tfevents.mixtune")))).toBe(true);
});
