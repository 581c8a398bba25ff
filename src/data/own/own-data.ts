/**
 * @file A person's own rows (formats/row-file.ts) shaped into examples, by the fields that the task names or by the file's own shape (shapes.ts).
 * Files are streamed: of a capped task only what its splits need is in memory.
 */

import { sha256 } from "../../base/digest.ts";
import { DataError, SpecError } from "../../base/errors.ts";
import { formatJson } from "../../base/json-text.ts";
import { shortList } from "../../base/short-list.ts";
import { composed } from "../../base/unicode.ts";
import { isNested } from "../../base/written-number.ts";
import type { FileRow } from "../../formats/row.ts";
import { holdsRows, namedColumns, readRows } from "../../formats/row-file.ts";
import { didYouMean } from "../../specs/nearest.ts";
import type { AnswerSpec, Split, TaskSpec } from "../../specs/types.ts";
import { type AnswerValue, answerOf, type NoAnswer, renderAnswer } from "../answers.ts";
import { Carver, type Row } from "../splits/carver.ts";
import { KeySet } from "../splits/key-set.ts";
import { asGiven, groupOfText } from "../splits/splits.ts";
import type { Example } from "../types.ts";
import { MARK_COLUMNS, rowProblem } from "./marks.ts";
import { refuseOtherLabels, strangeLabel } from "./other-labels.ts";
import { rowPrompt, textProblem } from "./row-prompt.ts";
import { dialogueOf, SHAPE_NAMES, type Shape, shapeOf } from "./shapes.ts";

type Fields = Record<string, unknown>;

/** Reasons that a note on skipped rows lists, and lines of each, before it only counts. */
const MAX_REASONS = 5;
const MAX_LINES = 3;

/**
 * Reads the files of a task and carves the splits that they lack, by the rule of splits.ts. A field that no row has is an error that names those
 * there are; a single row that cannot be used stops the load, or is counted and listed in `notes` with `on_bad_row: skip`.
 *
 * @throws {SpecError} prompt or answer missing where the files' shape is not a known one, a field that is not there, a kind of file that cannot be read
 * @throws {DataError} a row that cannot be used, a damaged or empty file
 */
export async function loadOwnData(
  spec: TaskSpec,
  notes: string[],
): Promise<{ answer: AnswerSpec; splits: Record<Split, Example[]>; numUnusable: number }> {
  const { data } = spec;
  if (data === undefined) throw incomplete(spec, "data");
  const { train, dev, test, quotes } = data;
  const shaper = shaperOf(spec, await columnsOf(train, quotes), notes);
  const carver = new Carver(spec.name, {
    test: test === undefined,
    dev: dev === undefined,
    maxTrain: spec.max_train,
  });
  if (test === undefined) {
    // The first of two passes: which groups there are. What is wrong with rows is said once, by the second.
    for await (const rows of usableRows(train, spec, shaper, [])) for (const { group } of rows) carver.count(group);
  }
  const tally = { unusable: 0 };
  for await (const rows of usableRows(train, spec, shaper, notes, tally)) for (const row of rows) carver.add(row);
  const given = async (path: string | undefined) => {
    if (path === undefined) return undefined;
    const all: Row[] = [];
    await columnsOf(path, quotes).then((columns) => refuseMissing(spec, shaper.fields, columns, path));
    for await (const rows of usableRows(path, spec, shaper, notes, tally)) for (const row of rows) all.push(row);
    return all;
  };
  const [devRows, testRows] = [await given(dev), await given(test)];
  const carved = carver.finish();
  const splits = { train: carved.train, dev: devRows ?? carved.dev ?? [], test: testRows ?? carved.test ?? [] };
  return { answer: shaper.answer, splits: asGiven(splits), numUnusable: tally.unusable };
}

/** How rows become examples. */
interface Shaper {
  answer: AnswerSpec;
  /** Fields that some row must have. */
  fields: readonly string[];
  /** Columns that are read, of files that can leave out the others; absent: all. */
  columns?: readonly string[];
  /** An example's parts, or what is wrong with the row in words. */
  row(fields: Fields): Omit<Row, "number"> | NoAnswer;
  /** Counted while rows are shaped. */
  numOfSeveralTurns: number;
  numCutShort: number;
  /** Keys of turns that nothing is done with. */
  unusedKeys: Set<string>;
  /** Whether the labels of the files have been held against the task's. */
  areLabelsSeen?: boolean;
}

