/** @file Pages of financial reports: what they are called, their tables as text, and which split a page belongs to where a task is split by page. */

import { sha256 } from "../../base/digest.ts";
import type { Split } from "../../specs/types.ts";
import { DEV_SHARE, normalizeText, TEST_SHARE } from "../splits/splits.ts";

/** Rows of cells. */
export type Table = readonly (readonly string[])[];

/** The report page of a FinQA or ConvFinQA id: `Single_MRO/2007/page_134.pdf-1` and `MRO/2007/page_134.pdf-2` are of one page. */
export function pageOf(id: string): string {
  return id.replace(/^(?:Single|Double)_/, "").replace(/-\d+$/, "");
}

/** A name for a page that comes without one: by its first words, so that copies which lay out its table another way still agree. */
export function pageOfText(context: string): string {
  return `text ${sha256(normalizeText(context).split(" ").slice(0, 40).join(" ")).slice(0, 16)}`;
}

/** One line a row, cells between bars. */
export function tableText(rows: Table): string {
  return rows.map((cells) => cells.join(" | ")).join("\n");
}

/** A page with its table between the texts around it. */
export function pageText(before: string, table: string, after: string): string {
  return [before, table, after].filter((part) => part.trim() !== "").join("\n\n");
}

/** What tables are recognised by: letters and digits, however the cells are set. */
export function tableKey(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9.]+/g, "");
}

/**
 * The split of a page: by its name alone, so that all tasks that are split this way agree on every page they share.
 * The shares are those that mixtune carves.
 */
export function splitOfPage(page: string): Split {
  const at = Number.parseInt(sha256(`page\n${page}`).slice(0, 12), 16) / 2 ** 48;
  if (at < TEST_SHARE) return "test";
  return at < TEST_SHARE + (1 - TEST_SHARE) * DEV_SHARE ? "dev" : "train";
}
