/** @file Twitter financial news sentiment: bearish, bullish or neutral tweets (zeroshot/twitter-financial-news-sentiment, 2022). */

import { defineTask } from "../readers/definition.ts";
import { type Tweet, tweetTask } from "../readers/labelled-tweets.ts";

export const twitterSentiment = defineTask<Tweet>({
  ...tweetTask({
    name: "twitter-sentiment",
    id: "twitter-financial-news-sentiment",
    files: { train: "sent_train.csv", valid: "sent_valid.csv" },
    labels: ["bearish", "bullish", "neutral"],
    published: { train: [1442, 1923, 6178], valid: [347, 475, 1566] },
    seenIn: "Open-Finance-Lab/FinLoRA data/process_sentiment_train.py",
  }),
  name: "twitter-sentiment",
  title: "sentiment of tweets on financial markets",
  paper: { cap: 5000 },
  prompts: {
    plain: ({ text }) => `Is this tweet bullish, bearish or neutral?\n${text}`,
    labels: ({ text }) =>
      `Read this financial tweet and infer its sentiment. Answer with one of these words and nothing else: bearish, bullish, neutral.\n${text}`,
  },
});
