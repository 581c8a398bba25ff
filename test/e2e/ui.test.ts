/** @file mixtune ui through the built command: serves until a signal, and says what it cannot serve. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mixtune, serving, temporaryFolder } from "../support/command.ts";
import { STUDY, type UnfinishedStudy, unfinishedStudy } from "../support/unfinished-study.ts";

let folder: string;
let remove: () => void;
let study: UnfinishedStudy;
beforeAll(() => {
  ({ folder, remove } = temporaryFolder());
  study = unfinishedStudy(folder, { ...STUDY, seeds: [1], numItems: 20 });
});
afterAll(() => remove());

const uiServing = (use: (url: string) => Promise<void>, signal: NodeJS.Signals) =>
  serving(["ui", study.dir], { cwd: folder, signal }, use);

describe("ui", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "serves until %s, also while a page listens, and ends with status 0",
    async (signal) => {
      const { status } = await uiServing(async (url) => {
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
        expect(await (await fetch(url)).text()).toContain("mixtune-live");
        expect(((await (await fetch(`${url}report.json`)).json()) as { numRuns: number }).numRuns).toBe(7);
        const reader = (await fetch(`${url}events`)).body!.getReader();
        expect((await reader.read()).done).toBe(false);
      }, signal);
      expect(status).toBe(0);
    },
  );

  test("refuses a folder without a study", async () => {
    const { status, stderr } = await mixtune(["ui", join(folder, "nothing")], { cwd: folder });
    expect(status).toBe(2);
    expect(stderr).toMatch(/study\.lock\.json: expected the directory of a study .*, got no such file/);
  });

  test("says that a port is taken", async () => {
    await uiServing(async (url) => {
      const { port } = new URL(url);
      const { status, stderr } = await mixtune(["ui", study.dir, "--port", port], { cwd: folder });
      expect(status).toBe(2);
      expect(stderr).toContain(
        `127.0.0.1, port ${port}: expected a port that is free, got one that another server has.`,
      );
      expect(stderr).toContain("Give another --port");
    }, "SIGINT");
  });
});
