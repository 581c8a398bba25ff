/** @file What the page's terms mean, as a list. */

import type { Section } from "../context.ts";
import { h } from "../dom.ts";
import { WORDS } from "../words.ts";

export const words: Section = {
  id: "words",
  title: "Words",
  how: "What the terms of this page mean; where one is underlined with dots, point at it or tap it.",
  missing: () => undefined,
  draw: () => ({
    nodes: [
      h("dl", { class: "words" }, ...WORDS.flatMap(({ term, meaning }) => [h("dt", {}, term), h("dd", {}, meaning)])),
    ],
  }),
};
