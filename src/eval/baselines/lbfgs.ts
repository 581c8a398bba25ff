/** @file Limited-memory BFGS: minimises a smooth function of many variables from its values and gradients. */

/** Writes the gradient at x into `gradient` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** Pairs of steps and gradient changes kept. The sparse rows cost more per step than the vectors here, and 30 pairs halve the steps of 10. */
const MEMORY = 30;
const MAX_STEPS = 500;

/**
 * Moves x to a minimum of a convex function.
 *
 * @param x          start; holds the minimum afterwards
 * @param tolerance  stops when no component of the gradient is larger; also after 500 steps
 * @source Nocedal & Wright 2006, algorithms 7.4 and 7.5; line search by bisection for the weak Wolfe conditions
 */
export function minimise(objective: Objective, x: Float64Array, tolerance: number): void {
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  let pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let step = 0; step < MAX_STEPS && largest(gradient) > tolerance; step++) {
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let low = 0;
    let high = Number.POSITIVE_INFINITY;
    let size = pairs.length === 0 ? 1 / Math.sqrt(dot(gradient, gradient)) : 1;
    let nextValue = value;
    for (let trial = 0; trial < 50; trial++) {
      next.set(x);
      addScaled(next, size, direction);
      nextValue = objective(next, nextGradient);
      if (nextValue > value + 1e-4 * size * slope) high = size;
      else if (dot(nextGradient, direction) < 0.9 * slope) low = size;
      else break;
      size = high === Number.POSITIVE_INFINITY ? 2 * size : (low + high) / 2;
    }
    // Rounding leaves nothing to gain.
    if (!(nextValue < value)) return;
    const s = next.slice();
    addScaled(s, -1, x);
    const y = nextGradient.slice();
    addScaled(y, -1, gradient);
    pairs = [...pairs, { s, y, rho: 1 / dot(s, y) }].slice(-MEMORY);
    x.set(next);
    gradient = nextGradient;
    value = nextValue;
  }
}

/** -H * gradient, H the inverse Hessian that the pairs imply. */
function descent(gradient: Float64Array, pairs: { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = new Float64Array(gradient.length);
  addScaled(q, -1, gradient);
  const alphas = pairs.map(() => 0);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y, rho } = pairs[k] as (typeof pairs)[number];
    alphas[k] = rho * dot(s, q);
    addScaled(q, -(alphas[k] as number), y);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < q.length; i++) q[i]! *= scale;
  }
  pairs.forEach(({ s, y, rho }, k) => {
    addScaled(q, (alphas[k] as number) - rho * dot(y, q), s);
  });
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(a: Float64Array, scale: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!;
}

function largest(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]!));
  return most;
}
