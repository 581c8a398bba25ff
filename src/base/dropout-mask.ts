/**
 * @file Which numbers dropout leaves out: a function of two keys, one of the token and one of the feature, so that any mask can be made again, by
 * either engine, in any order. The PyTorch worker has the same (python/mixtune_worker/dropout.py).
 *
 *   kept(token, feature) = (token * feature) mod 2^31 >= rate * 2^31      both keys odd, 31 bits
 */

import { sha256 } from "./digest.ts";
import { mix } from "./rng.ts";

const BITS = 0x7fffffff;

/** Key of a token of an example. @param example  key of the example in its step, 32 bits @param place  of the token in the example, from 0 */
export function tokenKey(example: number, place: number): number {
  return oddKey(example, place);
}

/** Keys of the features that go into a module, by its name. */
export function featureKeys(module: string, width: number): number[] {
  const salt = Number.parseInt(sha256(module).slice(0, 8), 16);
  return Array.from({ length: width }, (_, feature) => oddKey(salt, feature));
}

/** What the product of two keys, modulo 2^31, must be at least for a number to be kept. */
export function dropoutThreshold(rate: number): number {
  return Math.round(rate * 2 ** 31);
}

/** Whether a number is kept. @param threshold  of {@link dropoutThreshold} */
export function isKept(token: number, feature: number, threshold: number): boolean {
  return (Math.imul(token, feature) & BITS) >= threshold;
}

function oddKey(salt: number, number: number): number {
  return (mix(salt + Math.imul(number + 1, 0x9e3779b1)) >>> 1) | 1;
}
