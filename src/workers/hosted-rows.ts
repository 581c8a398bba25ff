/** @file The file that a fine-tuning service is sent: one epoch of a run's mixture as chat messages, in the order of the run's first epoch. */

import { countsPerEpoch, epochOrder } from "../data/batches/mixture.ts";
import type { PreparedTask } from "../data/tokens/prepare.ts";
import { turnsOf } from "../data/tokens/turns.ts";
import type { RunSpec, Shown } from "../specs/types.ts";

/**
 * A file of JSON lines, each the turns of an example; earlier answers in it that are not trained on are marked so (`weight: 0`).
 * @param ingredients  by name, prepared: prompts as they were shortened
 */
export function trainingFile(
  spec: Pick<RunSpec, "mixture" | "seed" | "train">,
  ingredients: Readonly<Record<string, PreparedTask>>,
): { content: Buffer<ArrayBuffer>; rows: number } {
  const { names, ingredient, example } = orderOf(spec, ingredients, epochOrder);
  const examples = names.map((name) => ingredients[name]!.split("train").examples);
  const lines = Array.from(ingredient, (which, k) => {
    const row = examples[which]![example[k]!]!;
    // A service trains on every answer that is not marked otherwise.
    const isLearned = (i: number) => spec.train.loss_on === "all_answers" && !row.unlearned?.includes(i);
    const before = turnsOf(row).map((turn, i) =>
      turn.role === "assistant" && !isLearned(i) ? { ...turn, weight: 0 } : turn,
    );
    const messages = [...before, { role: "assistant", content: row.answer }];
    return `${JSON.stringify({ messages })}\n`;
  });
  return { content: Buffer.from(lines.join("")), rows: lines.length };
}

/** What a run of so many equal epochs shows, by ingredient. */
export function shownByService(
  { mixture, seed, train }: Pick<RunSpec, "mixture" | "seed" | "train">,
  ingredients: Readonly<Record<string, PreparedTask>>,
  makeOrder: typeof epochOrder = epochOrder,
): Record<string, Shown> {
  const { names, ingredient, example } = orderOf({ mixture, seed }, ingredients, makeOrder);
  const all = names.map((name) => {
    const { lengths } = ingredients[name]!.split("train");
    return { lengths, seen: new Set<number>(), examples: 0, tokens: 0, supervised: 0 };
  });
  for (const [k, which] of ingredient.entries()) {
    const one = all[which]!;
    const row = example[k]!;
    one.seen.add(row);
    one.examples++;
    one.tokens += one.lengths.tokens[row]!;
    one.supervised += one.lengths.supervised[row]!;
  }
  const epochs = train.num_train_epochs;
  return Object.fromEntries(
    all.map(({ seen, examples, tokens, supervised }, k) => [
      names[k]!,
      {
        examples: examples * epochs,
        distinct_examples: seen.size,
        tokens: tokens * epochs,
        supervised_tokens: supervised * epochs,
      },
    ]),
  );
}

function orderOf(
  { mixture, seed }: Pick<RunSpec, "mixture" | "seed">,
  ingredients: Readonly<Record<string, PreparedTask>>,
  makeOrder: typeof epochOrder,
) {
  const sizes = Object.fromEntries(
    Object.keys(mixture.ingredients).map((name) => {
      const { tokenized, numTokens } = ingredients[name]!.split("train");
      return [name, { num: tokenized.length, tokens: numTokens }];
    }),
  );
  return makeOrder(countsPerEpoch(mixture, sizes), sizes, seed, 0);
}