function shaperOf(spec: TaskSpec, columns: readonly string[], notes: string[]): Shaper {
  const { answer } = spec;
  const isTemplate = spec.prompt !== undefined || answer?.kind === "document";
  const shape = isTemplate ? undefined : shapeOf(columns);
  if (shape !== undefined) {
    notes.push(
      `${spec.name}: rows of the ${shape.name} shape; the answer is from ${(answer ?? { field: shape.answerField }).field}.`,
    );
    const shaper = turnShaper(spec, shape);
    const read = new Set([...shaper.fields, ...shape.optional, ...MARK_COLUMNS, "id"]);
    const unused = columns.filter((name) => !read.has(name));
    if (unused.length > 0) notes.push(`${spec.name}: columns that are not used: ${shortList(unused)}.`);
    refuseMissing(spec, shaper.fields, columns, spec.data?.train ?? "");
    return shaper;
  }
  if (answer === undefined) throw incomplete(spec, "answer");
  if (!isTemplate) throw incomplete(spec, "prompt");
  const shaper = templateShaper(spec, answer);
  refuseMissing(spec, shaper.fields, columns, spec.data?.train ?? "");
  return shaper;
}

function turnShaper(spec: TaskSpec, shape: Shape): Shaper {
  const answer = spec.answer ?? { kind: "text", field: shape.answerField };
  const isOfShape = answer.field === shape.answerField;
  const shaper: Shaper = {
    answer,
    fields: [...shape.fields, answer.field, ...(spec.group === undefined ? [] : [spec.group])],
    numOfSeveralTurns: 0,
    numCutShort: 0,
    unusedKeys: new Set(),
    row(fields) {
      const refused = rowProblem(fields, shaper.fields);
      if (refused !== null) return refused;
      const turns = shape.turns(fields, shaper.unusedKeys);
      if (!Array.isArray(turns)) return turns;
      const dialogue = dialogueOf(turns);
      if ("problem" in dialogue) return { ...dialogue, problem: `${shape.answerField} ${dialogue.problem}` };
      const { prompt, turns: before, unlearned, text, numTurns, numAfter } = dialogue;
      const gold = goldOf(answer, isOfShape ? dialogue.answer : fields[answer.field]);
      if (typeof gold !== "string") return gold;
      const group = groupOf(spec, fields, text);
      if (typeof group !== "string") return group;
      if (numTurns > 2) shaper.numOfSeveralTurns++;
      if (numAfter > 0) shaper.numCutShort++;
      return { prompt, ...(before && { turns: before }), ...(unlearned && { unlearned }), answer: gold, group, text };
    },
  };
  return shaper;
}

function templateShaper(spec: TaskSpec, answer: AnswerSpec): Shaper {
  const { fields: inPrompt, write } = rowPrompt(spec.prompt ?? "", spec.fit);
  const group = spec.group === undefined ? [] : [spec.group];
  const fields = [...new Set([...inPrompt, answer.field, ...group])];
  return {
    answer,
    fields,
    columns: [...fields, "id"],
    numOfSeveralTurns: 0,
    numCutShort: 0,
    unusedKeys: new Set(),
    row(fields) {
      const written = write(fields);
      if ("problem" in written) return written;
      const gold = goldOf(answer, fields[answer.field]);
      if (typeof gold !== "string") return gold;
      const text = answer.kind === "document" ? gold : inPrompt.map((field) => String(fields[field])).join("\n");
      const own = groupOf(spec, fields, text);
      if (typeof own !== "string") return own;
      if (answer.kind === "document") return { prompt: "", answer: gold, group: own, text };
      return { ...written, answer: gold, group: own, text };
    },
  };
}

function goldOf(answer: AnswerSpec, field: unknown): string | NoAnswer {
  if (field === undefined || field === null) return { problem: `no ${answer.field}` };
  const value: AnswerValue | NoAnswer = answerOf(answer, field);
  return typeof value === "object" && "problem" in value
    ? { ...value, problem: `${answer.field} ${value.problem}` }
    : renderAnswer(value);
}

