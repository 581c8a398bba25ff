/** @file Looks at what is in the columns of a file and proposes what a task needs: the text, the answer and its kind, the group. Pure. */

import { type ColumnFacts, type FileFacts, MAX_LABELS } from "./file-facts.ts";
import { shapeOf } from "./shapes.ts";

/** A proposed answer. */
export type ProposedAnswer =
  | { kind: "label"; field: string; labels: string[]; counts: number[] }
  | { kind: "spans"; field: string; types: string[] }
  | { kind: "text" | "number" | "document"; field: string };

/** A proposed task. */
export interface Proposal {
  /** Name of a shape that is known without a prompt. */
  shape?: string;
  /** Fields of the prompt in the file's order; none for a known shape and for documents. */
  text: string[];
  /** Absent: as the shape has it. */
  answer?: ProposedAnswer;
  group?: { field: string; reason: string };
  /** The longest prompt in characters, about, and the field that is longest in it. */
  longest: { characters: number; field?: string };
  /** Sentences on columns that are left aside. */
  remarks: string[];
}

type Column = ColumnFacts & { name: string };

/** Names that usually hold the answer, the likeliest first. */
const ANSWER_NAMES = [
  "label",
  "labels",
  "answer",
  "target",
  "class",
  "category",
  "sentiment",
  "gold",
  "y",
  "output",
  "response",
  "completion",
  "entities",
  "spans",
  "summary",
  "score",
  "rating",
];
/** Whole numbers with more different values than this are counted or measured, not labels. */
const MAX_NUMERIC_LABELS = 20;
/** A column shorter than this, on average in characters, is no text. */
const MIN_TEXT = 12;
/** A lone text column of this mean length in characters is a document, whatever its name. */
const MIN_DOCUMENT = 200;
const DOCUMENT_NAME = /^(text|content|body|document|article|passage|raw_content)$/i;
const GROUP_NAME =
  /(^|_)(group|customer|client|user|doc|document|thread|author|conversation|session|article|page|report|case|patient|account)(_?id)?$/i;
const ID_NAME = /^(id|_id|uuid|guid|index|idx|row_?id|unnamed: ?\d+)$/i;

/** What the rows suggest, or the reason why nothing can be suggested. */
export function proposeTask(facts: FileFacts): Proposal | string {
  const columns = [...facts.columns]
    .map(([name, column]): Column => ({ name, ...column }))
    .filter(({ num }) => num > 0);
  const { numRows } = facts;
  const group = groupIn(columns, numRows);
  const ids = columns.filter((column) => ID_NAME.test(column.name) && isDifferentInEveryRow(column, numRows));
  const remarks = ids.map(({ name }) => `${name} is different in every row and left aside`);
  const common = { remarks, ...(group !== undefined ? { group } : {}) };
  const shape = shapeOf(columns.map(({ name }) => name));
  if (shape !== undefined) {
    const answer = columns.find(({ name }) => name === shape.answerField) as Column;
    const plain = shape.fields.map((field) => columns.find(({ name }) => name === field)?.maxLength ?? 0);
    const longest = { characters: plain.reduce((sum, length) => sum + length, 0) };
    const isLabel = answer.numNested === 0 && isLabels(answer, numRows) && !isMeasured(answer);
    return { shape: shape.name, text: [], ...(isLabel ? { answer: labelsOf(answer) } : {}), longest, ...common };
  }
  const usable = columns.filter(
    (column) => /^[^{}\n]+$/.test(column.name) && !ids.includes(column) && column.name !== group?.field,
  );
  const answer = answerIn(usable, numRows);
  const text = textIn(usable.filter(({ name, numNested }) => numNested === 0 && name !== answer?.field));
  if (answer === undefined) return documentIn(text, columns.length - ids.length, common);
  const last = text.toSorted((a, b) => b.maxLength - a.maxLength)[0];
  if (last === undefined) return `no column beside ${answer.field} that could be the text`;
  return {
    text: text.map(({ name }) => name),
    answer,
    longest: { characters: text.reduce((sum, { maxLength }) => sum + maxLength, 0), field: last.name },
    ...common,
  };
}

