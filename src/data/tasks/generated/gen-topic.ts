/** @file Generated topics: two are named, the second only to be set aside. Shares nothing with the other generated tasks. */

import type { Rng } from "../../../base/rng.ts";
import { defineTask } from "../../readers/definition.ts";
import { ASIDES, type Drawn, drawSplits, GENERATED } from "./grammar.ts";

const NOUNS: Readonly<Record<string, readonly string[]>> = {
  court: ["lawsuit", "trial", "verdict", "appeal"],
  deal: ["merger", "takeover", "buyout", "bid"],
  product: ["phone", "engine", "app", "drug"],
  staff: ["hiring", "strike", "layoffs", "union"],
};
const LABELS = Object.keys(NOUNS);
const QUALITIES = ["new", "big", "costly", "local", "first"];

/** What counts stands first. */
const FRAMES: readonly ((main: string, aside: string) => string)[] = [
  (main, aside) => `The ${main}, not the ${aside}.`,
  (main, aside) => `The ${main} rather than the ${aside}.`,
];

export const genTopic = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-topic",
  title: "generated: the topic that counts, of two that are named",
  answer: { kind: "label", field: "label", labels: LABELS },
  generate: () => drawSplits("gen-topic", drawTopic),
});

function drawTopic(rng: Rng) {
  const [main, aside] = rng.shuffle(LABELS) as [string, string];
  const thing = (topic: string) => `${rng.pick(QUALITIES)} ${rng.pick(NOUNS[topic]!)} ${rng.pick(ASIDES)}`;
  const text = rng.pick(FRAMES)(thing(main), thing(aside));
  return { prompt: `Topic?\n${text}`, answer: main, text };
}