function groupOf(spec: TaskSpec, fields: Fields, text: string): string | NoAnswer {
  if (spec.group === undefined) return groupOfText(text);
  const problem = textProblem(fields[spec.group], spec.group);
  return problem === null ? composed(String(fields[spec.group])) : { problem };
}

/** Names of the fields in the first rows of a file. @throws {DataError} a file without rows */
async function columnsOf(path: string, quotes: boolean | undefined): Promise<string[]> {
  const columns = new Set(await namedColumns(path));
  if (columns.size > 0) return [...columns];
  let isBroken = false;
  for await (const rows of readRows(path, { quotes })) {
    for (const row of rows) {
      if ("error" in row) isBroken = true;
      else for (const name of Object.keys(row.fields)) columns.add(name);
    }
    if (columns.size > 0) return [...columns];
  }
  // Rows that are all broken are said one by one when they are used.
  if (isBroken) return [];
  throw new DataError({
    place: path,
    expected: "at least one row",
    got: "none",
    remedy: "Check that this is the right file.",
  });
}

function refuseMissing(spec: TaskSpec, fields: readonly string[], columns: readonly string[], path: string): void {
  const missing = fields.find((field) => !columns.includes(field));
  if (missing === undefined || columns.length === 0) return;
  throw new SpecError({
    place: `task ${spec.name}: ${path}`,
    expected: `a column "${missing}"`,
    got: shortList(columns.map((name) => `"${name}"`)),
    remedy: `${didYouMean(missing, columns)} Prompt, answer.field and group name columns; in a prompt, {{ and }} stand for braces.`,
  });
}

function incomplete(spec: TaskSpec, key: string): SpecError {
  return new SpecError({
    place: `task ${spec.name}`,
    expected: `the key ${key}, as the rows have none of the shapes known without it (${SHAPE_NAMES.join(", ")})`,
    got: "none",
    remedy: `Add ${key}: see the study file in the README, or let mixtune init propose one.`,
  });
}

/** The rows of a file that the task can use, in batches; when they are through, what was skipped and left out goes to `notes` and `tally`. */
async function* usableRows(
  path: string,
  spec: TaskSpec,
  shaper: Shaper,
  notes: string[],
  tally = { unusable: 0 },
): AsyncGenerator<Row[]> {
  const bad = new Map<string, number[]>();
  let numRespelled = 0;
  let numBad = 0;
  let numRows = 0;
  let numLeftOut = 0;
  shaper.numOfSeveralTurns = 0;
  shaper.numCutShort = 0;
  shaper.unusedKeys.clear();
  const ids = idCheck(spec, shaper);
  const swallowing: number[] = [];
  for await (const rows of readRows(path, { quotes: spec.data?.quotes, columns: shaper.columns })) {
    const good: Row[] = [];
    for (const row of rows) {
      numRows++;
      if (holdsRows(row, path)) swallowing.push(row.line);
      const shaped = shapedRow(row, shaper, ids);
      if ("strange" in shaped && shaper.answer.kind === "label" && !shaper.areLabelsSeen) {
        shaper.areLabelsSeen = true;
        await refuseOtherLabels(spec.name, shaper.answer, answerTexts(spec, shaper.answer));
      }
      if (!("problem" in shaped)) {
        good.push({ number: row.line, ...shaped });
        if (isRespelled(row, shaper.answer, shaped.answer)) numRespelled++;
      } else if (shaped.isLeftOut) numLeftOut++;
      else if (spec.on_bad_row === "skip") {
        numBad++;
        bad.set(shaped.problem, [...(bad.get(shaped.problem) ?? []), row.line]);
      } else throw unusable(row, shaped, path, shaper.answer);
    }
    yield good;
  }
  tally.unusable += numBad;
  if (numRespelled > 0)
    notes.push(
      `${path}: ${numRespelled} of ${numRows} labels differ from the task's by case or blanks, and are read as those.`,
    );
  if (swallowing.length > 0) {
    notes.push(
      `${path}: in ${swallowing.length} of ${numRows} rows, first at line ${swallowing[0]}, a cell holds tabs and line breaks. ` +
        "A quote at the beginning of a cell takes in all up to the next quote. Set data.quotes: false if quotes are characters like any other in this file.",
    );
  }
  if (numBad > 0) notes.push(`${path}: ${numBad} of ${numRows} rows skipped: ${reasonsText(bad)}.`);
  if (shaper.numOfSeveralTurns > 0) {
    notes.push(
      `${path}: ${shaper.numOfSeveralTurns} of ${numRows} conversations with several turns. The last answer that may be trained on is the answer, ` +
        "the turns before it are its prompt. train.loss_on: all_answers trains on earlier answers too.",
    );
  }
  if (numLeftOut > 0)
    notes.push(`${path}: ${numLeftOut} of ${numRows} rows left out: marked not to be trained on (weight, train).`);
  if (shaper.unusedKeys.size > 0)
    notes.push(`${path}: keys of turns that are not used: ${shortList([...shaper.unusedKeys])}.`);
  if (shaper.numCutShort > 0)
    notes.push(
      `${path}: ${shaper.numCutShort} of ${numRows} conversations with turns after that answer: they are left out.`,
    );
}

