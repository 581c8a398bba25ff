/** @file A study's report as one HTML file: data, script and style inside it, nothing asked of a network. The page itself is web/. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { ReportData } from "../study/report-data.ts";

/** What the build makes of web/. */
export interface PageParts {
  script: string;
  style: string;
}

/**
 * The page, the same bytes for the same data. The data stand in it as JSON in which no tag can begin or end, with fractions to seven digits; the
 * script writes them as text only, and the content security policy lets no other script, and no request, through.
 *
 * @param parts  default: those of the build
 */
export function reportHtml(data: ReportData, parts: PageParts = readPageParts()): string {
  return page(data, parts, "'none'", "");
}

/**
 * The page as a server gives it: it follows the server that it came from (live.ts), and may ask no other.
 *
 * @param version  of the data: the page asks for them again where the server names another
 */
export function liveHtml(data: ReportData, version: string, parts: PageParts = readPageParts()): string {
  return page(data, parts, "'self'", `<meta name="mixtune-live" content="${version}">\n`);
}

function page(data: ReportData, { script, style }: PageParts, connect: string, meta: string): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    `connect-src ${connect}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join("; ")}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mixtune">
${meta}<title>mixtune report</title>
<style>${style}</style>
</head>
<body>
<noscript>This report is drawn by a script within this file: allow it to run to see the study.</noscript>
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

/** JSON that may stand inside a script element: no `<`, and no line ends that JavaScript knows and JSON does not. */
function embeddedJson(data: ReportData): string {
  const json = JSON.stringify(data, (_, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value,
  );
  return json.replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** @throws {Error} the text would end the element that holds it */
function hashOf(text: string): string {
  if (/<\/(script|style)/i.test(text)) throw new Error("the page's script or style holds the end of its own element");
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** @throws {Error} the program runs from sources that were never built */
function readPageParts(): PageParts {
  const folders = ["./page/", "../../dist/page/"].map((path) => new URL(path, import.meta.url));
  const folder = folders.find((folder) => existsSync(new URL("report.js", folder)));
  if (folder === undefined) throw new Error("the report's page is not built: npm run build");
  const read = (name: string) => readFileSync(new URL(name, folder), "utf8").trim();
  return { script: read("report.js"), style: read("report.css") };
}
