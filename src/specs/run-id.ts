/** @file The name of a run's directory: a digest of everything that decides its weights. */

import { digestOf } from "../base/digest.ts";
import type { RunSpec } from "./types.ts";

/**
 * First 16 hexadecimal digits of the digest of a run spec. The names of model and mixture are for people and left out;
 * the names of ingredients stay, since order and random draws follow from them. Independent of key order.
 */
export function runId(spec: RunSpec): string {
  const { name: _model, ...model } = spec.model;
  const { name: _mixture, ingredients: mixture, ...shuffled } = spec.mixture;
  return digestOf({ ...spec, model, mixture, ...shuffled }).slice(0, 16);
}
