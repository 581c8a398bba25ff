/**
 * @file How many examples of each ingredient an epoch holds and in which order they come. The order is a pure function of (counts, sizes, seed,
 * epoch); which batch an example lands in follows in batches.ts.
 */

import { strict as assert } from "node:assert";
import { SpecError } from "../../base/errors.ts";
import { Rng } from "../../base/rng.ts";
import type { Amount, MixtureSpec } from "../../specs/types.ts";

/** What an ingredient has to give: training examples, and tokens in all of them together. */
export interface IngredientSize {
  num: number;
  tokens: number;
}

/**
 * Examples of each ingredient in one epoch. Per ingredient, by what the mixture says:
 *
 * - nothing: all n; `max_train`: at most so many; `epochs`: round(epochs * n); `tokens`: so many tokens at the ingredient's mean length;
 * - `weight` is a share of the epoch. Beside ingredients without a weight, which have their own counts (F together), weights are taken as they
 *   stand and the epoch is F / (1 - sum of weights). If all have weights, these are made to sum to 1 and the epoch is the largest in which no
 *   ingredient repeats: the scarcest for its share comes whole, the others are down-sampled.
 *
 * @throws {SpecError} an empty mixture, an unknown or empty ingredient, two ways to say how much, an amount that is not positive, weights that
 *   leave nothing for the others, an amount that comes to no example
 */
export function countsPerEpoch(
  mixture: MixtureSpec,
  sizes: Readonly<Record<string, IngredientSize>>,
): Record<string, number> {
  const place = `mixture ${mixture.name}`;
  const names = Object.keys(mixture.ingredients).sort();
  if (names.length === 0) {
    throw new SpecError({ place, expected: "at least one ingredient", got: "none", remedy: "Name a task or mixer." });
  }
  const counts: Record<string, number> = {};
  const weights: Record<string, number> = {};
  for (const name of names) {
    const size = sizes[name];
    if (size === undefined || size.num === 0) {
      throw new SpecError({
        place: `${place}: ${name}`,
        expected: "an ingredient with training examples",
        got: size === undefined ? "an unknown name" : "none left after loading",
        remedy: `Use one of: ${Object.keys(sizes).sort().join(", ")}.`,
      });
    }
    const amount = mixture.ingredients[name] as Amount;
    const value = singleAmount(amount, `${place}: ${name}`);
    if (amount.weight !== undefined) weights[name] = value;
    else if (amount.max_train !== undefined) counts[name] = Math.min(size.num, Math.floor(value));
    else if (amount.epochs !== undefined) counts[name] = Math.round(value * size.num);
    else if (amount.tokens !== undefined) counts[name] = Math.round((value * size.num) / size.tokens);
    else counts[name] = size.num;
  }
  const numInEpoch = epochOfWeighted(counts, weights, sizes, place);
  for (const [name, weight] of Object.entries(weights)) counts[name] = Math.round(weight * numInEpoch);
  refuseLong(counts, place);
  for (const name of names) {
    if (counts[name] === 0) {
      throw new SpecError({
        place: `${place}: ${name}`,
        expected: "an amount that comes to at least one example",
        got: JSON.stringify(mixture.ingredients[name]),
        remedy: "Ask for more of it, or leave it out.",
      });
    }
  }
  return counts;
}

/** Examples in an epoch per unit of weight. */
function epochOfWeighted(
  counts: Readonly<Record<string, number>>,
  weights: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, IngredientSize>>,
  place: string,
): number {
  const fixed = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  if (fixed === 0) {
    return Math.min(...Object.entries(weights).map(([name, weight]) => (sizes[name] as IngredientSize).num / weight));
  }
  if (sum >= 1) {
    throw new SpecError({
      place,
      expected: "weights that sum to less than 1, as they are shares of the epoch beside ingredients without a weight",
      got: `${sum}`,
      remedy: "Lower the weights, or give every ingredient one.",
    });
  }
  return fixed / (1 - sum);
}

/** Examples in the longest epoch that is laid out: 800 MB of places. */
const MAX_EPOCH = 2 ** 27;

function refuseLong(counts: Readonly<Record<string, number>>, place: string): void {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total <= MAX_EPOCH) return;
  throw new SpecError({
    place,
    expected: `at most ${MAX_EPOCH} examples in an epoch`,
    got: `${total}`,
    remedy: "Ask for less of its ingredients, or for more epochs (train.num_train_epochs) of a shorter mixture.",
  });
}

/** The one amount that is given, or NaN where none is. */
function singleAmount(amount: Amount, place: string): number {
  const given = Object.entries(amount).filter(([, value]) => value !== undefined) as [string, number][];
  const bad = given.find(([, value]) => !(Number.isFinite(value) && value > 0));
  if (bad !== undefined) {
    throw new SpecError({
      place: `${place}.${bad[0]}`,
      expected: "a number above 0",
      got: `${bad[1]}`,
      remedy: "Ask for some of it, or leave the ingredient out.",
    });
  }
  if (given.length > 1) {
    throw new SpecError({
      place,
      expected: "one of weight, max_train, epochs, tokens",
      got: given.map(([key]) => key).join(" and "),
      remedy: "Keep the one that is meant.",
    });
  }
  return given[0]?.[1] ?? Number.NaN;
}

