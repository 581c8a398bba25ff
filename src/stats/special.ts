/** @file Special functions behind the distributions: log gamma, the incomplete beta function and its inverse. */

/** log Gamma(x) for x > 0, to about 1e-15 relative: Stirling's series after shifting x above 10. */
export function logGamma(x: number): number {
  let shift = 0;
  let y = x;
  for (; y < 10; y++) shift += Math.log(y);
  const r = 1 / (y * y);
  const tail = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + tail - shift;
}

/**
 * The regularised incomplete beta function I_x(a, b) for 0 <= x <= 1 and a, b > 0.
 *
 * @param y  1 - x, which the caller may know more exactly when x is near 1
 * @source continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, by Lentz's method
 */
export function incompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  // The fraction converges fast below the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(y, x, b, a);
  const tiny = 1e-300;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let c = 1;
  let f = d;
  for (let m = 1, change = 0; m < 10_000 && Math.abs(change - 1) > 1e-15; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || tiny);
    c = 1 + even / c || tiny;
    f *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || tiny);
    c = 1 + odd / c || tiny;
    change = c * d;
    f *= change;
  }
  const front = a * Math.log(x) + b * Math.log(y) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(front) * f) / a;
}

/**
 * The x with I_x(a, b) = p: the p-quantile of the beta distribution; NaN for p outside [0, 1].
 * Bisection: slow and certain; to about 1e-15 relative where x is small, so take 1 - x from the mirrored call where x is near 1.
 */
export function incompleteBetaInverse(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  let low = 0;
  let high = 1;
  for (let i = 0; i < 1100 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, 1 - middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
