/** @file Generated topics: two are named, one of them only to be set aside. Shares no words with the other generated tasks but names. */

import type { Rng } from "../../../base/rng.ts";
import type { TaskDefinition } from "../definition.ts";
import { drawName, drawSplits, GENERATED } from "./grammar.ts";

const NOUNS: Readonly<Record<string, readonly string[]>> = {
  court: ["lawsuit", "trial", "verdict", "appeal"],
  deal: ["merger", "takeover", "buyout", "bid"],
  product: ["phone", "engine", "app", "drug"],
  staff: ["hiring", "strike", "layoffs", "union"],
  weather: ["storm", "flood", "drought", "frost"],
};
const LABELS = Object.keys(NOUNS);
const QUALITIES = ["latest", "recent", "costly", "sudden", "planned", "local"];
const WHERE = ["abroad", "nearby", "up north", "back home"];

/** Sentences in which `main` counts and `aside` does not; words around each noun keep it from standing beside those that tell which is which. */
const FRAMES: readonly ((name: string, main: string, aside: string) => string)[] = [
  (name, main, aside) => `${name} spoke of the ${main}, not of the ${aside}.`,
  (name, main, aside) => `Not the ${aside} but the ${main} moved ${name}.`,
  (name, main, aside) => `${name} left the ${aside} aside for the ${main}.`,
  (name, main, aside) => `The ${main} rather than the ${aside} drew ${name}.`,
];

export const genTopic: TaskDefinition = {
  ...GENERATED,
  name: "gen-topic",
  title: "generated: the topic that a sentence is about, of two it names",
  answer: { kind: "label", field: "label", labels: LABELS },
  load: () => drawSplits("gen-topic", drawTopic),
};

function drawTopic(rng: Rng) {
  const [main, aside] = rng.shuffle(LABELS) as [string, string];
  const thing = (topic: string) =>
    `${rng.pick(QUALITIES)} ${rng.pick(NOUNS[topic] as readonly string[])} ${rng.pick(WHERE)}`;
  const text = rng.pick(FRAMES)(drawName(rng), thing(main), thing(aside));
  return { prompt: `Topic?\n${text}`, answer: main, text };
}
