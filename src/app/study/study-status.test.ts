import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { recordStudy } from "../../../test/support/recorded-study.ts";
import { writeStatus } from "../../runs/run-dir.ts";
import { runDir } from "../../study/scored.ts";
import { studyStatus } from "./study-status.ts";

const dir = mkdtempSync(join(tmpdir(), "mixtune-status-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("says of every planned run once how far it is, and why it failed", () => {
  const { runs } = recordStudy(dir, {
    tasks: ["a", "b"],
    design: "[singles, pairs]",
    seeds: [1],
    numItems: 10,
    chance: () => 0.7,
  });
  writeStatus(runDir(dir, runs[1]!.id), { state: "failed", reason: "a reason\nwith a second line" });
  const status = studyStatus(dir, { clock: () => 0, self: { pid: 1, host: "here" } });
  expect(status.runs.map(({ id, mixture, state }) => [id, mixture, state])).toEqual(
    runs.map(({ id, mixture }, i) => [id, mixture.name, i === 1 ? "failed" : "done"]),
  );
  expect(status.runs[1]!.reason).toBe("a reason");
  expect(status).toMatchObject({ failedBaselines: [], underWay: [] });
});
