/** @file Generated entities: is the one that is named first a person, a company or a city? */

import type { Rng } from "../../../base/rng.ts";
import { defineTask } from "../../readers/definition.ts";
import { type Drawn, drawNames, drawSplits, GENERATED } from "./grammar.ts";

const WORDS: Readonly<Record<string, readonly string[]>> = {
  person: ["boss", "lawyer", "trader", "clerk"],
  company: ["firm", "bank", "group", "mill"],
  city: ["city", "town", "port", "capital"],
};
const LABELS = Object.keys(WORDS);
const QUALITIES = ["old", "busy", "calm", "rich", "proud"];
const OPENINGS = ["Today", "Later", "Then", "Again"];
const VERBS = ["helped", "missed", "praised", "feared", "served"];

export const genEntity = defineTask<Drawn>({
  ...GENERATED,
  name: "gen-entity",
  title: "generated: person, company or city",
  answer: { kind: "label", field: "label", labels: LABELS },
  generate: () => drawSplits("gen-entity", drawEntity),
});

/** Qualities and names keep the words that tell the kind away from those that tell the place in the sentence. */
function drawEntity(rng: Rng) {
  const [first, second] = rng.shuffle(LABELS) as [string, string];
  const names = drawNames(rng, 2);
  const named = (kind: string) => `the ${rng.pick(QUALITIES)} ${rng.pick(WORDS[kind]!)} ${names.pop()}`;
  const text = `${rng.pick(OPENINGS)} ${named(first)} ${rng.pick(VERBS)} ${named(second)}.`;
  return { prompt: `First?\n${text}`, answer: first, text };
}
