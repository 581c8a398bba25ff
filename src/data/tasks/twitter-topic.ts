/** @file Twitter financial news topics: one of twenty topics of a tweet (zeroshot/twitter-financial-news-topic, 2022). */

import { defineTask } from "../readers/definition.ts";
import { type Tweet, tweetTask } from "../readers/labelled-tweets.ts";

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
const PUBLISHED = {
  train: [255, 837, 3545, 321, 359, 987, 524, 624, 166, 1557, 69, 44, 487, 471, 1822, 501, 985, 495, 2118, 823],
  valid: [73, 214, 852, 77, 97, 242, 146, 160, 32, 336, 13, 14, 119, 116, 415, 125, 249, 112, 528, 197],
};

export const twitterTopic = defineTask<Tweet>({
  ...tweetTask({
    name: "twitter-topic",
    id: "twitter-financial-news-topic",
    files: { train: "topic_train.csv.gz", valid: "topic_valid.csv" },
    labels: LABELS,
    published: PUBLISHED,
    seenIn: "meniData1/cocktail_effect src/cocktail.py",
    // the copies keep what the source of the tweets escaped; a person reads the characters
    clean: (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  }),
  name: "twitter-topic",
  title: "one of twenty topics of tweets on financial markets",
  paper: { cap: 2500 },
  prompts: {
    plain: ({ text }) => `What is this financial tweet about?\n${text}`,
    labels: ({ text }) =>
      `Name the topic of a financial tweet. Answer with one of these and nothing else: ${LABELS.join(", ")}.\n${text}`,
  },
});
