/**
 * @file What a task's data must be like, and what is worth knowing before hours are spent on it: counts against published ones, label maps, repeats,
 * contradictions, answers that say nothing, lengths under a model's tokenizer. Facts and findings as plain records; printing is not here.
 */

import { type ErrorDetail, MixtuneError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";
import { composed } from "../../base/unicode.ts";
import type { Split } from "../../specs/types.ts";
import { parseAnswer, renderAnswer } from "../answers.ts";
import { sortedByPrompt } from "../batches/layout.ts";
import type { PublishedRows } from "../readers/definition.ts";
import type { PromptTemplate } from "../tokens/chat-template.ts";
import { cutDocument } from "../tokens/documents.ts";
import { lengthLimits, roomNotes, tokenizeToFit } from "../tokens/prepare.ts";
import type { Tokenizer } from "../tokens/tokenizers.ts";
import type { Example, LoadedTask } from "../types.ts";

/** A contract that is broken, which no run would accept or whose numbers would mean something else; or a warning. */
export interface Finding {
  severity: "broken" | "warning";
  place: string;
  expected: string;
  got: string;
  remedy: string;
}

/** What a split holds, whatever the model. Names as in the JSON that is printed. */
export interface SplitFacts {
  split: Split;
  rows: number;
  groups: number;
  /** Rows of each label, in label order; absent for other answers. */
  labels?: Record<string, number>;
  /** Rows whose prompt and answer another row has too, the first of each not counted. */
  repeated: number;
  /** Rows whose prompt stands elsewhere in the split with another answer. */
  contradicting: number;
  empty_answers: number;
  /** Rows whose answer, read back as a model's would be, is not the same: their ids. */
  unreadable: string[];
  /** The best that one answer for everything reaches. */
  constant?: { answer: string; accuracy: number; metric: string; value: number };
}

/** What a split comes to under a model's tokenizer and template. */
export interface TokenFacts {
  split: Split;
  /** Of all examples, fitted ones as they are trained on. */
  tokens: number;
  /** Of a prompt with its template, before any shortening; absent for documents. */
  prompt?: Quantiles;
  /** Of prompt, answer and end-of-turn token. */
  example: Quantiles;
  cutoff_len: number;
  /** Examples longer than cutoff_len before any shortening, and those still so after it. */
  over: number;
  too_long: string[];
  /** Examples that cannot be written as tokens though they have an answer, and why the first cannot. */
  refused: string[];
  refusal?: { expected: string; got: string; remedy: string };
  /** Shortened by the task's fit, and the tokens that were left out. */
  fitted: { rows: number; tokens: number };
  /** Windows that documents are cut into. */
  windows?: number;
  /**
   * What packing can lay once: tokens that all prompts begin with, and the share of all prompt tokens that repeat the beginning of the prompt
   * next in order. Absent for documents.
   */
  prefix?: { common: number; share: number };
  /** Sentences on the room that a model has for answers. */
  notes: string[];
}

export interface Quantiles {
  min: number;
  median: number;
  p95: number;
  max: number;
}

export interface FactsOptions {
  /** Value of the task's metric when `answer` is given to every example; NaN where there is none. */
  scoreConstant(examples: readonly Example[], answer: string): number;
}

/** Facts of a split that is not empty. */
export function splitFacts(task: LoadedTask, split: Split, { scoreConstant }: FactsOptions): SplitFacts {
  const { answer } = task;
  const examples = task.splits[split];
  const isDocument = answer.kind === "document";
  const prompts = new Map<string, Set<string>>();
  let repeated = 0;
  for (const example of examples) {
    const key = composed(isDocument ? example.answer : example.prompt);
    const said = composed(example.answer);
    const answers = prompts.get(key) ?? new Set();
    if (answers.has(said)) repeated++;
    prompts.set(key, answers.add(said));
  }
  const isContradicted = ({ prompt }: Example) => !isDocument && (prompts.get(composed(prompt))?.size ?? 0) > 1;
  const constant = isDocument ? undefined : bestConstant(task, examples, scoreConstant);
  return {
    split,
    rows: examples.length,
    groups: new Set(examples.map(({ group }) => group)).size,
    ...(answer.kind === "label" && { labels: labelCounts(examples, answer.labels) }),
    repeated,
    contradicting: examples.filter(isContradicted).length,
    empty_answers: examples.filter((example) => example.answer.trim() === "").length,
    unreadable: examples.filter((example) => !readsBack(task, example.answer)).map(({ id }) => id),
    ...(constant && { constant }),
  };
}

/** Rows of each label; labels that no row has are 0, answers that are no label come last under their own name. */
function labelCounts(examples: readonly Example[], labels: readonly string[]): Record<string, number> {
  const counts = new Map(labels.map((label) => [label, 0]));
  for (const { answer } of examples) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Whether an answer is its own canonical text: what is trained on is what scoring reads. */
function readsBack({ answer }: LoadedTask, text: string): boolean {
  const value = parseAnswer(answer, text);
  if (value === undefined) return false;
  // note: a number may be written another way than we would (0.10, 1,234); it must only be one.
  return answer.kind === "number" || renderAnswer(value) === text;
}

function bestConstant(
  { answer, metric }: LoadedTask,
  examples: readonly Example[],
  score: FactsOptions["scoreConstant"],
): SplitFacts["constant"] {
  const counts = Object.entries(labelCounts(examples, []));
  const [most, rows] = counts.reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0]);
  const accuracy = rows / examples.length;
  if (answer.kind !== "label") return { answer: most, accuracy, metric: "accuracy", value: accuracy };
  const best = counts
    .map(([label]) => ({ answer: label, value: score(examples, label) }))
    .reduce((a, b) => (b.value > a.value ? b : a));
  return { answer: best.answer, accuracy, metric, value: best.value };
}

