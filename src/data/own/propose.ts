/** @file Looks at what is in the columns of a file and proposes what a task needs: the text, the answer and its kind, the group. Pure. */

import { shortList } from "../../base/short-list.ts";
import { foldLabel } from "../answers.ts";
import { type ColumnFacts, type FileFacts, MAX_LABELS } from "./file-facts.ts";
import { shapeOf } from "./shapes.ts";

/** A proposed answer. */
export type ProposedAnswer =
  | { kind: "label"; field: string; labels: string[]; counts: number[] }
  | { kind: "spans"; field: string; types: string[] }
  | { kind: "number"; field: string; decimal?: "," }
  | { kind: "text" | "document"; field: string };

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
  "intent",
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
/** Of more labels than this each must come several times, and nearly all more than once: free answers repeat too. */
const FEW_LABELS = 50;
const ROWS_OF_A_LABEL = 5;
const MOST_SINGLE = 0.1;
/** Where a smaller share of the rows repeats another's group, the column counts rows. */
const MIN_REPEATED = 0.1;
/** Fewer values differ by chance. */
const MIN_CODES = 20;
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

/** What the rows suggest, or the reason why nothing can be suggested. @param wanted  the column of the answer, where a person says it */
export function proposeTask(
  facts: FileFacts,
  { answer: wanted }: { answer?: string | undefined } = {},
): Proposal | string {
  const columns = [...facts.columns]
    .map(([name, column]): Column => ({ name, ...column }))
    .filter(({ num }) => num > 0);
  const { numRows } = facts;
  const group = groupIn(
    columns.filter(({ name }) => name !== wanted),
    numRows,
  );
  const isLeftAside = (column: Column) => ![group?.field, wanted].includes(column.name) && isId(column, numRows);
  const ids = columns.filter(isLeftAside);
  const remarks = ids.map(({ name }) => `${name} is different in every row and left aside`);
  const common = { remarks, ...(group !== undefined ? { group } : {}) };
  const shape = shapeOf(columns.map(({ name }) => name));
  if (shape !== undefined && wanted === undefined) {
    const answer = columns.find(({ name }) => name === shape.answerField) as Column;
    const isLabel = answer.numNested === 0 && isLabels(answer, numRows) && !isMeasured(answer);
    if (!isLabel) return { shape: shape.name, text: [], ...common };
    return {
      shape: shape.name,
      text: [],
      answer: labelsOf(answer),
      ...common,
      remarks: [...remarks, ...labelRemarks(answer)],
    };
  }
  const usable = columns.filter(
    (column) => /^[^{}\n]+$/.test(column.name) && !ids.includes(column) && column.name !== group?.field,
  );
  const answer = answerIn(
    wanted === undefined ? usable : usable.filter(({ name }) => name === wanted),
    numRows,
    wanted,
  );
  if (wanted !== undefined && answer === undefined) return `no answers in ${wanted}`;
  const isText = ({ name, numNested }: Column) => numNested === 0 && name !== answer?.field;
  const found = textIn(usable.filter(isText));
  const text = found.length > 0 ? found : textIn(ids.filter(isText));
  if (answer === undefined) return documentIn(text, columns.length - ids.length, common);
  const last = text.toSorted((a, b) => b.maxLength - a.maxLength)[0];
  if (last === undefined) return `no column beside ${answer.field} that could be the text`;
  const column = columns.find(({ name }) => name === answer.field) as Column;
  const said = answer.kind === "label" ? labelRemarks(column) : answer.kind === "text" ? textRemarks(column) : [];
  return {
    text: text.map(({ name }) => name),
    answer,
    longest: last.name,
    ...common,
    remarks: [...remarks, ...said],
  };
}

