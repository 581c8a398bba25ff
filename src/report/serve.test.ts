import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STUDY, type UnfinishedStudy, unfinishedStudy } from "../../test/support/unfinished-study.ts";
import { runPaths } from "../runs/run-dir.ts";
import type { ReportData } from "../study/report-data.ts";
import { reportOf } from "../study/report-of.ts";
import { studyResults } from "../study/results.ts";
import { runDir } from "../study/scored.ts";
import { LiveStudy } from "./live.ts";
import type { LiveNews } from "./live-data.ts";
import { type ReportServer, serveReport } from "./serve.ts";

/** Of three runs, one to do. */
const SMALL = {
  ...STUDY,
  tasks: ["alpha", "beta"],
  evaluatedOnly: [],
  design: "[singles, pairs]",
  seeds: [1],
  numItems: 20,
};

let folder: string;
let study: UnfinishedStudy;
let server: ReportServer;
let faults: unknown[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-live-"));
  study = unfinishedStudy(folder, SMALL);
  faults = [];
  // A clock that stands: no report takes any time, so that each change is followed by the next.
  const now = Date.now();
  const options = { now: () => now, host: hostname(), pollMs: 20, rebuildMs: 0 };
  server = await serveReport(new LiveStudy(study.dir, { ...options, onFault: (fault) => faults.push(fault) }), 0);
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
  expect(faults).toEqual([]);
});

/** News until one of them is as wanted. */
async function news(isWanted: (news: LiveNews) => boolean): Promise<LiveNews> {
  const stream = await fetch(`${server.url}events`);
  expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
  let text = "";
  for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const whole = text.split("\n\n").slice(0, -1);
    for (const event of whole) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      const told = data === undefined ? undefined : (JSON.parse(data) as LiveNews);
      if (told !== undefined && isWanted(told)) return told;
    }
  }
  throw new Error(`the stream ended: ${text}`);
}

const report = async () => (await (await fetch(`${server.url}report.json`)).json()) as ReportData;

