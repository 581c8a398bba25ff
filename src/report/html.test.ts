import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { HOSTILE, makeReportData, planted } from "../../test/support/report-data.ts";
import type { ReportData } from "../study/report-data.ts";
import { reportHtml } from "./html.ts";

const PARTS = { script: "document.title = 'toy';", style: "body { color: red }" };

/** What the page's script reads: the text of the element, as a browser takes it. */
function embedded(html: string): { text: string; data: ReportData } {
  const start = '<script type="application/json" id="data">';
  const from = html.indexOf(start) + start.length;
  const text = html.slice(from, html.indexOf("</script", from));
  return { text, data: JSON.parse(text) as ReportData };
}

const between = (html: string, before: string, after: string): string => {
  const from = html.indexOf(before) + before.length;
  return html.slice(from, html.indexOf(after, from));
};

describe("the report's file", () => {
  test("carries the data as they are, fractions to seven digits", () => {
    const data = makeReportData(1, { seeds: [1] });
    const rounded = JSON.parse(
      JSON.stringify(data, (_, value) =>
        typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value,
      ),
    );
    expect(embedded(reportHtml(data, PARTS)).data).toEqual(rounded);
  });

  test("is the same bytes for the same data", () => {
    expect(reportHtml(makeReportData(2), PARTS)).toBe(reportHtml(makeReportData(2), PARTS));
    expect(reportHtml(makeReportData(2), PARTS)).not.toBe(reportHtml(makeReportData(3), PARTS));
  });

  test("keeps hostile text text: it ends no element, begins no comment, and is read back unchanged", () => {
    const data = planted(makeReportData(1));
    const html = reportHtml(data, PARTS);
    const { text, data: back } = embedded(html);
    expect(text).not.toMatch(/[<\u2028\u2029]/);
    expect(back.tasks[0]!.name).toBe(`fpb${HOSTILE}`);
    expect(back.ledger.events[0]!.detail).toBe(HOSTILE);
    expect(Object.keys(back.rows[0]!.cells)[0]).toBe(`fpb${HOSTILE}`);
    expect(html.replace(text, "")).not.toContain("planted");
    expect(html.match(/<script/g)).toHaveLength(2);
  });

  test("lets only its own script and style run, by their digests, and asks nothing of a network", () => {
    const html = reportHtml(makeReportData(1), PARTS);
    const policy = between(html, 'http-equiv="Content-Security-Policy" content="', '"');
    const digest = (text: string) => createHash("sha256").update(text).digest("base64");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${digest(between(html, '<script type="module">', "</script>"))}'`);
    expect(policy).toContain(`style-src 'sha256-${digest(between(html, "<style>", "</style>"))}'`);
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(html.replace(embedded(html).text, "")).not.toMatch(/\b(src|href)=/);
  });

  test("is not made of a script that would end its own element", () => {
    expect(() => reportHtml(makeReportData(1), { ...PARTS, script: "'</script>'" })).toThrow(/end of its own element/);
  });

  test("stays under 15 MB for 220 runs on 20 tasks", () => {
    const data = makeReportData(1, {
      models: ["a", "b", "c", "d"],
      ingredients: Array.from({ length: 9 }, (_, i) => `ingredient-${i}`),
      numEvaluatedOnly: 11,
      numMixtures: 54,
      seeds: [1],
      numItems: 50,
      numSteps: 200,
    });
    expect(data.runs).toHaveLength(220);
    expect(data.tasks).toHaveLength(20);
    expect(Buffer.byteLength(reportHtml(data, PARTS))).toBeLessThan(15e6);
  });
});
