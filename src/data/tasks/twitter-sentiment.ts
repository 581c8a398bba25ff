/** @file Twitter financial news sentiment: bearish, bullish or neutral tweets (zeroshot/twitter-financial-news-sentiment, 2022). */

import { join } from "node:path";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { groupOfText } from "../splits.ts";
import { damaged } from "./damaged.ts";
import { defineTask, type Numbered } from "./definition.ts";

interface Tweet {
  text: string;
  label: string;
}

const LABELS = ["bearish", "bullish", "neutral"];
/** Published number of rows of each label, in the order of LABELS; a copy with swapped labels or lost rows is refused. */
const PUBLISHED = { train: [1442, 1923, 6178], valid: [347, 475, 1566] };
const FOLDER = "twitter-financial-news-sentiment";

export const twitterSentiment = defineTask<Tweet>({
  name: "twitter-sentiment",
  title: "sentiment of tweets on financial markets",
  publication: "zeroshot/twitter-financial-news-sentiment, 2022; its validation split is the test",
  licence: "not stated",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct tweet without its links",
  published: { train: byLabel(PUBLISHED.train), test: byLabel(PUBLISHED.valid) },
  paper: { cap: 5000 },
  prompts: {
    plain: ({ text }) => `Is this tweet bullish, bearish or neutral?\n${text}`,
    labels: ({ text }) =>
      `Read this financial tweet and infer its sentiment. Answer with one of these words and nothing else: bearish, bullish, neutral.\n${text}`,
  },
  example: ({ text, label }) => ({ answer: label, group: groupOfText(text), text }),
  local: {
    files: [`${FOLDER}/sent_train.csv`, `${FOLDER}/sent_valid.csv`],
    read(root, { notes }) {
      const test = readTweets(join(root, FOLDER, "sent_valid.csv"), PUBLISHED.valid);
      const all = readTweets(join(root, FOLDER, "sent_train.csv"), PUBLISHED.train);
      const held = new Set(test.map(({ record }) => groupOfText(record.text)));
      const train = all.filter(({ record }) => !held.has(groupOfText(record.text)));
      notes.push(
        `twitter-sentiment: the published validation split (${test.length} tweets) is the test; ${all.length - train.length} of ` +
          `${all.length} training tweets repeat one of its texts but for links and are left out.`,
      );
      return { train, test };
    },
  },
  hub: {
    id: "zeroshot/twitter-financial-news-sentiment",
    splits: { train: "train", test: "validation" },
    columns: ["text", "label"],
    isVerified: false,
    records: (row, place) => [tweetOf(row.text, row.label, place)],
  },
});

function readTweets(path: string, published: readonly number[]): Numbered<Tweet>[] {
  const rows = parseCsv(readText(path), path).map(({ line, row }) => ({
    number: line,
    record: tweetOf(row.text, row.label, `${path}:${line}`),
  }));
  const counts = LABELS.map((label) => rows.filter(({ record }) => record.label === label).length);
  if (counts.join() !== published.join()) {
    throw damaged(
      path,
      `${published.join(", ")} rows of ${LABELS.join(", ")}, as published`,
      counts.join(", "),
      "Fetch the file again; copies with swapped labels are about.",
    );
  }
  return rows;
}

function tweetOf(text: unknown, id: unknown, place: string): Tweet {
  const label = id === "" || id === null ? undefined : LABELS[Number(id)];
  if (label !== undefined && typeof text === "string") return { text, label };
  throw damaged(
    place,
    "columns text and label, label 0 (bearish), 1 (bullish) or 2 (neutral)",
    JSON.stringify({ text, label: id }),
  );
}

function byLabel(counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(LABELS.map((label, i) => [label, counts[i]!]));
}
