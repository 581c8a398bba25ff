/** @file Sizes of tensors. */

/** Elements of a tensor of this shape; a scalar has one. */
export function numElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
