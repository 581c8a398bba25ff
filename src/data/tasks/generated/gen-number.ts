/** @file Generated numbers: which of the listed numbers belongs to the company that is asked for? */

import { defineTask } from "../../readers/definition.ts";
import { type Drawn, drawNames, drawSplits, GENERATED } from "./grammar.ts";

const LABELS = Array.from({ length: 10 }, (_, i) => `${i}`);
const THINGS = ["ships", "shops", "plants", "mines", "banks"];

export const genNumber = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-number",
  title: "generated: the number that belongs to a name",
  answer: { kind: "label", field: "label", labels: LABELS },
  generate: () =>
    drawSplits("gen-number", (rng) => {
      const names = drawNames(rng, 3);
      const numbers = rng.shuffle(LABELS).slice(0, names.length);
      const asked = rng.int(names.length);
      const list = names.map((name, i) => `${name} ${numbers[i]}`).join(", ");
      const text = `Number of ${rng.pick(THINGS)}: ${list}. ${names[asked]}?`;
      return { prompt: text, answer: numbers[asked] as string, text };
    }),
});
