/** @file Trainable tensors side by side in one flat vector, so that the optimiser, clipping and checkpoints see one array. */

import { numElements } from "../base/shapes.ts";
import type { TensorSpec } from "./config.ts";

/** A trainable tensor and where it lies in the flat vector, in elements. */
export interface Parameter extends TensorSpec {
  offset: number;
  size: number;
}

/**
 * Order of the flat vector: first what weight decay applies to (matrices), then what it spares (vectors: norms), each in the order given.
 * @source transformers Trainer.get_decay_parameter_names spares norms and biases
 */
export interface ParameterLayout {
  parameters: readonly Parameter[];
  /** Elements in all. */
  size: number;
  /** The first `decaySize` elements decay. */
  decaySize: number;
}

export function layoutParameters(tensors: readonly TensorSpec[]): ParameterLayout {
  const decayed = tensors.filter(({ shape }) => shape.length > 1);
  const spared = tensors.filter(({ shape }) => shape.length <= 1);
  let offset = 0;
  const parameters = [...decayed, ...spared].map((tensor) => {
    const size = numElements(tensor.shape);
    const parameter = { ...tensor, offset, size };
    offset += size;
    return parameter;
  });
  return { parameters, size: offset, decaySize: decayed.reduce((sum, { shape }) => sum + numElements(shape), 0) };
}

/** Views of a flat vector by tensor name, each name with a suffix. */
export function parameterViews(layout: ParameterLayout, flat: Float32Array, suffix = ""): Record<string, Float32Array> {
  return Object.fromEntries(
    layout.parameters.map(({ name, offset, size }) => [`${name}${suffix}`, flat.subarray(offset, offset + size)]),
  );
}
