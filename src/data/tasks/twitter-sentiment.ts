/** @file Twitter financial news sentiment: bearish, bullish or neutral tweets (zeroshot/twitter-financial-news-sentiment, 2022). */

import { join } from "node:path";
import { DataError } from "../../base/errors.ts";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { groupOfText, type Row } from "../splits.ts";
import type { TaskDefinition } from "./definition.ts";

const LABELS = ["bearish", "bullish", "neutral"];
/** Published number of rows of each label, in the order of LABELS; a copy with swapped labels or lost rows is refused. */
const PUBLISHED = { train: [1442, 1923, 6178], valid: [347, 475, 1566] };

export const twitterSentiment: TaskDefinition = {
  name: "twitter-sentiment",
  title: "sentiment of tweets on financial markets",
  source:
    "zeroshot/twitter-financial-news-sentiment, 2022; twitter-financial-news-sentiment/sent_train.csv and sent_valid.csv",
  licence: "not stated",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct tweet without its links",
  needsRoot: true,
  load(root, notes) {
    const folder = join(root, "twitter-financial-news-sentiment");
    const test = readTweets(join(folder, "sent_valid.csv"), PUBLISHED.valid);
    const all = readTweets(join(folder, "sent_train.csv"), PUBLISHED.train);
    const held = new Set(test.map(({ group }) => group));
    const train = all.filter(({ group }) => !held.has(group));
    notes.push(
      `twitter-sentiment: the published validation split (${test.length} tweets) is the test; ${all.length - train.length} of ` +
        `${all.length} training tweets repeat one of its texts but for links and are left out.`,
    );
    return { train, test };
  },
};

function readTweets(path: string, published: readonly number[]): Row[] {
  const counts = LABELS.map(() => 0);
  const rows = parseCsv(readText(path), path).map(({ line, row }): Row => {
    const label = Number(row.label);
    const answer = LABELS[label];
    if (answer === undefined || row.text === undefined) {
      throw new DataError({
        place: `${path}:${line}`,
        expected: "columns text and label, label 0 (bearish), 1 (bullish) or 2 (neutral)",
        got: JSON.stringify(row).slice(0, 80),
        remedy: "Fetch the file again.",
      });
    }
    (counts[label] as number)++;
    const prompt = `Is this tweet bullish, bearish or neutral?\n${row.text}`;
    return { number: line, prompt, answer, group: groupOfText(row.text), text: row.text };
  });
  if (counts.join() !== published.join()) {
    throw new DataError({
      place: path,
      expected: `${published.join(", ")} rows of ${LABELS.join(", ")}, as published`,
      got: counts.join(", "),
      remedy: "Fetch the file again; copies with swapped labels are about.",
    });
  }
  return rows;
}