/** With headers that fetch does not let through. */
function raw(headers: Record<string, string>, method = "GET", path = "/"): Promise<{ status: number; allow?: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, server.url), { method, headers }, (response) => {
      response.resume();
      const { allow } = response.headers;
      response.on("end", () => resolve({ status: response.statusCode!, ...(allow === undefined ? {} : { allow }) }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("the live report", () => {
  test("gives the data that report.json would hold", async () => {
    expect(await report()).toEqual(JSON.parse(JSON.stringify(reportOf(studyResults(study.dir)))));
  });

  test("gives a page that may ask this server only, and that no other site may show", async () => {
    const response = await fetch(server.url);
    const html = await response.text();
    expect(html).toMatch(/Content-Security-Policy" content="default-src 'none'; .*connect-src 'self'; /);
    expect(response.headers.get("content-security-policy")).toBe("frame-ancestors 'none'");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test("tells at once how the study stands, then how a run goes, and that there is a newer report when it is done", async () => {
    const first = await news(() => true);
    expect(first.counts).toEqual({ done: 2, running: 0, failed: 0, interrupted: 0, damaged: 0, planned: 1 });
    expect((await report()).numDone).toBe(2);
    study.starts();
    study.steps(1);
    study.steps(2);
    const running = await news(({ jobs }) => jobs[0]?.step === 2);
    expect(running.jobs).toEqual([
      {
        id: study.run,
        name: `${study.mixture}, seed 1`,
        state: "running",
        reason: null,
        step: 2,
        numSteps: 40,
        loss: 1,
        secondsPerStep: 0.25,
      },
    ]);
    study.finishes();
    const done = await news(({ version, counts }) => version !== first.version && counts.done === 3);
    expect(done.jobs).toEqual([]);
    expect((await report()).numDone).toBe(3);
  });

  test("makes a new report for a run that starts, and none for its beats and steps", async () => {
    const { version: before } = await news(() => true);
    study.starts();
    let started = before;
    const later = await news(({ version, jobs }) => {
      if (version !== before && started === before) {
        started = version;
        study.steps(5);
      }
      return jobs[0]?.step === 5;
    });
    expect(later.version).toBe(started);
  });

  test("lets time pass between reports, not between news of runs", async () => {
    const options = { now: Date.now, host: hostname(), pollMs: 20, rebuildMs: 1e9, onFault: () => {} };
    await server.stop();
    server = await serveReport(new LiveStudy(study.dir, options), 0);
    let before = "";
    const later = await news(({ version, counts }) => {
      if (before === "") {
        before = version;
        study.finishes();
      }
      return counts.done === 3;
    });
    expect(later.version).toBe(before);
  });

  test("tells of a run that fails, and why", async () => {
    study.starts();
    study.fails("the loss is not a number at step 3\nand a stack");
    const { counts, jobs } = await news(({ counts }) => counts.failed === 1);
    expect(counts.planned).toBe(0);
    expect(jobs[0]).toMatchObject({ state: "failed", reason: "the loss is not a number at step 3" });
  });

  test("keeps what it had when the folder goes away, says so, and goes on when it is back", async () => {
    const before = await report();
    const away = join(folder, "elsewhere");
    renameSync(study.dir, away);
    expect((await news(({ problem }) => problem !== null)).problem).toMatch(/study\.lock\.json: .*no such file/s);
    expect(await report()).toEqual(before);
    renameSync(away, study.dir);
    expect((await news(({ problem }) => problem === null)).counts.done).toBe(2);
  });

  test("names a damaged file among the remarks and shows the rest", async () => {
    const { version: before } = await news(() => true);
    writeFileSync(runPaths.scores(runDir(study.dir, (await report()).runs[0]!.id)), "{");
    await news(({ version }) => version !== before);
    const { remarks, numDone } = await report();
    expect(remarks.join()).toMatch(/scores\.json/);
    expect(numDone).toBe(1);
  });

  test.each([
    ["a name that was turned to this address", { host: "evil.example:80" }, 403],
    ["a name that only begins like ours", { host: "localhost.evil.example" }, 403],
    ["an address of another interface", { host: "192.168.1.2:8765" }, 403],
    ["a page of another site", { origin: "https://evil.example" }, 403],
    ["a sandboxed page", { origin: "null" }, 403],
    ["this machine's own name for it", { host: "localhost:8765" }, 200],
  ])("answers %s as it should", async (_, headers, status) => {
    expect((await raw(headers as Record<string, string>)).status).toBe(status);
    expect((await raw(headers as Record<string, string>, "GET", "/report.json")).status).toBe(status);
  });

  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("has nothing that %s could change", async (method) => {
    for (const path of ["/", "/report.json", "/events", "/runs"])
      expect(await raw({}, method, path)).toEqual({ status: 405, allow: "GET, HEAD" });
  });

  test.each(["/study.lock.json", "/../study.yaml", "/%2e%2e/study.yaml", "//", "/report.json/x", "/?%"])(
    "gives no file by its path: %s",
    async (path) => {
      const { status } = await new Promise<{ status: number }>((resolve, reject) => {
        const { hostname: host, port } = new URL(server.url);
        const asked = request({ host, port, path }, (response) => {
          response.resume();
          response.on("end", () => resolve({ status: response.statusCode! }));
        });
        asked.on("error", reject);
        asked.end();
      });
      expect(status).toBe(path === "/?%" ? 200 : 404);
    },
  );

  test("answers HEAD without a body", async () => {
    for (const path of ["", "report.json", "events"]) {
      const response = await fetch(`${server.url}${path}`, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
    }
  });

  test("says which port is taken", async () => {
    const port = Number(new URL(server.url).port);
    const options = { now: Date.now, host: hostname(), onFault: () => {} };
    await expect(serveReport(new LiveStudy(study.dir, options), port)).rejects.toThrow(
      `127.0.0.1, port ${port}: expected a port that is free, got one that another server has`,
    );
  });

  test("ends open streams when it stops", async () => {
    const stream = await fetch(`${server.url}events`);
    const ended = stream.text().catch(() => "cut");
    await server.stop();
    expect(await ended).toMatch(/cut|retry/);
    await expect(fetch(server.url)).rejects.toThrow();
    server = await serveReport(new LiveStudy(study.dir, { now: Date.now, host: hostname(), onFault: () => {} }), 0);
  });
});

describe("a folder without a study", () => {
  test("is refused by name", () => {
    expect(() => new LiveStudy(folder, { now: Date.now, host: "h", onFault: () => {} })).toThrow(
      /study\.lock\.json: expected the directory of a study/,
    );
  });
});