/** Tokenises a split that is not empty. An example without an answer counts elsewhere and is passed over here. */
export function tokenFacts(
  task: LoadedTask,
  split: Split,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  cutoffLen: number,
  positions?: number,
): TokenFacts {
  const limitOf = lengthLimits(task, template, { cutoffLen, ...(positions !== undefined && { positions }) });
  const isDocument = task.answer.kind === "document";
  const promptLengths: number[] = [];
  const lengths: number[] = [];
  const prompts: { prompt: Int32Array }[] = [];
  const too_long: string[] = [];
  const refused: string[] = [];
  let refusal: TokenFacts["refusal"];
  const facts = { tokens: 0, over: 0, too_long, refused, fitted: { rows: 0, tokens: 0 }, windows: 0 };
  for (const row of task.splits[split]) {
    const limit = limitOf(row, split);
    const tokenized = tokenizedUnlessRefused(row, task, tokenizer, template, limit);
    if (tokenized instanceof MixtuneError) {
      if (row.answer.trim() === "") continue;
      refused.push(row.id);
      const { expected, got, remedy } = tokenized;
      refusal ??= { expected, got, remedy };
      continue;
    }
    const { whole, tokensLost } = tokenized;
    const length = whole.prompt.length + whole.answer.length;
    facts.tokens += length;
    lengths.push(length + tokensLost);
    promptLengths.push(whole.prompt.length + tokensLost);
    prompts.push({ prompt: whole.prompt });
    if (length + tokensLost > cutoffLen) facts.over++;
    if (tokensLost > 0) {
      facts.fitted.rows++;
      facts.fitted.tokens += tokensLost;
    }
    if (isDocument) facts.windows += cutDocument(whole, limit).length;
    else if (length > limit) facts.too_long.push(row.id);
  }
  const { windows, ...rest } = facts;
  const notes = roomNotes(task, split, prompts, positions);
  const common = {
    split,
    cutoff_len: cutoffLen,
    ...rest,
    ...(refusal && { refusal }),
    example: quantiles(lengths),
    notes,
  };
  if (isDocument) return { ...common, windows };
  return { ...common, prompt: quantiles(promptLengths), prefix: sharedPrefix(prompts) };
}

/** The error of a row that a run would refuse. */
function tokenizedUnlessRefused(
  row: Example,
  task: LoadedTask,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  cutoffLen: number,
): ReturnType<typeof tokenizeToFit> | MixtuneError {
  try {
    return tokenizeToFit(row, task, tokenizer, template, cutoffLen);
  } catch (error) {
    if (error instanceof MixtuneError) return error;
    throw error;
  }
}

