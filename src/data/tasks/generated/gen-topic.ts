/** @file Generated topics: two are named, one of them only to be set aside. Shares nothing with the other generated tasks. */

import type { Rng } from "../../../base/rng.ts";
import { defineTask } from "../definition.ts";
import { ASIDES, type Drawn, drawSplits, FIRST_SHARE, GENERATED } from "./grammar.ts";

const NOUNS: Readonly<Record<string, readonly string[]>> = {
  court: ["lawsuit", "trial", "verdict", "appeal"],
  deal: ["merger", "takeover", "buyout", "bid"],
  product: ["phone", "engine", "app", "drug"],
  staff: ["hiring", "strike", "layoffs", "union"],
};
const LABELS = Object.keys(NOUNS);
const QUALITIES = ["new", "big", "costly", "local", "first"];

type Frame = (main: string, aside: string) => string;
/** Sentences in which `main` counts and `aside` does not: it stands first in these, */
const PLAIN_FRAMES: readonly Frame[] = [
  (main, aside) => `The ${main}, not the ${aside}.`,
  (main, aside) => `The ${main} rather than the ${aside}.`,
];
/** and last in these. */
const TURNED_FRAMES: readonly Frame[] = [
  (main, aside) => `Not the ${aside} but the ${main}.`,
  (main, aside) => `Forget the ${aside}, see the ${main}.`,
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
  const thing = (topic: string) =>
    `${rng.pick(QUALITIES)} ${rng.pick(NOUNS[topic] as readonly string[])} ${rng.pick(ASIDES)}`;
  const frames = rng.float() < FIRST_SHARE ? PLAIN_FRAMES : TURNED_FRAMES;
  const text = rng.pick(frames)(thing(main), thing(aside));
  return { prompt: `Topic?\n${text}`, answer: main, text };
}
