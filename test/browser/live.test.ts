/** @file The live report as a person has it open: a real server on the loopback interface, a real browser, a study whose files change. */

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { LiveStudy } from "../../src/report/live.ts";
import { type ReportServer, serveReport } from "../../src/report/serve.ts";
import { HOSTILE } from "../support/report-data.ts";
import { STUDY, type UnfinishedStudy, unfinishedStudy } from "../support/unfinished-study.ts";
import { caption, DESKTOP, PHONE, section, violations, withBrowser } from "./browser.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-live-browser-"));
const open = withBrowser();
const servers: ReportServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
async function unfinished(): Promise<UnfinishedStudy> {
  return unfinishedStudy(join(folder, `${count++}`), { ...STUDY, seeds: [1], numItems: 60 });
}

async function serve(dir: string, port = 0): Promise<ReportServer> {
  const onFault = (fault: unknown) => {
    throw fault;
  };
  const study = new LiveStudy(dir, { now: Date.now, host: hostname(), pollMs: 100, rebuildMs: 100, onFault });
  const server = await serveReport(study, port);
  servers.push(server);
  return server;
}

describe.each([
  ["1280", DESKTOP],
  ["390", PHONE],
])("the live report at %s pixels", (_, viewport) => {
  test("shows a run from its start to its end without a reload, and keeps the view", async () => {
    const study = await unfinished();
    const { url } = await serve(study.dir);
    const { page, complaints, requests, close } = await open(url, { viewport });
    const strip = page.locator(".live");
    await expect.poll(() => strip.locator(".counts").innerText()).toBe("6 done · 1 to do of 7 runs");

    await page.locator("#pick-task").selectOption("beta");
    await page.locator("#switch-heat-score").click();
    await page.locator("#switch-seeds-order-design").click();
    await page.locator("#answers").scrollIntoViewIfNeeded();
    const summary = section(page, "answers").locator("summary").first();
    await summary.click();
    const dots = await section(page, "seeds").locator(".dot").count();
    expect(dots).toBeGreaterThan(4);
    // Into the section, so that all there is to see is drawn again.
    await page.locator("#seeds").evaluate((heading) => heading.scrollIntoView());
    await page.evaluate("window.scrollBy(0, 250)");
    await page.evaluate("document.body.style.overflowAnchor = 'none'"); // as in browsers that do not know it
    const top = () => page.locator("#seeds").evaluate((heading) => Math.round(heading.getBoundingClientRect().top));
    const [before, address] = [await top(), page.url()];

    study.starts();
    study.steps(1);
    study.steps(2);
    await expect
      .poll(() => strip.innerText())
      .toContain(`${study.mixture}, seed 1: step 2 of 40 · loss 1 · 0.25 s a step`);
    study.finishes();
    await expect.poll(() => strip.locator(".counts").innerText(), { timeout: 20_000 }).toBe("All 7 runs are done");
    await expect.poll(() => section(page, "seeds").locator(".dot").count(), { timeout: 20_000 }).toBe(dots + 1);

    expect(page.url()).toBe(address);
    expect(await caption(page, "seeds")).toContain("beta");
    expect(await caption(page, "mixtures")).toContain("Scores on test");
    expect(await section(page, "answers").locator("details[open]").count()).toBe(1);
    expect(Math.abs((await top()) - before)).toBeLessThan(3);
    expect(await page.locator(".headline").innerText()).toContain("7 of 7 runs done");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    expect(complaints).toEqual([]);
    expect(new Set(requests)).toEqual(new Set([url, `${url}events`, `${url}report.json`]));
    await close();
  });

  test.each(["light", "dark"] as const)(
    "has nothing that axe-core finds against it in %s colours",
    async (colorScheme) => {
      const study = await unfinished();
      const { url } = await serve(study.dir);
      study.starts();
      study.steps(3);
      const { page, close } = await open(url, { viewport, colorScheme });
      await expect.poll(() => page.locator(".live").innerText()).toContain("step 3");
      expect(await violations(page)).toEqual([]);
      study.fails("the loss is not a number");
      await page.locator(".live summary").click({ timeout: 20_000 });
      expect(await violations(page)).toEqual([]);
      await close();
    },
  );
});

