/** @file Gold headlines: nine yes/no questions on each news headline about gold (Sinha and Khandait 2021). */

import { join } from "node:path";
import { DataError } from "../../base/errors.ts";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { groupOfText, type Row } from "../splits.ts";
import type { TaskDefinition } from "./definition.ts";

/** Column of the file (its own spelling) and our question, answered by yes or no. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ["PriceOrNot", "Is the headline about price?"],
  ["DirectionUp", "Did the price rise?"],
  ["DirectionConstant", "Is the price unchanged?"],
  ["DirectionDown", "Did the price fall?"],
  ["PastPrice", "Is a past price mentioned?"],
  ["FuturePrice", "Is a future price mentioned?"],
  ["PastNews", "Is there past news other than prices?"],
  ["FutureNews", "Is there news of the future other than prices?"],
  ["AssetComparision", "Is gold compared with any other asset?"],
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
      const group = groupOfText(row.News ?? "");
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
