/** @file Least squares by Householder QR with column pivoting, which sees which coefficients the data determine and which they do not. */

/** How coefficients follow from observations: linear weights, known before any observation. */
export interface LinearFit {
  /** [columns][rows]: coefficient j = sum over rows of weights[j][r] * y[r]; absent where the columns do not determine it. */
  weights: (Float64Array | undefined)[];
  rank: number;
  /** y less its fitted values. */
  residuals(y: ArrayLike<number>): Float64Array;
}

/** A column whose rest after projection is shorter than this share of its length lies in the span of the others. */
const DEPENDENT = 1e-9;

/**
 * Fits y = sum of coefficients times columns. Where columns are linearly dependent, a coefficient is given only if every least-squares
 * solution has the same one: two ingredients that always come together have none.
 *
 * @param columns  [columns][rows]
 * @source Businger & Golub 1965; golden test/golden/stats/factorial (statsmodels OLS, numpy matrix_rank)
 */
export function linearFit(columns: readonly ArrayLike<number>[]): LinearFit {
  const numRows = columns[0]?.length ?? 0;
  const scales = columns.map((column) => norm(column, 0) || 1);
  const rest = columns.map((column, j) => Float64Array.from(column, (value) => value / (scales[j] as number)));
  const order = [...columns.keys()];
  const reflections: Float64Array[] = [];
  for (let k = 0; k < Math.min(numRows, columns.length); k++) {
    let longest = k;
    for (let j = k + 1; j < order.length; j++) {
      if (norm(at(rest, order, j), k) > norm(at(rest, order, longest), k) + DEPENDENT) longest = j;
    }
    [order[k], order[longest]] = [order[longest] as number, order[k] as number];
    const column = at(rest, order, k);
    const length = norm(column, k);
    if (length < DEPENDENT) break;
    const v = column.slice();
    v.fill(0, 0, k);
    v[k]! += (column[k] as number) < 0 ? -length : length;
    reflections.push(v);
    for (let j = k; j < order.length; j++) reflect(at(rest, order, j), v);
  }
  const rank = reflections.length;
  // R is [rank][columns] in pivoted order; q[i] is the i-th column of Q.
  const r = (i: number, j: number) => at(rest, order, j)[i] as number;
  const q = Array.from({ length: rank }, (_, i) => {
    const unit = new Float64Array(numRows);
    unit[i] = 1;
    for (const v of reflections.toReversed()) reflect(unit, v);
    return unit;
  });
  const weights: (Float64Array | undefined)[] = columns.map(() => undefined);
  // Back-substitution of R11 * [weights | dependence] = [Q' | R12], last row first.
  const solved: { weights: Float64Array; dependence: Float64Array }[] = [];
  for (let i = rank - 1; i >= 0; i--) {
    const own = (q[i] as Float64Array).slice();
    const dependence = Float64Array.from({ length: order.length - rank }, (_, d) => r(i, rank + d));
    for (let j = i + 1; j < rank; j++) {
      const below = solved[j] as (typeof solved)[number];
      own.forEach((_, row) => {
        own[row]! -= r(i, j) * (below.weights[row] as number);
      });
      dependence.forEach((_, d) => {
        dependence[d]! -= r(i, j) * (below.dependence[d] as number);
      });
    }
    const scaled = (values: Float64Array) => values.map((value) => value / r(i, i));
    solved[i] = { weights: scaled(own), dependence: scaled(dependence) };
    const isDetermined = (solved[i] as (typeof solved)[number]).dependence.every((d) => Math.abs(d) < DEPENDENT);
    const j = order[i] as number;
    if (isDetermined) weights[j] = scaled(own).map((w) => w / (scales[j] as number));
  }
  return {
    weights,
    rank,
    residuals(y) {
      const left = Float64Array.from(y);
      for (const v of reflections) reflect(left, v);
      left.fill(0, 0, rank);
      for (const v of reflections.toReversed()) reflect(left, v);
      return left;
    },
  };
}

function at(columns: readonly Float64Array[], order: readonly number[], j: number): Float64Array {
  return columns[order[j] as number] as Float64Array;
}

/** Length of a column from row `from` on. */
function norm(column: ArrayLike<number>, from: number): number {
  let sum = 0;
  for (let i = from; i < column.length; i++) sum += (column[i] as number) ** 2;
  return Math.sqrt(sum);
}

/** x -= 2 v (v . x) / (v . v), in place. */
function reflect(x: Float64Array, v: Float64Array): void {
  let along = 0;
  let square = 0;
  for (let i = 0; i < v.length; i++) {
    along += (v[i] as number) * (x[i] as number);
    square += (v[i] as number) ** 2;
  }
  for (let i = 0; i < v.length; i++) x[i]! -= (2 * along * (v[i] as number)) / square;
}