/** Nearest-rank quantiles. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { min: at(0), median: at(0.5), p95: at(0.95), max: at(1) };
}

function sharedPrefix(prompts: readonly { prompt: Int32Array }[]): { common: number; share: number } {
  const { common } = sortedByPrompt(prompts);
  const all = prompts.reduce((sum, { prompt }) => sum + prompt.length, 0);
  const shared = common.reduce((sum, length) => sum + length, 0);
  const least = prompts.length < 2 ? 0 : common.subarray(1).reduce((min, length) => Math.min(min, length));
  return { common: least, share: all === 0 ? 0 : shared / all };
}

/** Above this share of one answer, a model that learned nothing looks good. */
const MOSTLY_ONE = 0.9;

/** What the facts of a task's split say against it. */
export function findingsOf(task: LoadedTask, facts: SplitFacts): Finding[] {
  const { split, rows, labels, repeated, contradicting, empty_answers, unreadable, constant } = facts;
  const place = `${task.name}/${split}`;
  const found: Finding[] = [];
  if (empty_answers > 0) {
    found.push({
      severity: "broken",
      place,
      expected: "an answer in every row",
      got: `${empty_answers} of ${rows} rows with an empty one`,
      remedy: "Fill them in, remove the rows, or set on_bad_row: skip.",
    });
  }
  if (unreadable.length > 0) {
    found.push({
      severity: "broken",
      place: `${place}: ${listed(unreadable)}`,
      expected: `answers that read back as answers of kind ${task.answer.kind}`,
      got: `${unreadable.length} of ${rows} that do not`,
      remedy: "Fix these rows: an answer that cannot be read is counted as wrong whatever a model says.",
    });
  }
  const unseen = Object.entries(labels ?? {}).filter(([, n]) => n === 0);
  if (unseen.length > 0) {
    found.push({
      severity: "warning",
      place,
      expected: "rows of every label",
      got: `none of ${shortList(unseen.map(([label]) => label))}`,
      remedy:
        split === "train" ? "A label that is never trained on is hardly ever given." : "Scores say nothing about it.",
    });
  }
  if (contradicting > 0) {
    found.push({
      severity: "warning",
      place,
      expected: "one answer to a prompt",
      got: `${contradicting} of ${rows} rows whose prompt has another answer elsewhere`,
      remedy: "Look at these rows: no model can answer all of them.",
    });
  }
  if (repeated / rows > 0.01) {
    found.push({
      severity: "warning",
      place,
      expected: "few repeated rows",
      got: `${repeated} of ${rows} rows repeat another's prompt and answer`,
      remedy:
        split === "train" ? "They weigh more than other rows." : "They are counted more than once in every score.",
    });
  }
  if (constant !== undefined && constant.accuracy > MOSTLY_ONE) {
    found.push({
      severity: "warning",
      place,
      expected: `at most ${100 * MOSTLY_ONE} % of one answer`,
      got: `${(100 * constant.accuracy).toFixed(1)} % "${constant.answer}"`,
      remedy: "Read macro_f1 or mcc beside accuracy: always giving this answer scores as much.",
    });
  }
  return found;
}

/**
 * What tokens say against a task.
 * @param isSkipped  on_bad_row: skip leaves such rows out, counted
 * @param model      its name, and the tokens that it reads
 */
export function tokenFindings(
  task: LoadedTask,
  facts: TokenFacts,
  isSkipped: boolean,
  model?: { name: string; positions: number },
): Finding[] {
  const { split, too_long, refused, refusal, cutoff_len, example } = facts;
  const isOfModel = model !== undefined && model.positions <= cutoff_len;
  const severity = isSkipped ? "warning" : "broken";
  const found: Finding[] = [];
  if (too_long.length > 0) {
    found.push({
      severity,
      place: `${task.name}/${split}: ${listed(too_long)}`,
      expected: isOfModel
        ? `examples of at most ${model.positions} tokens, which is what ${model.name} reads`
        : `examples of at most ${cutoff_len} tokens (train.cutoff_len)`,
      got: `${too_long.length} longer ones, the longest ${example.max} tokens`,
      remedy: `${isOfModel ? "Take a model that reads more" : "Raise train.cutoff_len"}, declare a fit for the task, or set on_bad_row: skip.`,
    });
  }
  if (refusal !== undefined) {
    const place = `${task.name}/${split}: ${listed(refused)}`;
    found.push({ severity, place, ...refusal, got: `${refused.length} rows without: ${refusal.got}` });
  }
  return found;
}

