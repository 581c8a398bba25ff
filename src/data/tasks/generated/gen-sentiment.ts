/** @file Generated sentiment: is a statement good for the company? Direction and whether more is good decide together. Shares jargon with gen-headline. */

import type { TaskDefinition } from "../definition.ts";
import { ALL_JARGON, drawSplits, drawStatement, GENERATED } from "./grammar.ts";

const LABELS = ["negative", "neutral", "positive"];

export const genSentiment: TaskDefinition = {
  ...GENERATED,
  name: "gen-sentiment",
  title: "generated: sentiment of a company's statement",
  answer: { kind: "label", field: "label", labels: LABELS },
  load: () =>
    drawSplits("gen-sentiment", (rng, isTrain) => {
      const { text, polarity, direction } = drawStatement(rng, isTrain ? [0, 7] : ALL_JARGON);
      return { prompt: `Sentiment?\n${text}`, answer: LABELS[1 + polarity * direction] as string, text };
    }),
};
