import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { reportHtml } from "../../src/report/html.ts";
import type { ReportData } from "../../src/study/report-data.ts";
import { HOSTILE, makeReportData, planted } from "../support/report-data.ts";
import { caption, DESKTOP, PHONE, section, violations, withBrowser } from "./browser.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-browser-"));
const open = withBrowser();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, data: ReportData): string {
  const path = join(folder, `${name}.html`);
  writeFileSync(path, reportHtml(data));
  return pathToFileURL(path).href;
}

/** What each section must at least hold to be no empty frame. */
const FILLED: Readonly<Record<string, string>> = {
  answers: ".strip .estimate",
  mixtures: ".matrix td[style]",
  seeds: ".strip .dot",
  differences: ".strip .estimate",
  aggregate: ".strip .estimate",
  ingredients: ".matrix td[style]",
  synergies: ".matrix td[style]",
  doses: ".lines .point",
  elsewhere: ".strip .estimate",
  trials: ".lines .band",
  losses: ".lines polyline.line[points*=' ']",
  items: ".item pre",
  runs: "tbody tr",
  ledger: "tbody tr",
  cost: "dd",
  tasks: "tbody tr",
  methods: "p",
};

describe.each([
  ["1280", DESKTOP],
  ["390", PHONE],
])("the report at %s pixels", (_, viewport) => {
  const address = fileOf("plain", makeReportData(1));

  test("opens from disk: every section is filled, nothing is complained of, nothing leaves, nothing sticks out", async () => {
    const { page, complaints, requests, close } = await open(address, { viewport });
    for (const [id, selector] of Object.entries(FILLED))
      expect(await section(page, id).locator(selector).count(), id).toBeGreaterThan(0);
    expect(Object.keys(FILLED).sort()).toEqual(
      (
        await page.locator("[data-section]").evaluateAll((all) => all.map((one) => one.getAttribute("data-section")!))
      ).sort(),
    );
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([address]);
    await close();
  });

  test.each(["light", "dark"] as const)(
    "has nothing that axe-core finds against it in %s colours",
    async (colorScheme) => {
      const { page, close } = await open(address, { viewport, colorScheme });
      expect(await violations(page)).toEqual([]);
      await close();
    },
  );

  test("follows the chosen task, and comes back from its address as it was", async () => {
    const { page, close } = await open(address, { viewport });
    expect(await caption(page, "seeds")).toContain("fpb");
    await page.locator("#pick-task").selectOption("headline");
    expect(await caption(page, "seeds")).toContain("headline");
    expect(await caption(page, "differences")).toContain("headline");
    await page.locator("#pick-model").selectOption({ index: 1 });
    await page.locator("#switch-heat-score").click();
    await page.locator("#switch-split-dev").click();
    const shown = await page.locator("main").innerText();
    const again = await open(page.url(), { viewport });
    expect(again.page.url()).toMatch(/heat=score.*model=.*split=dev.*task=headline/);
    expect(await again.page.locator("main").innerText()).toBe(shown);
    await again.close();
    await close();
  });

  test("filters items by who is right", async () => {
    const { page, close } = await open(address, { viewport });
    const items = section(page, "items");
    const all = await items.locator(".item").count();
    await items.getByRole("button", { name: "A right, B wrong" }).click();
    const onlyA = await items.locator(".item").count();
    expect(await items.locator(".side.above").allInnerTexts()).toHaveLength(onlyA);
    expect((await items.locator(".side.above").allInnerTexts()).every((text) => text.startsWith("A ✓"))).toBe(true);
    await items.getByRole("button", { name: "B right, A wrong" }).click();
    expect(onlyA).toBeGreaterThan(0);
    expect(await items.locator(".item").count()).toBe(all - onlyA);
    expect(await items.locator(".count").innerText()).toMatch(/41 more are not in this file/);
    await close();
  });
});

