/** @file One browser for a file of tests, and pages that tell all that they complained of and asked for. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

export interface Opened {
  page: Page;
  /** Everything on the console, and dialogs. */
  complaints: string[];
  requests: string[];
  close(): Promise<void>;
}

/** Starts a browser before the tests of a file and ends it after them. @returns opens a page */
export function withBrowser(): (address: string, options?: BrowserContextOptions) => Promise<Opened> {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = process.env.MIXTUNE_BROWSER ?? "/usr/bin/chromium";
    browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
  });
  afterAll(() => browser.close());
  return async (address, options = { viewport: DESKTOP }) => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(address);
    return { page, complaints, requests, close: () => context.close() };
  };
}

/** What axe-core finds against a page, each kind with its first place. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
  );
}

/** The body of a section. */
export const section = (page: Page, id: string) => page.locator(`[data-section="${id}"]`);

export const caption = (page: Page, id: string) => section(page, id).locator("caption").first().textContent();
