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

/** Texts that reach over the edge of their box, but for tables with a column for each task or ingredient: those scroll, their captions do not. */
const CUT_OFF = `[...document.querySelectorAll("main p, main li, main dd, main h2, main pre, caption, .strips *, .cards *")]
  .filter((one) => {
    const [inner, outer] = [one, one.closest(".scroll, main")].map((box) => box.getBoundingClientRect());
    return inner.right > outer.right + 1 && inner.width > 0 && one.closest("svg") === null;
  })
  .map((one) => one.closest("[data-section]")?.dataset.section + ": " + one.tagName + " " + one.textContent)`;

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
  words: "dd",
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
    if (viewport === PHONE) expect(await page.evaluate(CUT_OFF)).toEqual([]);
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

  test("explains a term under the pointer, at a tap and by keyboard, and lets it go", async () => {
    const { page, complaints, close } = await open(address, { viewport });
    const box = page.locator("#term-box");
    const term = page.locator('[data-term="95 % interval"]').first();
    await term.click();
    expect(await box.innerText()).toMatch(/^95 % interval The range of values/);
    const { x, width } = (await box.boundingBox())!;
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(viewport.width);
    await page.keyboard.press("Escape");
    expect(await box.isVisible()).toBe(false);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Shift+Tab");
    expect(await box.isVisible()).toBe(true);
    expect(await term.getAttribute("aria-describedby")).toBe("term-box");
    await page.locator("h1").click();
    expect(await box.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await close();
  });

  test("filters items by who is right, and shows what they ask where that is known", async () => {
    const { page, close } = await open(address, { viewport });
    const items = section(page, "items");
    const all = await items.locator(".item").count();
    expect(await items.locator(".question").count()).toBe(all - 1);
    expect(await items.locator(".question").first().innerText()).toBe("Net sales of unit 0 fell by 0 per cent.");
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

  test("reads values out, by pointer and by arrow keys: cells of a table, and a chart's places", async () => {
    const { page, complaints, close } = await open(address);
    const heat = section(page, "mixtures");
    const readout = heat.locator(".readout");
    await heat.locator("td[data-tell]").first().hover();
    expect(await readout.textContent()).toMatch(/ on .* from the task alone · (95 % .* to |no interval)/);
    await page.mouse.move(0, 0); // what is focused scrolls, and would come to lie under it
    await heat.locator("td[tabindex='0']").focus();
    const first = await readout.textContent();
    await page.keyboard.press("ArrowDown");
    const below = await readout.textContent();
    expect(below).not.toBe(first);
    await page.keyboard.press("ArrowUp");
    expect(await readout.textContent()).toBe(first);
    await page.keyboard.press("End");
    expect(await readout.textContent()).not.toBe(first);
    expect(await heat.locator("td[tabindex='0']").count()).toBe(1);

    const seeds = section(page, "seeds");
    await seeds.locator("td[tabindex='0']").focus();
    await page.keyboard.press("ArrowDown"); // the first is a hosted model, which has no seeds
    expect(await seeds.locator(".readout").textContent()).toMatch(/95 % .* · 400 items · 3 seeds: .*, .*, /);

    const chart = section(page, "doses").getByRole("slider");
    await chart.focus();
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/^fpb rows 100: alone 5\d.* \(95 % .*; seeds /);
    await page.keyboard.press("ArrowRight");
    expect(await section(page, "doses").locator(".readout").textContent()).toMatch(
      /^fpb rows 300: alone .* · with the others /,
    );
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowRight");
    expect(await chart.getAttribute("aria-valuenow")).toBe("3");
    const tries = section(page, "trials").locator(".plot");
    await tries.scrollIntoViewIfNeeded();
    const box = (await tries.boundingBox())!;
    await page.mouse.move(box.x + box.width - 20, box.y + 100);
    expect(await section(page, "trials").locator(".readout").textContent()).toMatch(/^runs tried 12: mixtures /);
    expect(complaints).toEqual([]);
    await close();
  });

  test("tells a run on the task alone that is not scored yet from one that is not there, and an estimate that does not exist", async () => {
    const data = makeReportData(1);
    const [first, second] = data.answers as [ReportData["answers"][number], ReportData["answers"][number]];
    Object.assign(first, { verdict: "no reference", difference: null, reference: 7 });
    Object.assign(second, { verdict: "no reference", difference: null, reference: null });
    second.selected!.estimate = null;
    const { page, close } = await open(fileOf("unscored", data));
    const verdicts = section(page, "answers").locator("tbody td:last-child");
    expect((await verdicts.allInnerTexts()).slice(0, 2)).toEqual(["not scored yet", "no run on the task alone"]);
    await section(page, "answers").locator("summary").click();
    expect(await section(page, "answers").locator(".in-words div").nth(1).innerText()).toMatch(/Best on test, .*, – /);
    await close();
  });

  test("sets equal numbers of trials side by side, and says where there are too few", async () => {
    const data = makeReportData(1);
    data.expectedMaximum[1]!.equalTrials = {
      numAlone: 1,
      numMixtures: 20,
      tries: [{ k: 1, alone: 0.6, mixtures: 0.7 }],
    };
    const { page, close } = await open(fileOf("trials", data));
    const trials = section(page, "trials");
    expect(await trials.locator("tbody tr").allInnerTexts()).toEqual([
      "1\t60.0\t61.0\t+1.0",
      "2\t61.0\t62.2\t+1.2",
      "3\t62.0\t63.4\t+1.4",
    ]);
    await page.locator("#pick-task").selectOption({ index: 1 });
    expect(await trials.locator("tbody").count()).toBe(0);
    expect(await trials.innerText()).toContain("1 run of fiqa-sa alone");
    expect(await trials.innerText()).toContain("too few");
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
    expect(await page.locator("[data-section]").count()).toBe(2); // methods and words
    expect(await page.locator(".absent li").count()).toBe(Object.keys(FILLED).length - 2);
    expect(complaints).toEqual([]);
    await close();
  });
});
