/** @file Generated entities: is a name a person, a company or a city? Any name may be any of them, so only its place in the sentence tells. */

import type { TaskDefinition } from "../definition.ts";
import { drawNames, drawSplits, GENERATED } from "./grammar.ts";

const LABELS = ["person", "company", "city"];

const FRAMES: readonly ((person: string, company: string, city: string) => string)[] = [
  (person, company, city) => `${person} left ${company} for a home in ${city}.`,
  (person, company, city) => `${company} hired ${person} at its office in ${city}.`,
  (person, company, city) => `From ${city}, ${company} said it will miss ${person}.`,
  (person, company, city) => `In ${city}, ${person} bought shares of ${company}.`,
];

export const genEntity: TaskDefinition = {
  ...GENERATED,
  name: "gen-entity",
  title: "generated: person, company or city",
  answer: { kind: "label", field: "label", labels: LABELS },
  load: () =>
    drawSplits("gen-entity", (rng) => {
      const names = drawNames(rng, 3) as [string, string, string];
      const asked = rng.int(3);
      const text = `${rng.pick(FRAMES)(...names)} ${names[asked]}?`;
      return { prompt: `Who or what?\n${text}`, answer: LABELS[asked] as string, text };
    }),
};
