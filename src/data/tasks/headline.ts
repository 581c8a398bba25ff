/** @file Gold headlines: nine yes/no questions on each news headline about gold (Sinha and Khandait 2021). */

import { join } from "node:path";
import { DataError } from "../../base/errors.ts";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { normalizeText, type Row } from "../splits.ts";
import type { TaskDefinition } from "./definition.ts";

/** Column of the file (its own spelling) and our question. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ["PriceOrNot", "Is the price of gold mentioned, yes or no?"],
  ["DirectionUp", "Does the price of gold go up, yes or no?"],
  ["DirectionConstant", "Does the price of gold stay the same, yes or no?"],
  ["DirectionDown", "Does the price of gold go down, yes or no?"],
  ["PastPrice", "Is it about a past price of gold, yes or no?"],
  ["FuturePrice", "Is it about a future price of gold, yes or no?"],
  ["PastNews", "Is it about a past event other than prices, yes or no?"],
  ["FutureNews", "Is it about a future event other than prices, yes or no?"],
  ["AssetComparision", "Is gold compared with another asset, yes or no?"],
];

export const headline: TaskDefinition = {
  name: "headline",
  title: "nine yes/no questions on gold headlines",
  source: "Sinha and Khandait 2021, Impact of News on the Commodity Market; gold-headlines/headlines.csv.gz",
  licence: "not stated",
  answer: { kind: "label", field: "answer", labels: ["no", "yes"] },
  metric: "accuracy",
  unit: "distinct headline with its nine questions",
  maxTrain: 10_000,
  needsRoot: true,
  load(root, notes) {
    const path = join(root, "gold-headlines", "headlines.csv.gz");
    const rows = parseCsv(readText(path), path);
    const first = new Map<string, Row[]>();
    let numDisagreeing = 0;
    for (const { line, row } of rows) {
      const group = normalizeText(row.News ?? "");
      const asked = QUESTIONS.map(([column, question], k): Row => {
        const text = row.News as string;
        const answer = answerOf(row[column], `${path}:${line}`, column);
        return { number: `${line}.${k + 1}`, prompt: `${question}\n${text}`, answer, group, text };
      });
      const known = first.get(group);
      if (known === undefined) first.set(group, asked);
      else if (asked.some(({ answer }, k) => answer !== known[k]?.answer)) numDisagreeing++;
    }
    notes.push(
      `headline: ${rows.length} headlines, ${first.size} distinct texts; of repeats the first is used (${numDisagreeing} others disagree ` +
        "with it in some answer).",
    );
    return { train: [...first.values()].flat() };
  },
};

function answerOf(cell: string | undefined, place: string, column: string): string {
  if (cell === "1") return "yes";
  if (cell === "0") return "no";
  throw new DataError({
    place,
    expected: `0 or 1 in column ${column}`,
    got: cell === undefined ? "no such column" : `"${cell}"`,
    remedy: "Fetch the file again.",
  });
}