/** A usual name wins; then labels, spans, and of labels the fewest. A column of free text or numbers needs a usual name. */
function answerIn(columns: readonly Column[], numRows: number): ProposedAnswer | undefined {
  const candidates = columns.flatMap(
    (column): { column: Column; answer: ProposedAnswer; rank: number; order: number }[] => {
      const { name: field, num, numSpans, numNested, values } = column;
      const rank = rankOf(field);
      const isNamed = rank < ANSWER_NAMES.length;
      if (num < numRows && numRows > 0 && !isNamed) return [];
      if (numSpans === num && column.types.size > 0 && column.types.size <= MAX_LABELS)
        return [
          { column, answer: { kind: "spans", field, types: [...column.types].sort() }, rank, order: MAX_LABELS + 1 },
        ];
      if (numNested > 0) return [];
      if (isLabels(column, numRows) && !isMeasured(column))
        return [{ column, answer: labelsOf(column), rank, order: values?.size ?? 0 }];
      if (!isNamed) return [];
      const kind = column.numNumbers === num ? "number" : "text";
      return [{ column, answer: { kind, field }, rank, order: MAX_LABELS + 2 }];
    },
  );
  return candidates.sort((a, b) => a.rank - b.rank || a.order - b.order)[0]?.answer;
}

/** 2 to 50 different values that on average come at least twice, in every row. */
function isLabels({ values, num }: Column, numRows: number): boolean {
  return values !== null && num === numRows && values.size >= 2 && values.size * 2 <= num;
}

/** Numbers that are counted or measured rather than codes of classes. */
function isMeasured({ num, numNumbers, numWhole, values }: Column): boolean {
  return numNumbers === num && (numWhole < num || (values?.size ?? Number.POSITIVE_INFINITY) > MAX_NUMERIC_LABELS);
}

function labelsOf({ name, values }: Column): ProposedAnswer {
  const sorted = [...(values ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    kind: "label",
    field: name,
    labels: sorted.map(([label]) => label),
    counts: sorted.map(([, count]) => count),
  };
}

/** Columns with long values; the longest alone if none is long. Only columns that every row has something in. */
function textIn(columns: readonly Column[]): Column[] {
  const most = Math.max(0, ...columns.map(({ num }) => num));
  const full = columns.filter(({ num }) => num === most);
  const long = full.filter((column) => meanLength(column) >= MIN_TEXT && column.numNumbers < column.num);
  const longest = full.toSorted((a, b) => meanLength(b) - meanLength(a))[0];
  return long.length > 0 || longest === undefined ? long : [longest];
}

function documentIn(
  text: readonly Column[],
  numColumns: number,
  common: Pick<Proposal, "group" | "remarks">,
): Proposal | string {
  const [only] = text.toSorted((a, b) => b.sumLength - a.sumLength);
  const isDocument = only && (meanLength(only) >= MIN_DOCUMENT || (numColumns === 1 && DOCUMENT_NAME.test(only.name)));
  if (!isDocument) {
    return `no column with 2 to ${MAX_LABELS} different values that each come at least twice, none named like an answer, and no long text`;
  }
  return {
    text: [],
    answer: { kind: "document", field: only.name },
    longest: { characters: only.maxLength },
    ...common,
  };
}

function groupIn(columns: readonly Column[], numRows: number): Proposal["group"] {
  const column = columns.find(
    (facts) =>
      (GROUP_NAME.test(facts.name) || ID_NAME.test(facts.name)) &&
      facts.num === numRows &&
      facts.numNested === 0 &&
      facts.distinct.size > 2 &&
      facts.distinct.size < numRows,
  );
  if (column === undefined) return undefined;
  return {
    field: column.name,
    reason: `${column.distinct.size} different in ${numRows} rows: rows of one stay in one split`,
  };
}

function isDifferentInEveryRow({ distinct, num, numNested }: Column, numRows: number): boolean {
  return numNested === 0 && num === numRows && distinct.size === numRows;
}

function rankOf(name: string): number {
  const at = ANSWER_NAMES.indexOf(name.toLowerCase());
  return at < 0 ? ANSWER_NAMES.length : at;
}

function meanLength({ sumLength, num }: ColumnFacts): number {
  return sumLength / num;
}
