/** @file Looks at rows of a classification file and proposes what a task needs: the text, the answer, the labels, the group. Pure. */

/** A proposed task. */
export interface Proposal {
  /** Fields of the prompt, longest text first in the file's order. */
  text: string[];
  answer: string;
  labels: string[];
  group?: string;
}

type Fields = Record<string, unknown>;

/** Names that usually hold the answer, the likeliest first. */
const ANSWER_NAMES = ["label", "labels", "answer", "target", "class", "category", "sentiment", "gold", "y", "output"];
/** More different values than this are no labels. */
const MAX_LABELS = 50;
/** A column shorter than this, on average in characters, is no text. */
const MIN_TEXT = 12;
const GROUP_NAME = /(^|_)(group|customer|user|doc|document|thread|author)(_?id)?$/i;

/**
 * What the rows suggest, or the reason why nothing can be suggested.
 * The answer: a column with few different values, each (on average) in several rows; a usual name wins, then fewer values.
 * The text: of the other columns those with long values; the longest alone if none is long.
 */
export function proposeTask(rows: readonly Fields[]): Proposal | string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const valuesOf = (column: string) =>
    rows.map((row) => row[column]).filter((value) => value !== undefined && value !== null);
  const plain = columns.filter(
    (column) => valuesOf(column).length > 0 && valuesOf(column).every((value) => typeof value !== "object"),
  );
  const candidates = plain
    .map((column) => ({ column, labels: [...new Set(valuesOf(column).map((value) => String(value).trim()))] }))
    .filter(
      ({ labels }) =>
        labels.length >= 2 && labels.length <= MAX_LABELS && labels.length * 2 <= rows.length && !labels.includes(""),
    )
    .sort((a, b) => rank(a.column) - rank(b.column) || a.labels.length - b.labels.length);
  const chosen = candidates[0];
  if (chosen === undefined) return `no column with 2 to ${MAX_LABELS} different values that each come at least twice`;
  const others = plain.filter((column) => column !== chosen.column);
  const lengths = others.map((column) => ({ column, length: meanLength(valuesOf(column)) }));
  const long = lengths.filter(({ length }) => length >= MIN_TEXT);
  const longest = lengths.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) return `no column beside ${chosen.column} that could be the text`;
  const text = (long.length > 0 ? long : [longest]).map(({ column }) => column);
  const group = others.find((column) => GROUP_NAME.test(column) && new Set(valuesOf(column)).size < rows.length);
  return {
    text: text.filter((column) => column !== group),
    answer: chosen.column,
    labels: chosen.labels.toSorted(),
    ...(group !== undefined ? { group } : {}),
  };
}

function rank(column: string): number {
  const at = ANSWER_NAMES.indexOf(column.toLowerCase());
  return at < 0 ? ANSWER_NAMES.length : at;
}

function meanLength(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + String(value).length, 0) / Math.max(1, values.length);
}
