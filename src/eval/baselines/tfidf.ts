/**
 * @file TF-IDF features of word and character n-grams as sparse rows: two blocks (words 1-2, characters 2-5), each sublinear in tf and of
 * length one. Weights as scikit-learn's TfidfVectorizer has them (smooth idf); golden test/golden/eval/ngram.
 *
 * Legend: n rows, F features.
 */

import { composed } from "../../base/unicode.ts";

/** Sparse rows [n, F]: row r has values[rowStart[r] .. rowStart[r + 1]] in the columns of the same positions. */
export interface SparseRows {
  numRows: number;
  numColumns: number;
  rowStart: Int32Array; // [n + 1]
  columns: Int32Array;
  values: Float64Array;
}

/** Feature must occur in at least this many training texts: halves the features at no loss, as a feature of one text hardly tells about another. */
const MIN_DF = 2;

/** Fits the features on training texts. */
export function fitTfidf(train: readonly string[]): { transform(texts: readonly string[]): SparseRows } {
  const blocks = [wordNgrams, charNgrams].map((ngrams) => fitBlock(train, (text) => ngrams(composed(text))));
  const numColumns = blocks.reduce((sum, block) => sum + block.numColumns, 0);
  const transform = (texts: readonly string[]): SparseRows => {
    const rowStart = new Int32Array(texts.length + 1);
    const columns: number[] = [];
    const values: number[] = [];
    texts.forEach((text, r) => {
      let offset = 0;
      for (const block of blocks) {
        for (const [column, value] of block.row(text)) {
          columns.push(offset + column);
          values.push(value);
        }
        offset += block.numColumns;
      }
      rowStart[r + 1] = columns.length;
    });
    return {
      numRows: texts.length,
      numColumns,
      rowStart,
      columns: Int32Array.from(columns),
      values: Float64Array.from(values),
    };
  };
  return { transform };
}

/** One kind of n-grams: ln((1 + n) / (1 + df)) + 1 times 1 + ln(tf), rows scaled to length one. */
function fitBlock(train: readonly string[], ngrams: (text: string) => string[]) {
  const df = new Map<string, number>();
  for (const text of train) {
    for (const gram of new Set(ngrams(text))) df.set(gram, (df.get(gram) ?? 0) + 1);
  }
  const column = new Map<string, number>();
  const idf: number[] = [];
  // Common features first: their weights then share cache lines, which is most of the time of a fit.
  for (const [gram, count] of [...df].filter((entry) => entry[1] >= MIN_DF).sort((a, b) => b[1] - a[1])) {
    column.set(gram, idf.length);
    idf.push(Math.log((1 + train.length) / (1 + count)) + 1);
  }
  const row = (text: string): [number, number][] => {
    const tf = new Map<number, number>();
    for (const gram of ngrams(text)) {
      const at = column.get(gram);
      if (at !== undefined) tf.set(at, (tf.get(at) ?? 0) + 1);
    }
    const weights = [...tf].map(([at, count]): [number, number] => [at, (1 + Math.log(count)) * (idf[at] as number)]);
    const length = Math.sqrt(weights.reduce((sum, [, w]) => sum + w * w, 0));
    return weights.map(([at, w]) => [at, w / length]);
  };
  return { numColumns: idf.length, row };
}

/** Links say nothing that returns in another text. */
const LINK = /https?:\/\/\S+/gu;

/** Words and numbers, single marks (of $ ! % : the classes differ in them), and pairs of neighbours. */
function wordNgrams(text: string): string[] {
  const words =
    text
      .toLowerCase()
      .replace(LINK, " ")
      .match(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]/gu) ?? [];
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}

/** Runs of 2 to 5 characters, across words. Digits are all 0, so that the shape of a number counts; its value is with the words. */
function charNgrams(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replace(LINK, " ")
    .replace(/\p{Nd}/gu, "0")
    .replace(/\s+/gu, " ");
  const chars = [...plain];
  const out: string[] = [];
  for (let n = 2; n <= 5; n++) {
    for (let i = 0; i + n <= chars.length; i++) out.push(chars.slice(i, i + n).join(""));
  }
  return out;
}
