/** @file Generated yes/no questions on a statement: did the figure rise, or fall? Shares jargon with gen-sentiment. */

import type { TaskDefinition } from "../definition.ts";
import { ALL_JARGON, drawSplits, drawStatement, GENERATED } from "./grammar.ts";

export const genHeadline: TaskDefinition = {
  ...GENERATED,
  name: "gen-headline",
  title: "generated: yes/no questions on a company's statement",
  answer: { kind: "label", field: "label", labels: ["no", "yes"] },
  load: () =>
    drawSplits("gen-headline", (rng, isTrain) => {
      const { text, direction } = drawStatement(rng, isTrain ? [5, 12] : ALL_JARGON);
      const asked = rng.float() < 0.5 ? 1 : -1;
      const prompt = `Did it ${asked === 1 ? "rise" : "fall"}?\n${text}`;
      return { prompt, answer: direction === asked ? "yes" : "no", text: prompt };
    }),
};