/** Why rows are skipped, the commonest reason first: `lines 4, 9 (no text)`. */
function reasonsText(bad: ReadonlyMap<string, readonly number[]>): string {
  const sorted = [...bad].sort(([, a], [, b]) => b.length - a.length);
  const shown = sorted.slice(0, MAX_REASONS).map(([problem, lines]) => {
    const all = shortList(lines.map(String), MAX_LINES);
    return `${lines.length === 1 ? "line" : "lines"} ${all} (${problem})`;
  });
  const rest = sorted.slice(MAX_REASONS).reduce((sum, [, lines]) => sum + lines.length, 0);
  return [...shown, ...(rest > 0 ? [`${rest} more for other reasons`] : [])].join("; ");
}

/** Whether a row's label is written otherwise than the task has it. */
function isRespelled(row: FileRow, { kind, field }: AnswerSpec, label: string): boolean {
  const written = kind === "label" && "fields" in row ? row.fields[field] : undefined;
  return typeof written === "string" && composed(written.trim()) !== composed(label);
}

function shapedRow(
  row: FileRow,
  shaper: Shaper,
  ids: (fields: Fields) => string | null,
): Omit<Row, "number"> | NoAnswer {
  if ("error" in row) return { problem: `expected ${row.error.expected}, got ${row.error.got}` };
  const repeated = ids(row.fields);
  return repeated === null ? shaper.row(row.fields) : { problem: repeated };
}

function unusable(row: FileRow, { problem, strange }: NoAnswer, path: string, answer: AnswerSpec): DataError {
  if ("error" in row) return row.error;
  if (strange !== undefined && answer.kind === "label") return strangeLabel(`${path}:${row.line}`, answer, strange);
  return new DataError({
    place: `${path}:${row.line}`,
    expected: "a row that the task can use",
    got: problem,
    remedy: "Fix the row, or set on_bad_row: skip to leave such rows out, counted and listed.",
  });
}

/** The answers of all files as texts, of rows that have one. */
async function* answerTexts(spec: TaskSpec, { field }: AnswerSpec): AsyncGenerator<string> {
  const { quotes, ...files } = spec.data!;
  for (const path of Object.values(files)) {
    const shaper = shaperOf({ ...spec, answer: { kind: "text", field } }, await columnsOf(path, quotes), []);
    for await (const rows of readRows(path, { quotes, columns: shaper.columns })) {
      for (const row of rows) {
        const shaped = "error" in row ? undefined : shaper.row(row.fields);
        if (shaped !== undefined && !("problem" in shaped)) yield shaped.answer;
      }
    }
  }
}

/** Complains of an `id` that an earlier row of the file has too: the file was put together wrongly, or its rows belong in groups. */
function idCheck(spec: TaskSpec, shaper: Shaper): (fields: Fields) => string | null {
  if (spec.group === "id" || shaper.fields.includes("id")) return () => null;
  const seen = new KeySet();
  return ({ id }) => {
    if (id === undefined || id === null || isNested(id)) return null;
    if (seen.add(sha256(composed(`${id}`)))) return null;
    return `id ${formatJson(id)}, which an earlier row has too (group: id keeps rows of one id together)`;
  };
}