describe("the live report", () => {
  test("says that it has lost the server, and goes on when it is back", async () => {
    const study = await unfinished();
    const first = await serve(study.dir);
    const { page, close } = await open(first.url);
    const connection = page.locator(".connection");
    await expect.poll(() => page.locator(".counts").innerText()).toContain("6 done");
    expect(await connection.innerText()).toBe("");
    await first.stop();
    await expect.poll(() => connection.innerText(), { timeout: 20_000 }).toMatch(/server does not answer/);
    expect(await section(page, "seeds").locator(".dot").count()).toBeGreaterThan(4);
    study.finishes();
    await serve(study.dir, Number(new URL(first.url).port));
    await expect.poll(() => connection.innerText(), { timeout: 30_000 }).toBe("");
    await expect.poll(() => page.locator(".headline").innerText(), { timeout: 20_000 }).toContain("7 of 7 runs done");
    await close();
  });

  test("of a study that has only been planned fills with sections, in their order, as runs are done", async () => {
    const study = await unfinished();
    const aside = ["runs", "baselines"].map((name) => [join(study.dir, name), `${study.dir}-${name}`] as const);
    for (const [there, away] of aside) renameSync(there, away);
    const { url } = await serve(study.dir);
    const { page, complaints, close } = await open(url);
    await expect.poll(() => page.locator(".counts").innerText()).toBe("7 to do of 7 runs");
    expect(await page.locator("main .body tbody tr").count()).toBeGreaterThan(0);
    expect(await page.locator("#answers").count()).toBe(0);
    for (const [there, away] of aside) renameSync(away, there);
    study.finishes();
    await expect.poll(() => page.locator("#answers").count(), { timeout: 20_000 }).toBe(1);
    const order = await page.locator("main h2[id]").evaluateAll((all) => all.map(({ id }) => id));
    expect(order.slice(0, 4)).toEqual(["answers", "mixtures", "seeds", "differences"]);
    expect(order.at(-1)).toBe("words");
    expect(await page.locator("nav a").count()).toBe(order.length);
    expect(complaints).toEqual([]);
    await close();
  });

  test("keeps the focus where it was when the page is drawn again", async () => {
    const study = await unfinished();
    const { url } = await serve(study.dir);
    const { page, close } = await open(url);
    await page.locator("#switch-seeds-order-best").focus();
    study.finishes();
    await expect.poll(() => page.locator(".headline").innerText(), { timeout: 20_000 }).toContain("7 of 7 runs done");
    expect(await page.evaluate("document.activeElement.id")).toBe("switch-seeds-order-best");
    await close();
  });

  test("of a finished study shows it whole", async () => {
    const study = await unfinished();
    study.finishes();
    const { url } = await serve(study.dir);
    const { page, complaints, close } = await open(url);
    await expect.poll(() => page.locator(".counts").innerText()).toBe("All 7 runs are done");
    expect(await section(page, "mixtures").locator(".matrix td[style]").count()).toBeGreaterThan(6);
    expect(complaints).toEqual([]);
    await close();
  });

  test("runs nothing that names, outputs and reasons bring along", async () => {
    const study = await unfinished();
    study.finishes();
    // What nobody's file should hold, but may: in the lock's names, an answer, a reason.
    const lock = join(study.dir, "study.lock.json");
    const text = JSON.parse(readFileSync(lock, "utf8"));
    text.study.name = `recorded${HOSTILE}`;
    for (const run of text.runs) run.mixture.name = `${run.mixture.name}${HOSTILE}`;
    text.tasks.alpha.source = HOSTILE;
    writeFileSync(lock, JSON.stringify(text));
    const answers = join(study.dir, "runs", study.run, "predictions", "alpha.test.jsonl");
    const lines = readFileSync(answers, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    writeFileSync(answers, lines.map((line) => `${JSON.stringify({ ...line, output: HOSTILE })}\n`).join(""));
    study.fails(`it broke ${HOSTILE}`);
    const { url } = await serve(study.dir);
    const { page, complaints, close } = await open(url);
    await page.locator(".live summary").click();
    expect(await page.locator(".live").innerText()).toContain("<img src=x onerror=window.planted=1>");
    expect(await page.locator("h1").textContent()).toBe(`recorded${HOSTILE}`);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.evaluate("window.planted")).toBeUndefined();
    expect(complaints).toEqual([]);
    await close();
  });

  test("may ask no other server", async () => {
    const { url } = await serve((await unfinished()).dir);
    const { page, complaints, close } = await open(url);
    const asked = await page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'answered', (error) => error.message)");
    expect(asked).toBe("Failed to fetch");
    expect(complaints.join()).toMatch(/connect-src 'self'/);
    await close();
  });
});
