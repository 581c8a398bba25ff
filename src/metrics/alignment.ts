/** @file The best one-to-one pairing of two lists. */

/**
 * The greatest sum of scores over pairs that use each row and each column at most once (the Hungarian algorithm, cubic in the shorter side).
 * @param scores  [rows][columns], none below 0
 */
export function bestAlignment(scores: readonly (readonly number[])[]): number {
  const numColumns = scores[0]?.length ?? 0;
  if (numColumns === 0) return 0;
  if (scores.length > numColumns)
    return bestAlignment(Array.from({ length: numColumns }, (_, j) => scores.map((row) => row[j]!)));
  const n = scores.length;
  // Potentials of rows and columns, and which row holds a column; index 0 stands for none.
  const ofRow = new Float64Array(n + 1);
  const ofColumn = new Float64Array(numColumns + 1);
  const rowOf = new Int32Array(numColumns + 1);
  for (let i = 1; i <= n; i++) {
    const slack = new Float64Array(numColumns + 1).fill(Number.POSITIVE_INFINITY);
    const from = new Int32Array(numColumns + 1);
    const isDone = new Uint8Array(numColumns + 1);
    let column = 0;
    rowOf[0] = i;
    while (rowOf[column] !== 0) {
      isDone[column] = 1;
      const row = rowOf[column]!;
      let next = 0;
      let step = Number.POSITIVE_INFINITY;
      for (let j = 1; j <= numColumns; j++) {
        if (isDone[j]) continue;
        const left = -scores[row - 1]![j - 1]! - ofRow[row]! - ofColumn[j]!;
        if (left < slack[j]!) {
          slack[j] = left;
          from[j] = column;
        }
        if (slack[j]! < step) {
          step = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= numColumns; j++) {
        if (isDone[j]) {
          ofRow[rowOf[j]!]! += step;
          ofColumn[j]! -= step;
        } else slack[j]! -= step;
      }
      column = next;
    }
    for (; column !== 0; column = from[column]!) rowOf[column] = rowOf[from[column]!]!;
  }
  let sum = 0;
  for (let j = 1; j <= numColumns; j++) if (rowOf[j] !== 0) sum += scores[rowOf[j]! - 1]![j - 1]!;
  return sum;
}