describe("the report", () => {
  const address = fileOf("one", makeReportData(1));

  test("works by keyboard alone: what is pressed keeps the focus", async () => {
    const { page, close } = await open(address);
    await page.locator("#switch-heat-score").focus();
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("switch-heat-score");
    expect(await caption(page, "mixtures")).toContain("Scores on test");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.id")).toBe("switch-heat-order-design");
    await close();
  });

  test("sorts runs by a heading, down at the second press, runs without a value last", async () => {
    const { page, close } = await open(address);
    const heading = section(page, "runs").getByRole("button", { name: "time" });
    const times = () =>
      section(page, "runs").locator("table").first().locator("tbody tr td:nth-child(6)").allInnerTexts();
    await heading.click();
    expect((await times())[0]).toBe("67 s");
    await heading.click();
    expect((await times())[0]).not.toBe("67 s");
    expect((await times()).at(-1)).toBe("–");
    await close();
  });

  test.each([
    ["csv", /^task,model,chosen.*\r\nfpb,mixtune\/tiny,/],
    ["md", /^\| task \|/],
    ["tex", /^\\begin{tabular}/],
    ["json", /^\[\n {2}\{\n {4}"task": "fpb"/],
  ])("saves a table as %s", async (ending, beginning) => {
    const { page, complaints, close } = await open(address);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(`#save-answers-${ending}`).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`answers.${ending}`);
    expect(readFileSync(await download.path(), "utf8")).toMatch(beginning);
    expect(complaints).toEqual([]);
    await close();
  });

  test("can be given other colours than the system's, and remembers them in its address", async () => {
    const { page, close } = await open(address, { colorScheme: "light", viewport: DESKTOP });
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.locator("#pick-theme").selectOption("dark");
    expect(await ground()).not.toBe(light);
    const again = await open(page.url(), { colorScheme: "light", viewport: DESKTOP });
    expect(await again.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(await ground());
    await again.close();
    await close();
  });

  test("prints whole and on white: nothing stays closed, nor hidden in a box that scrolls", async () => {
    const { page, close } = await open(address);
    await page.locator("#pick-theme").selectOption("dark");
    await page.emulateMedia({ media: "print" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await page.locator(".in-words p").first().isVisible()).toBe(true);
    const hidden =
      "[...document.querySelectorAll('.scroll')].filter((box) => box.scrollHeight > box.clientHeight + 1).length";
    expect(await page.evaluate(hidden)).toBe(0);
    await page.emulateMedia({ media: "screen" });
    expect(await page.evaluate(hidden)).toBeGreaterThan(0);
    await close();
  });

  test("runs nothing that names, outputs or messages bring along", async () => {
    const { page, complaints, requests, close } = await open(fileOf("hostile", planted(makeReportData(1))));
    expect(await page.locator("h1").textContent()).toBe(`made-up study${HOSTILE}`);
    for (const id of Object.keys(FILLED)) expect(await section(page, id).count(), id).toBe(1);
    await page.locator("#pick-task").selectOption({ index: 2 });
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.evaluate("window.planted")).toBeUndefined();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(DESKTOP.width);
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    await close();
  });

  test("does not let a script through that does get into the file", async () => {
    const path = join(folder, "tampered.html");
    writeFileSync(path, reportHtml(makeReportData(1)).replace("</body>", "<script>window.planted=1</script></body>"));
    const { page, complaints, close } = await open(pathToFileURL(path).href);
    expect(await page.evaluate("window.planted")).toBeUndefined();
    expect(complaints.join()).toMatch(/Content Security Policy/);
    await close();
  });

  test("of one model and one seed offers no choice of models, and says why general ability is not in it", async () => {
    const small = makeReportData(2, { models: ["m"], seeds: [7], ingredients: ["a", "b"], numEvaluatedOnly: 0 });
    const { page, complaints, close } = await open(fileOf("small", small));
    expect(await page.locator("#pick-model").count()).toBe(0);
    expect(await section(page, "seeds").locator(".dot").count()).toBeGreaterThan(4);
    expect(await page.locator(".absent li").allInnerTexts()).toEqual([
      "What it costs elsewhere: no task is only evaluated, so nothing says what tuning costs elsewhere.",
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("of a study that has only been planned says what is missing, and why", async () => {
    const made = makeReportData(1);
    const empty: ReportData = {
      ...made,
      numDone: 0,
      rows: [],
      tasks: [],
      models: [],
      answers: [],
      differences: [],
      effects: [],
      curves: [],
      expectedMaximum: [],
      retention: [],
      aggregate: [],
      losses: [],
      disagreements: [],
      runs: [],
      ledger: { testOpened: 0, candidates: 0, events: [], leftOut: 0 },
      cost: { seconds: 0, tokens: 0, flops: 0, peakMemoryBytes: 0 },
    };
    const { page, complaints, close } = await open(fileOf("empty", empty));
    expect(await page.locator("[data-section]").count()).toBe(1);
    expect(await page.locator(".absent li").count()).toBe(Object.keys(FILLED).length - 1);
    expect(complaints).toEqual([]);
    await close();
  });
});
