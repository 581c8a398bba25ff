/** @file Twitter financial news topics: one of twenty topics of a tweet (zeroshot/twitter-financial-news-topic, 2022). */

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

const LABELS = [
  "Analyst Update",
  "Fed | Central Banks",
  "Company | Product News",
  "Treasuries | Corporate Debt",
  "Dividend",
  "Earnings",
  "Energy | Oil",
  "Financials",
  "Currencies",
  "General News | Opinion",
  "Gold | Metals | Materials",
  "IPO",
  "Legal | Regulation",
  "M&A | Investments",
  "Macro",
  "Markets",
  "Politics",
  "Personnel Change",
  "Stock Commentary",
  "Stock Movement",
];
/** Published number of rows of each label, in the order of LABELS; a copy with swapped labels or lost rows is refused. */
const PUBLISHED = {
  train: [255, 837, 3545, 321, 359, 987, 524, 624, 166, 1557, 69, 44, 487, 471, 1822, 501, 985, 495, 2118, 823],
  valid: [73, 214, 852, 77, 97, 242, 146, 160, 32, 336, 13, 14, 119, 116, 415, 125, 249, 112, 528, 197],
};
const FOLDER = "twitter-financial-news-topic";

export const twitterTopic = defineTask<Tweet>({
  name: "twitter-topic",
  title: "one of twenty topics of tweets on financial markets",
  publication: "zeroshot/twitter-financial-news-topic, 2022; its validation split is the test",
  licence: "not stated",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct tweet without its links",
  published: { train: byLabel(PUBLISHED.train), test: byLabel(PUBLISHED.valid) },
  paper: { cap: 2500 },
  prompts: {
    plain: ({ text }) => `What is this financial tweet about?\n${text}`,
    labels: ({ text }) =>
      `Name the topic of a financial tweet. Answer with one of these and nothing else: ${LABELS.join(", ")}.\n${text}`,
  },
  example: ({ text, label }) => ({ answer: label, group: groupOfText(text), text }),
  local: {
    files: [`${FOLDER}/topic_train.csv.gz`, `${FOLDER}/topic_valid.csv`],
    read(root, { notes }) {
      const test = readTweets(join(root, FOLDER, "topic_valid.csv"), PUBLISHED.valid);
      const all = readTweets(join(root, FOLDER, "topic_train.csv.gz"), PUBLISHED.train);
      const held = new Set(test.map(({ record }) => groupOfText(record.text)));
      const train = all.filter(({ record }) => !held.has(groupOfText(record.text)));
      notes.push(
        `twitter-topic: the published validation split (${test.length} tweets) is the test; ${all.length - train.length} of ${all.length} training ` +
          "tweets repeat one of its texts but for links and are left out. The escapes &amp; &lt; &gt; are turned back into & < >.",
      );
      return { train, test };
    },
  },
  hub: {
    id: "zeroshot/twitter-financial-news-topic",
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
      `${published.join(", ")} rows of labels 0 to 19, as published`,
      counts.join(", "),
      "Fetch the file again; in a copy with other counts the labels may be swapped.",
    );
  }
  return rows;
}

function tweetOf(text: unknown, id: unknown, place: string): Tweet {
  const label = id === "" || id === null ? undefined : LABELS[Number(id)];
  if (label !== undefined && typeof text === "string") return { text: unescaped(text), label };
  throw damaged(place, "columns text and label, label 0 to 19", JSON.stringify({ text, label: id }));
}

/** The copies keep what the source of the tweets escaped; a person reads the characters. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function byLabel(counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(LABELS.map((label, i) => [label, counts[i]!]));
}
