/** @file Looks at what is in the columns of a file and proposes what a task needs: the text, the answer and its kind, the group. Pure. */

import { foldLabel } from "../answers.ts";
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
  /** Field of the prompt with the longest value. */
  longest?: string;
  /** Sentences on columns that are left aside, and on labels that are read as one. */
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
/** Share of the rows that must have a value: the others are left out. */
const MOST_ROWS = 0.9;
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
    const isLabel = answer.numNested === 0 && isLabels(answer, numRows) && !isMeasured(answer);
    if (!isLabel) return { shape: shape.name, text: [], ...common };
    return {
      shape: shape.name,
      text: [],
      answer: labelsOf(answer),
      ...common,
      remarks: [...remarks, ...respelled(answer)],
    };
  }
  const usable = columns.filter(
    (column) => /^[^{}\n]+$/.test(column.name) && !ids.includes(column) && column.name !== group?.field,
  );
  const answer = answerIn(usable, numRows);
  const text = textIn(usable.filter(({ name, numNested }) => numNested === 0 && name !== answer?.field));
  if (answer === undefined) return documentIn(text, columns.length - ids.length, common);
  const last = text.toSorted((a, b) => b.maxLength - a.maxLength)[0];
  if (last === undefined) return `no column beside ${answer.field} that could be the text`;
  const spelled = answer.kind === "label" ? respelled(columns.find(({ name }) => name === answer.field) as Column) : [];
  return {
    text: text.map(({ name }) => name),
    answer,
    longest: last.name,
    ...common,
    remarks: [...remarks, ...spelled],
  };
}

/** A usual name wins; then labels, spans, and of labels the fewest. A column of free text or numbers needs a usual name. */
function answerIn(columns: readonly Column[], numRows: number): ProposedAnswer | undefined {
  const candidates = columns.flatMap(
    (column): { column: Column; answer: ProposedAnswer; rank: number; order: number }[] => {
      const { name: field, num, numSpans, numNested, values } = column;
      const rank = rankOf(field);
      const isNamed = rank < ANSWER_NAMES.length;
      if (!isFull(column, numRows) && !isNamed) return [];
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
  const numMissing = ({ column }: { column: Column }) => numRows - column.num;
  return candidates.sort((a, b) => a.rank - b.rank || numMissing(a) - numMissing(b) || a.order - b.order)[0]?.answer;
}

/** 2 to 50 different values that on average come at least twice, but for a few rows in every row. */
function isLabels(column: Column, numRows: number): boolean {
  const { values, num } = column;
  return values !== null && isFull(column, numRows) && byFold(values).size >= 2 && values.size * 2 <= num;
}

/** Whether rows without a value are few enough to be left out. */
function isFull({ num }: ColumnFacts, numRows: number): boolean {
  return num >= MOST_ROWS * numRows;
}

/** Numbers that are counted or measured rather than codes of classes. */
function isMeasured({ num, numNumbers, numWhole, values }: Column): boolean {
  return numNumbers === num && (numWhole < num || (values?.size ?? Number.POSITIVE_INFINITY) > MAX_NUMERIC_LABELS);
}

/** Spellings that differ by case or blanks only are one label, as the commonest of them has it. */
function labelsOf({ name, values }: Column): ProposedAnswer {
  const labels = [...byFold(values).values()].map((spellings) => ({
    label: spellings[0]![0],
    count: spellings.reduce((sum, [, count]) => sum + count, 0),
  }));
  const sorted = labels.sort((a, b) => (a.label < b.label ? -1 : 1));
  return {
    kind: "label",
    field: name,
    labels: sorted.map(({ label }) => label),
    counts: sorted.map(({ count }) => count),
  };
}

/** What is said of labels with several spellings. */
function respelled({ name, values }: Column): string[] {
  return [...byFold(values).values()].flatMap(([[label], ...others]) =>
    others.length === 0
      ? []
      : `${name}: ${others.map(([other, count]) => `${JSON.stringify(other)} (${count} rows)`).join(", ")} differ from ${JSON.stringify(label)} by case or blanks only and are read as it`,
  );
}

type Spellings = [[spelling: string, count: number], ...[string, number][]];

/** Values and their rows by what they are without case and blanks, the commonest spelling first. */
function byFold(values: ColumnFacts["values"]): Map<string, Spellings> {
  const folded = new Map<string, Spellings>();
  for (const value of [...(values ?? [])].sort(([, a], [, b]) => b - a)) {
    const known = folded.get(foldLabel(value[0]));
    if (known === undefined) folded.set(foldLabel(value[0]), [value]);
    else known.push(value);
  }
  return folded;
}

/** Columns with long values; the longest alone if none is long. Only columns that all but a few rows have something in. */
function textIn(columns: readonly Column[]): Column[] {
  const most = Math.max(0, ...columns.map(({ num }) => num));
  const full = columns.filter((column) => isFull(column, most));
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
      facts.numRepeated > 0,
  );
  if (column === undefined) return undefined;
  return {
    field: column.name,
    reason: `${column.distinct.size} different in ${numRows} rows: rows of one stay in one split`,
  };
}

/** Of its file. */
function isDifferentInEveryRow({ numRepeated, num, numNested }: Column, numRows: number): boolean {
  return numNested === 0 && num === numRows && numRepeated === 0;
}

function rankOf(name: string): number {
  const at = ANSWER_NAMES.indexOf(name.toLowerCase());
  return at < 0 ? ANSWER_NAMES.length : at;
}

function meanLength({ sumLength, num }: ColumnFacts): number {
  return sumLength / num;
}
