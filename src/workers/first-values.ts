/** @file What a run's trained tensors are before its first step: the same whichever engine trains them. */

import { SpecError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { initAdapter, initMagnitudes } from "../models/lora.ts";
import { type ParameterLayout, parameterViews } from "../models/parameters.ts";
import { initParameter, type ModelFolder, readParameters } from "../models/weights.ts";
import type { RunSpec } from "../specs/types.ts";

/**
 * Fills a flat vector with the first values of what a run trains.
 * @throws {SpecError} an adapter on random weights
 */
export function firstValues(
  { train, seed }: RunSpec,
  model: ModelFolder,
  layout: ParameterLayout,
  parameters: Float32Array,
): void {
  const rng = new Rng(seed).fork("init");
  if (train.method === "lora") {
    if (train.init === "random") throw loraOnRandom();
    initMagnitudes(model, layout, parameters);
    initAdapter(layout, parameters, rng);
  } else if (train.init === "random") {
    const views = parameterViews(layout, parameters);
    for (const parameter of layout.parameters) initParameter(model.config, parameter, views[parameter.name]!, rng);
  } else readParameters(model, layout, parameters);
}

function loraOnRandom(): SpecError {
  return new SpecError({
    place: "train.init",
    expected: "pretrained, with method: lora",
    got: "random",
    remedy: "An adapter on random weights learns next to nothing: set train.method: full.",
  });
}
