/** @file Generated yes/no questions: did a share rise? One of two statements counts; half of its words are jargon shared with gen-sentiment. */

import { defineTask } from "../../readers/definition.ts";
import { type Drawn, drawSplits, drawStatement, GENERATED } from "./grammar.ts";

export const genHeadline = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-headline",
  title: "generated: yes/no question on a statement on a share",
  answer: { kind: "label", field: "label", labels: ["no", "yes"] },
  generate: () =>
    drawSplits("gen-headline", (rng, isTrain) => {
      const isUp = rng.float() < 0.5;
      const text = drawStatement(rng, isTrain, 1, isUp ? 1 : rng.pick([-1, 0]));
      return { prompt: `Did it rise?\n${text}`, answer: isUp ? "yes" : "no", text };
    }),
});
