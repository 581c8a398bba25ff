import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Job, RunProgress } from "../study/types.ts";
import { TorchProcess } from "./torch-process.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is told of a run whose worker says these lines once it is asked. */
async function toldBy(...lines: object[]): Promise<RunProgress[]> {
  const python = join(folder, "python");
  const said = lines.map((line) => `echo '${JSON.stringify(line)}'`).join("\n");
  writeFileSync(python, `#!/bin/sh\nread asked\n${said}\n`);
  chmodSync(python, 0o755);
  const told: RunProgress[] = [];
  const process = new TorchProcess({ python, environment: {} });
  await process.run("prepared", {
    job: { id: "r", dir: folder } as Job,
    onProgress: (progress) => told.push(progress),
    isAborted: async () => false,
    status: undefined as never,
  });
  await process.end();
  return told;
}

test("a worker's notes are told where the run stands, before its outcome", async () => {
  const at = { phase: "train", done: 3, total: 9, unit: "steps" } as const;
  const told = await toldBy(
    { kind: "note", text: "early" },
    { kind: "progress", ...at, loss: 2 },
    { kind: "note", text: "out of memory" },
    { kind: "outcome", state: "done" },
  );
  expect(told).toEqual([
    { id: "r", phase: "load", done: 0, total: 0, unit: "steps", note: "early" },
    { id: "r", ...at, loss: 2 },
    { id: "r", ...at, note: "out of memory" },
  ]);
});