/** The examples of an epoch in order: `names[ingredient[k]]` gives the k-th example's ingredient, `example[k]` its index there. */
export interface EpochOrder {
  names: string[];
  ingredient: Uint16Array;
  example: Int32Array;
}

/**
 * The order of one epoch, drawn anew each epoch: every example of an ingredient floor(c / n) or ceil(c / n) times, all shuffled together.
 * Independent of the order of keys and, for what is drawn of an ingredient, of the other ingredients.
 */
export function epochOrder(
  counts: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, { num: number }>>,
  seed: number,
  epoch: number,
): EpochOrder {
  const names = Object.keys(counts).sort();
  const total = names.reduce((sum, name) => sum + (counts[name] as number), 0);
  const ingredient = new Uint16Array(total);
  const example = new Int32Array(total);
  const root = new Rng(seed).fork("mixture").fork(epoch);
  let at = 0;
  for (const [k, name] of names.entries()) {
    const { num } = sizes[name] as { num: number };
    const count = counts[name] as number;
    const drawn = drawSome(num, count % num, root.fork("draw").fork(name));
    for (let i = 0; i < count; i++) {
      ingredient[at] = k;
      example[at] = i < drawn.length ? (drawn[i] as number) : (i - drawn.length) % num;
      at++;
    }
  }
  const rng = root.fork("order");
  for (let i = total - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    [ingredient[i], ingredient[j]] = [ingredient[j] as number, ingredient[i] as number];
    [example[i], example[j]] = [example[j] as number, example[i] as number];
  }
  const order = { names, ingredient, example };
  verifyMixture(order, counts, sizes);
  return order;
}

/** Examples in the orders that are kept: 50 MB of them. */
const MAX_KEPT = 8_000_000;

/** {@link epochOrder} for who asks for the same orders again: those made last are kept. They must not be written to. */
export function keptOrders(): typeof epochOrder {
  const kept = new Map<string, EpochOrder>();
  let numKept = 0;
  return (counts, sizes, seed, epoch) => {
    const names = Object.keys(counts).sort();
    const key = JSON.stringify([names.map((name) => [name, counts[name], sizes[name]!.num]), seed, epoch]);
    const order = kept.get(key) ?? epochOrder(counts, sizes, seed, epoch);
    if (!kept.has(key)) {
      kept.set(key, order);
      numKept += order.example.length;
    }
    for (const [oldest, { example }] of kept) {
      if (numKept <= MAX_KEPT) break;
      kept.delete(oldest);
      numKept -= example.length;
    }
    return order;
  };
}

/** `count` different numbers below `num`, in random order. */
function drawSome(num: number, count: number, rng: Rng): Int32Array {
  if (count === 0) return new Int32Array();
  const all = new Int32Array(num);
  for (let i = 0; i < num; i++) all[i] = i;
  for (let i = 0; i < count; i++) {
    const j = i + rng.int(num - i);
    [all[i], all[j]] = [all[j] as number, all[i] as number];
  }
  return all.subarray(0, count);
}

/**
 * Checks an epoch: as many examples of each ingredient as asked, each floor(c / n) or ceil(c / n) times.
 * @throws {AssertionError} naming the ingredient
 */
export function verifyMixture(
  order: EpochOrder,
  counts: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, { num: number }>>,
): void {
  assert(order.ingredient.length === order.example.length, "mixture: ingredient and example have one length");
  const times = order.names.map((name) => new Uint32Array((sizes[name] as { num: number }).num));
  // Plain loops: every epoch of every run is checked.
  for (let k = 0; k < order.ingredient.length; k++) {
    const list = times[order.ingredient[k]!];
    const index = order.example[k]!;
    if (list === undefined || index < 0 || index >= list.length) {
      assert.fail(`mixture: position ${k} names no example that exists`);
    }
    list[index]!++;
  }
  assert(order.names.length === Object.keys(counts).length, "mixture: every ingredient is named once");
  for (const [which, name] of order.names.entries()) {
    const list = times[which] as Uint32Array;
    const count = counts[name] as number;
    const [low, high] = [Math.floor(count / list.length), Math.ceil(count / list.length)];
    let total = 0;
    let odd = -1;
    for (let i = 0; i < list.length; i++) {
      total += list[i]!;
      if (list[i]! < low || list[i]! > high) odd = i;
    }
    assert(total === count, `mixture: ${name} comes ${total} times, asked ${count}`);
    assert(odd === -1, `mixture: ${name} example ${odd} comes ${list[odd]} times, not ${low} or ${high}`);
  }
}
