/** @file Generated general instructions, a mixer: small orders about words, answered in words. */

import type { Rng } from "../../../base/rng.ts";
import { defineTask } from "../../readers/definition.ts";
import { type Drawn, drawNames, drawSplits, GENERATED } from "./grammar.ts";

const WORDS =
  "river stone table window garden paper bridge market winter summer yellow silver bread music letter".split(" ");
const OPPOSITES = "up/down open/closed long/short early/late full/empty buy/sell new/old hot/cold".split(" ");
const COUNTS = ["one", "two", "three", "four", "five"];

/** An order about some drawn words, and its answer. */
const ORDERS: readonly ((rng: Rng) => [order: string, answer: string])[] = [
  (rng) => {
    const word = rng.pick(WORDS);
    return [`Say the word ${word} and the name ${drawNames(rng, 1)[0]}, the word only.`, word];
  },
  (rng) => {
    const words = rng.shuffle(WORDS).slice(0, 3);
    return [`First of the words: ${words.join(", ")}`, words[0] as string];
  },
  (rng) => {
    const words = rng.shuffle(WORDS).slice(0, 3);
    return [`Last of the words: ${words.join(", ")}`, words[2] as string];
  },
  (rng) => {
    const words = rng.shuffle(WORDS).slice(0, 1 + rng.int(COUNTS.length));
    return [`How many words: ${words.join(", ")}`, COUNTS[words.length - 1] as string];
  },
  (rng) => {
    const pair = rng.shuffle(rng.pick(OPPOSITES).split("/")) as [string, string];
    return [`The ${rng.pick(WORDS)} is not ${pair[0]}. What is it?`, pair[1]];
  },
];

export const genGeneral = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-general",
  title: "generated: small general instructions, to mix in",
  answer: { kind: "text", field: "answer" },
  generate: () =>
    drawSplits("gen-general", (rng) => {
      const [prompt, answer] = rng.pick(ORDERS)(rng);
      return { prompt, answer, text: prompt };
    }),
});