/** A usual name wins; then labels, spans, and of labels the fewest. A column of free text or numbers needs a usual name. */
function answerIn(columns: readonly Column[], numRows: number, wanted?: string): ProposedAnswer | undefined {
  const candidates = columns.flatMap(
    (column): { column: Column; answer: ProposedAnswer; rank: number; order: number }[] => {
      const { name: field, num, numSpans, numNested, values } = column;
      const rank = rankOf(field);
      const isNamed = rank < ANSWER_NAMES.length || field === wanted;
      if (!isFull(column, numRows) && !isNamed) return [];
      if (numSpans === num && column.types.size > 0 && column.types.size <= MAX_LABELS)
        return [
          { column, answer: { kind: "spans", field, types: [...column.types].sort() }, rank, order: MAX_LABELS + 1 },
        ];
      if (numNested > 0) return [];
      if (isLabels(column, numRows) && !isMeasured(column))
        return [{ column, answer: labelsOf(column), rank, order: values?.size ?? 0 }];
      if (!isNamed) return [];
      const answer: ProposedAnswer = isNumbers(column)
        ? { kind: "number", field, ...(column.numWithComma > 0 && { decimal: "," as const }) }
        : { kind: "text", field };
      return [{ column, answer, rank, order: MAX_LABELS + 2 }];
    },
  );
  const numMissing = ({ column }: { column: Column }) => numRows - column.num;
  return candidates.sort((a, b) => a.rank - b.rank || numMissing(a) - numMissing(b) || a.order - b.order)[0]?.answer;
}

/** Different values that on average come at least twice, or several times where they are many; but for a few rows in every row. */
function isLabels(column: Column, numRows: number): boolean {
  const { values, num } = column;
  if (values === null || !isFull(column, numRows) || byFold(values).size < 2) return false;
  if (values.size <= FEW_LABELS) return values.size * 2 <= num;
  const numSingle = [...values.values()].filter((count) => count === 1).length;
  return values.size * ROWS_OF_A_LABEL <= num && numSingle <= MOST_SINGLE * values.size;
}

/** Whether rows without a value are few enough to be left out. */
function isFull({ num }: ColumnFacts, numRows: number): boolean {
  return num >= MOST_ROWS * numRows;
}

/** Numbers that are counted or measured rather than codes of classes. */
function isMeasured(column: Column): boolean {
  const { num, numWhole, values } = column;
  return isNumbers(column) && (numWhole < num || (values?.size ?? Number.POSITIVE_INFINITY) > MAX_NUMERIC_LABELS);
}

/** Written with a point or a comma for decimals. */
function isNumbers({ num, numNumbers, numWithComma }: Column): boolean {
  return numNumbers + numWithComma === num;
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

/** What is said of labels with several spellings, and of labels that say nothing. */
function labelRemarks(column: Column): string[] {
  const { name, values } = column;
  const codes = isNumbers(column)
    ? [
        `${name} has codes for labels: say in the prompt what each means (0 = negative, …), or write names into the file; names teach a model more`,
      ]
    : [];
  const respelled = [...byFold(values).values()].flatMap(([[label], ...others]) =>
    others.length === 0
      ? []
      : `${name}: ${shortList(others.map(([other, count]) => `${JSON.stringify(other)} (${count} rows)`))} differ from ${JSON.stringify(label)} by case or blanks only and are read as it`,
  );
  return [...codes, ...respelled];
}

/** What is said of answers that come again and are no labels all the same. */
function textRemarks({ name, num, distinct }: Column): string[] {
  return distinct.size * 2 > num
    ? []
    : [`${name} has ${distinct.size} different answers in ${num} rows and is read as free text, not as labels`];
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
  const long = full.filter((column) => meanLength(column) >= MIN_TEXT && !isNumbers(column));
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
    return `no column with 2 to ${MAX_LABELS} different values that come again and again, none named like an answer, and no long text`;
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
      facts.numRepeated >= MIN_REPEATED * numRows,
  );
  if (column === undefined) return undefined;
  return {
    field: column.name,
    reason: `${column.distinct.size} different in ${numRows} rows: rows of one stay in one split`,
  };
}

/** Different in every row of its file, or nearly, and named like an id or nothing but numbers or codes, whatever its name. */
function isId({ name, numRepeated, num, numNested, numWhole, numCodes }: Column, numRows: number): boolean {
  if (numNested > 0 || num < numRows) return false;
  if (ID_NAME.test(name)) return numRepeated < MIN_REPEATED * numRows;
  return (
    numRepeated === 0 &&
    num >= MIN_CODES &&
    (numWhole === num || numCodes === num) &&
    !ANSWER_NAMES.includes(name.toLowerCase())
  );
}

function rankOf(name: string): number {
  const at = ANSWER_NAMES.indexOf(name.toLowerCase());
  return at < 0 ? ANSWER_NAMES.length : at;
}

function meanLength({ sumLength, num }: ColumnFacts): number {
  return sumLength / num;
}