/** A split of own data of which on_bad_row: skip leaves nothing. */
export function nothingLeft(task: string, split: Split): Omit<Finding, "severity"> {
  return {
    place: `${task}/${split}`,
    expected: "at least one row that can be used",
    got: "none: all are skipped",
    remedy: "Look at the file, the columns and the lengths: on_bad_row: skip leaves out every row.",
  };
}

/**
 * What a publication says of its splits, against what was loaded: dev and test exactly; train at most, as dev is carved from it and rows with
 * held-out texts are left out.
 */
export function publishedFindings(task: LoadedTask, published: PublishedRows): Finding[] {
  return (Object.keys(published) as Split[]).flatMap((split): Finding[] => {
    const rows = published[split]!;
    const examples = task.splits[split];
    const expected = typeof rows === "number" ? { rows } : rows;
    const got: Record<string, number> =
      typeof rows === "number" ? { rows: examples.length } : labelCounts(examples, Object.keys(rows));
    const isFew = (n: number, most: number) => (split === "train" ? n <= most : n === most);
    if (examples.length === 0 || Object.entries(got).every(([name, n]) => isFew(n, expected[name] ?? 0))) return [];
    return [
      {
        severity: "broken",
        place: `${task.name}/${split}`,
        expected: `${split === "train" ? "at most " : ""}${counted(expected)}, as published`,
        got: counted(got),
        remedy: isSwapped(got, expected)
          ? "The labels look swapped: take the label map of the original publication, and fetch the file again."
          : "Fetch the whole file again, and check the label map.",
      },
    ];
  });
}

/**
 * Own labels that contradict a publication whose counts they have: a copy of its rows with its labels mapped wrongly.
 * @param known  name and published rows of tasks of the catalogue
 */
export function mislabelledCopies(
  task: LoadedTask,
  known: readonly { name: string; published: PublishedRows }[],
): Finding[] {
  if (task.answer.kind !== "label") return [];
  const { train, dev, test } = task.splits;
  const parts = {
    train,
    dev,
    test,
    "train + dev": [...train, ...dev],
    "train + dev + test": [...train, ...dev, ...test],
  };
  const found: Finding[] = [];
  for (const [part, examples] of Object.entries(parts)) {
    const own = labelCounts(examples, []);
    for (const { name, published } of known) {
      for (const [split, rows] of Object.entries(published)) {
        if (typeof rows === "number" || examples.length < MIN_RECOGNISED || !isSwapped(own, rows)) continue;
        const shared = Object.keys(own).filter((label) => countOf(rows, label) !== undefined);
        const wrong = shared.filter((label) => countOf(rows, label) !== own[label]);
        if (wrong.length === 0) continue;
        found.push({
          severity: "broken",
          place: `${task.name}/${part}`,
          expected: `${counted(rows)}, as ${name} has its ${split} split published`,
          got: counted(own),
          remedy: `These are its counts under other labels: check the label map (${wrong.join(", ")}).`,
        });
      }
    }
  }
  return found;
}

/** Fewer rows have the same counts as another set by chance. */
const MIN_RECOGNISED = 200;

/** The same counts, but not of the same labels. */
function isSwapped(got: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): boolean {
  const sorted = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts)
      .filter((n) => n > 0)
      .sort((a, b) => a - b)
      .join();
  return Object.keys(expected).length > 1 && sorted(got) === sorted(expected);
}

function countOf(rows: Readonly<Record<string, number>>, label: string): number | undefined {
  const name = Object.keys(rows).find((known) => known.toLowerCase() === label.toLowerCase());
  return name === undefined ? undefined : rows[name];
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${n} ${name}`)
    .join(", ");
}

/** An error of loading as a finding. */
export function brokenBy({ place, expected, got, remedy }: Omit<ErrorDetail, "cause">): Finding {
  return { severity: "broken", place, expected, got, remedy };
}

const MAX_LISTED = 5;

function listed(ids: readonly string[]): string {
  return shortList(ids, MAX_LISTED);
}
