/** @file Generated entities: is the first, second or third name a person, a company or a city? Any name may be any of them, so only the sentence tells. */

import type { TaskDefinition } from "../definition.ts";
import { drawNames, drawSplits, GENERATED } from "./grammar.ts";

const LABELS = ["person", "company", "city"];
const ORDINALS = ["first", "second", "third"];

/** One sentence for each order of the three, so that neither the ordinal nor the sentence says anything alone. */
const FRAMES: readonly ((person: string, company: string, city: string) => string)[] = [
  (person, company, city) => `${person} left ${company} for a home in ${city}.`,
  (person, company, city) => `Mr ${person} lives in ${city} and works for ${company}.`,
  (person, company, city) => `Shares of ${company} went to Mr ${person} of ${city}.`,
  (person, company, city) => `The firm ${company} moved from ${city} and lost Mr ${person}.`,
  (person, company, city) => `In ${city}, Mr ${person} bought shares of ${company}.`,
  (person, company, city) => `From ${city}, the firm ${company} wrote to Mr ${person}.`,
];

export const genEntity: TaskDefinition = {
  ...GENERATED,
  name: "gen-entity",
  title: "generated: person, company or city",
  answer: { kind: "label", field: "label", labels: LABELS },
  load: () =>
    drawSplits("gen-entity", (rng) => {
      const names = drawNames(rng, 3) as [string, string, string];
      const text = rng.pick(FRAMES)(...names);
      const asked = rng.int(3);
      const inOrder = [0, 1, 2].sort((a, b) => text.indexOf(names[a] as string) - text.indexOf(names[b] as string));
      const prompt = `What is the ${ORDINALS[asked]} name?\n${text}`;
      return { prompt, answer: LABELS[inOrder[asked] as number] as string, text: prompt };
    }),
};
