/** @file Generated sentiment: did a share do well? One of two statements counts; half of its words are jargon shared with gen-headline. */

import { defineTask } from "../../readers/definition.ts";
import { type Drawn, drawDirection, drawSplits, drawStatement, GENERATED } from "./grammar.ts";

const LABELS = ["negative", "neutral", "positive"];

export const genSentiment = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-sentiment",
  title: "generated: sentiment of a statement on a share",
  answer: { kind: "label", field: "label", labels: LABELS },
  generate: () =>
    drawSplits("gen-sentiment", (rng, isTrain) => {
      const direction = drawDirection(rng);
      const text = drawStatement(rng, isTrain, 0, direction);
      return { prompt: `Sentiment?\n${text}`, answer: LABELS[1 + direction] as string, text };
    }),
});
