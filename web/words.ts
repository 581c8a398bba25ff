/** @file Terms of statistics and of mixtures that the page explains where they stand: under the pointer, at a tap, by keyboard, and in a list at its end. */

import { type Child, h } from "./dom.ts";

/** A term as its explanation is headed, how it may stand in a text, and what it means. */
interface Word {
  term: string;
  /** Matched as a whole word, in any case. */
  forms: readonly string[];
  meaning: string;
}

export const WORDS: readonly Word[] = [
  {
    term: "mixture",
    forms: ["mixture", "mixtures"],
    meaning: "A set of ingredients that a model was trained on together. A mixture of one task is that task alone.",
  },
  {
    term: "ingredient",
    forms: ["ingredient", "ingredients"],
    meaning: "What mixtures are made of: the training data of a task, or data that is only mixed in.",
  },
  {
    term: "dev and test",
    forms: ["on dev", "dev split", "dev and test", "on test", "test split"],
    meaning:
      "Two sets of rows that no model trains on. Choices are made on dev; test is looked at for the report alone, so that its scores are not flattered by the choosing.",
  },
  {
    term: "95 % interval",
    forms: ["95 % interval", "95 % t interval", "interval over seeds"],
    meaning:
      "The range of values that fit what was measured. Were the study made again many times, 95 in 100 such ranges would hold the true value. One that holds zero leaves open which is better.",
  },
  {
    term: "p value",
    forms: ["p value", "p values"],
    meaning:
      "How often a difference as large as this one would turn up by chance if there were none. Small is convincing.",
  },
  {
    term: "correction",
    forms: [
      "correction",
      "corrected",
      "corrected p values",
      "holm",
      "holm's",
      "benjamini and hochberg's",
      "benjamini-hochberg",
    ],
    meaning:
      "Of twenty comparisons of equals, one looks real at 5 %. Corrected p values allow for the number of comparisons: Holm's method bounds the chance of a single false claim, Benjamini and Hochberg's the share of false ones among all claims.",
  },
  {
    term: "seed",
    forms: ["seed", "seeds"],
    meaning:
      "A number from which the order of the rows and the first values follow. The same training with another seed gives another score; several seeds show how much.",
  },
  {
    term: "majority",
    forms: ["majority", "majority answer"],
    meaning:
      "The score of always giving the most frequent label of the training rows. A model that does not beat it has learned nothing of use.",
  },
  {
    term: "n-gram baseline",
    forms: ["n-gram baseline", "ngram"],
    meaning:
      "A small classical model that counts words and pieces of words. It costs a second; a language model that does not beat it is not needed.",
  },
  {
    term: "untuned model",
    forms: ["untuned", "untuned model"],
    meaning: "The base model as it was before any training of this study.",
  },
  {
    term: "points",
    forms: ["points"],
    meaning: "Hundredths of a score: from 0.70 to 0.75 is 5 points.",
  },
  {
    term: "nats a token",
    forms: ["nats a token"],
    meaning:
      "The mean natural logarithm of the probability that the model gives to each token of the right answer. Nearer to zero is better; 0.7 more makes each token twice as likely.",
  },
  {
    term: "interquartile mean",
    forms: ["interquartile mean"],
    meaning: "The mean of the middle half of the values, so that one very easy or very hard task does not decide it.",
  },
  {
    term: "dose",
    forms: ["dose", "doses"],
    meaning: "How many rows of mixed-in data come to each row of a task.",
  },
  {
    term: "bootstrap",
    forms: ["bootstrap"],
    meaning:
      "Drawing test items again and again, with repetition, to see how far a score would vary on other items of the same kind.",
  },
];

const BY_FORM = new Map(WORDS.flatMap((word) => word.forms.map((form) => [form, word] as const)));
/** Longer forms first, so that "dev split" is not read as "dev". */
const ANY = new RegExp(
  `(?<![\\p{L}\\p{N}-])(${[...BY_FORM.keys()].sort((a, b) => b.length - a.length).join("|")})(?![\\p{L}\\p{N}-])`,
  "giu",
);

/** A text in which the first appearance of each term can be pointed at, tapped, or reached by keyboard. */
export function explained(text: string): Child[] {
  const seen = new Set<Word>();
  return text.split(ANY).map((part) => {
    const word = BY_FORM.get(part.toLowerCase());
    if (word === undefined || seen.has(word)) return part;
    seen.add(word);
    return h("button", { type: "button", class: "term", "data-term": word.term }, part);
  });
}

/**
 * The box that shows what a term means, for all terms of a page.
 * @param root  whose terms are listened to
 */
export function termBox(root: HTMLElement): HTMLElement {
  const box = h("div", { id: "term-box", popover: "manual", role: "tooltip" });
  let shown: Element | undefined;
  const hide = () => {
    shown?.removeAttribute("aria-describedby");
    shown = undefined;
    box.hidePopover();
  };
  const show = (target: EventTarget | null) => {
    const term = (target as Element).closest?.<HTMLElement>("[data-term]") ?? undefined;
    if (term === shown) return;
    if (shown !== undefined) hide();
    const word = WORDS.find((one) => one.term === term?.dataset.term);
    if (term === undefined || word === undefined) return;
    shown = term;
    term.setAttribute("aria-describedby", box.id);
    box.replaceChildren(h("strong", {}, word.term), ` ${word.meaning}`);
    box.showPopover();
    place(term);
  };
  const place = (term: Element) => {
    const { left, top, bottom } = term.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8))}px`;
    box.style.top = `${bottom + height + 12 > innerHeight ? top - height - 6 : bottom + 6}px`;
  };
  for (const event of ["pointerover", "focusin", "click"]) root.addEventListener(event, ({ target }) => show(target));
  root.addEventListener("focusout", () => show(root));
  addEventListener("scroll", () => shown !== undefined && place(shown), { passive: true, capture: true });
  root.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") show(root);
  });
  return box;
}
