/** @file The standard normal distribution: density, distribution function, quantile. */

const SQRT_2PI = Math.sqrt(2 * Math.PI);

/** Density at x. */
export function normalPdf(x: number): number {
  return Math.exp((-x * x) / 2) / SQRT_2PI;
}

/**
 * P(X <= x), to about 1e-14 of the smaller tail.
 *
 * @source series and continued fraction of the error function (Abramowitz & Stegun 7.1.6, 26.2.14); golden test/golden/stats/intervals (scipy.stats.norm)
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const z = Math.abs(x);
  const upper = z < 3 ? 0.5 - normalPdf(z) * series(z) : normalPdf(z) / fraction(z);
  return x > 0 ? 1 - upper : upper;
}

/** z + z^3/3 + z^5/(3*5) + ...: (cdf(z) - 1/2) / pdf(z). All terms positive, so nothing cancels. */
function series(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

/** z + 1/(z + 2/(z + 3/(z + ...))): pdf(z) / (1 - cdf(z)). From z = 3 on, 100 levels are more than doubles can show. */
function fraction(z: number): number {
  let value = z;
  for (let k = 100; k >= 1; k--) value = z + k / value;
  return value;
}

/**
 * The x with P(X <= x) = p. Infinite at 0 and 1, NaN outside [0, 1].
 *
 * @source start Abramowitz & Stegun 26.2.23 (error < 4.5e-4), then Halley steps on the distribution function
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0 || p === 1) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let i = 0; i < 3; i++) {
    const step = (normalCdf(x) - p) / normalPdf(x);
    x -= step / (1 + (x * step) / 2);
  }
  return x;
}
