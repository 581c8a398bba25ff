/** @file A loaded task for one tokenizer and template: token ids, lengths and digests of each split, made when first asked for and kept. */

import { digestOf, sha256 } from "../../base/digest.ts";
import { DataError, type MixtuneError } from "../../base/errors.ts";
import type { Message } from "../../specs/message.ts";
import type { Split, TrainSpec } from "../../specs/types.ts";
import { MAX_NUMBER_TOKENS } from "../answers.ts";
import type { ExampleLengths } from "../batches/batches.ts";
import { numSupervised } from "../batches/packing.ts";
import type { Example, LoadedTask, TokenizedExample } from "../types.ts";
import { type Merge, type PromptTemplate, tokenizeExample, tokenizeLabels } from "./chat-template.ts";
import { cutDocument } from "./documents.ts";
import { type EarlierAnswers, tokenSpans } from "./earlier-answers.ts";
import { fitExample, lengthOf } from "./fit.ts";
import { readTokens, type TokenCache, writeTokens } from "./token-cache.ts";
import type { Tokenizer } from "./tokenizers.ts";
import { saidIn, turnsOf } from "./turns.ts";

/** One split as token ids; all lists run alike. */
export interface PreparedSplit {
  /** The example of each tokenised one, its prompt shortened where it was fitted; a document cut into windows stands here once per window. */
  examples: Example[];
  tokenized: TokenizedExample[];
  lengths: ExampleLengths;
  /** Tokens of all examples together. */
  numTokens: number;
  /** Digest of the rendered prompts and answers in order: part of the run id. */
  rowsDigest: string;
  /** Prompts shortened by the task's declared `fit`, and the tokens that were left out of them. */
  fitted: { rows: number; tokens: number };
  /** Rows that were shortened, and rows left out with `on_bad_row: skip`. */
  notes: string[];
}

export interface PreparedTask {
  task: LoadedTask;
  /** The labels' ids with their end-of-turn token, in label order; absent where the answer is not a label. */
  labels?: Int32Array[];
  /** @throws {DataError} a row that cannot be used, unless skipped */
  split(name: Split): PreparedSplit;
}

export interface PrepareOptions {
  /** `train.cutoff_len`: the longest example, prompt, answer and end-of-turn token together. */
  cutoffLen: number;
  /** Tokens that the model reads. Default: no limit. */
  positions?: number;
  lossOn: TrainSpec["loss_on"];
  /** As the task's `on_bad_row`; what cannot be tokenised is such a row too. */
  onBadRow: "stop" | "skip";
}

/**
 * Prepares a task. Nothing is tokenised until a split is asked for, but the labels.
 * @param cache  where tokenised splits are kept between runs; absent: nowhere
 * @throws {DataError} labels that the tokenizer cannot tell apart
 */
export function prepareTask(
  task: LoadedTask,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  options: PrepareOptions,
  cache?: TokenCache,
): PreparedTask {
  const made = new Map<Split, PreparedSplit>();
  const split = (name: Split): PreparedSplit => {
    const make = () => prepareSplit(task, name, tokenizer, template, options);
    const known =
      made.get(name) ?? (cache === undefined ? make() : kept(cache, task, name, [tokenizer, template], options, make));
    made.set(name, known);
    return known;
  };
  if (task.answer.kind !== "label") return { task, split };
  return { task, labels: tokenizeLabels(task.answer.labels, template), split };
}

/** What the cache holds beside token ids. */
interface KeptFacts extends Pick<PreparedSplit, "rowsDigest" | "fitted" | "notes"> {
  /** What of a piece's example is not its row's: a shortened prompt, an earlier answer with its turns. */
  changed: [piece: number, example: Partial<Example>][];
  /** Of pieces with earlier answers that are trained on. */
  spans: [piece: number, places: number[]][];
}

/** A split from the cache, or made and kept there. */
function kept(
  cache: TokenCache,
  task: LoadedTask,
  split: Split,
  readers: readonly { digest: string }[],
  options: PrepareOptions,
  make: () => PreparedSplit,
): PreparedSplit {
  const rows = task.splits[split];
  const key = digestOf([
    cache.code,
    readers.map(({ digest }) => digest),
    { ...options },
    [task.name, split, task.answer.kind, task.digests[split]],
    sha256(JSON.stringify(rows.map(({ id, fit, unlearned }) => [id, fit, unlearned]))),
  ]);
  const found = readTokens<KeptFacts>(cache, key);
  if (found !== undefined) {
    const { changed, spans, ...facts } = found.facts;
    const examples = Array.from(found.rows, (row) => rows[row]!);
    for (const [piece, own] of changed) {
      const { fit: _fitted, ...example } = examples[piece]!;
      examples[piece] = { ...example, ...own };
    }
    for (const [piece, places] of spans) found.tokenized[piece]!.spans = Int32Array.from(places);
    return { examples, ...measured(found.tokenized, options.lossOn), ...facts };
  }
  const made = make();
  const { examples, tokenized, rowsDigest, fitted, notes } = made;
  const rowOf = new Map(rows.map(({ id }, i) => [id, i]));
  const changed = examples.flatMap((example, piece): KeptFacts["changed"] => {
    const row = rows[rowOf.get(example.id)!]!;
    const { prompt, turns, answer } = example;
    if (prompt === row.prompt && answer === row.answer) return [];
    return [[piece, { prompt, answer, ...(turns && { turns }) }]];
  });
  const spans = tokenized.flatMap(({ spans: places }, piece): KeptFacts["spans"] =>
    places === undefined ? [] : [[piece, [...places]]],
  );
  writeTokens<KeptFacts>(cache, key, {
    rows: Int32Array.from(examples, ({ id }) => rowOf.get(id)!),
    tokenized,
    facts: { rowsDigest, fitted, notes, changed, spans },
  });
  return made;
}

/** Token ids with their lengths. */
function measured(
  tokenized: TokenizedExample[],
  lossOn: TrainSpec["loss_on"],
): Pick<PreparedSplit, "tokenized" | "lengths" | "numTokens"> {
  const tokens = Int32Array.from(tokenized, lengthOf);
  const supervised = Int32Array.from(tokenized, (piece) => numSupervised(piece, lossOn));
  return { tokenized, lengths: { tokens, supervised }, numTokens: tokens.reduce((sum, length) => sum + length, 0) };
}

function prepareSplit(
  task: LoadedTask,
  split: Split,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  options: PrepareOptions,
): PreparedSplit {
  const { cutoffLen, lossOn, onBadRow } = options;
  const limitOf = lengthLimits(task, template, options);
  const isDocument = task.answer.kind === "document";
  const examples: Example[] = [];
  const tokenized: TokenizedExample[] = [];
  const skipped: string[] = [];
  const rendered: string[] = [];
  const fitted = { rows: 0, tokens: 0 };
  let numApart = 0;
  for (const row of task.splits[split]) {
    try {
      const limit = limitOf(row, split);
      const { example, whole, tokensLost } = tokenizeToFit(row, task, tokenizer, template, limit);
      if (tokensLost > 0) {
        fitted.rows++;
        fitted.tokens += tokensLost;
      }
      const apart = lossOn === "all_answers" ? learnEarlier(example, whole, task, tokenizer, template) : [];
      const others = split === "train" ? apart.map((one) => apartFrom(example, one)) : [];
      const pieces = [
        ...others.map((other) => ({ example: other, piece: tokenizeExample(other, task, tokenizer, template) })),
        ...(isDocument ? cutDocument(whole, limit) : [whole]).map((piece) => ({ example, piece })),
      ];
      for (const { piece } of pieces) {
        if (lengthOf(piece) > limit) throw tooLong(piece, limit, limit < cutoffLen, row.fit !== undefined);
        if (numSupervised(piece, lossOn) === 0) throw nothingToLearn(piece);
      }
      numApart += others.length;
      examples.push(...pieces.map((one) => one.example));
      tokenized.push(...pieces.map(({ piece }) => piece));
      for (const one of [...others, example]) {
        rendered.push(isDocument ? "" : template.render(turnsOf(one, task.shots)), template.answerText(one.answer));
      }
      if (whole.spans !== undefined) rendered.push(whole.spans.join());
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const named = atRow(error, `example ${task.name}/${row.id}`);
      if (onBadRow === "stop") throw named;
      skipped.push(`${row.id} (${named.got})`);
    }
  }
  return {
    examples,
    ...measured(tokenized, lossOn),
    rowsDigest: sha256(JSON.stringify(rendered)),
    fitted,
    notes: [
      ...templateNotes(task, split, template),
      ...roomNotes(task, split, tokenized, options.positions),
      ...(fitted.rows === 0
        ? []
        : [
            `${task.name}/${split}: ${fitted.rows} of ${task.splits[split].length} prompts shortened to ${cutoffLen} tokens, ` +
              `${fitted.tokens} tokens left out of them.`,
          ]),
      ...(numApart === 0
        ? []
        : [
            `${task.name}/${split}: the chat template changes ${numApart} answers once they are earlier ones (it may drop their thoughts): ` +
              "each is an example of its own.",
          ]),
      ...(skipped.length === 0
        ? []
        : [
            `${task.name}/${split}: ${skipped.length} of ${task.splits[split].length} rows skipped: ${skipped.join("; ")}.`,
          ]),
    ],
  };
}

/** Notes in `whole` where the earlier answers of an example stand, which are trained on. @returns those that the template changes later */
export function learnEarlier(
  example: Example,
  whole: TokenizedExample,
  { shots }: Pick<LoadedTask, "shots">,
  tokenizer: Tokenizer,
  template: PromptTemplate,
): EarlierAnswers["apart"] {
  if (example.turns === undefined || shots !== undefined) return [];
  const { spans, apart } = template.answersIn(saidIn(example));
  const text = template.render(example.turns);
  if (spans.length > 0) whole.spans = tokenSpans(text, spans, tokenizer, template.leadIds.length);
  return apart;
}

/** An earlier answer as an example of its own. */
function apartFrom({ id, group }: Example, { turns, answer }: EarlierAnswers["apart"][number]): Example {
  return { id, group, prompt: turns.at(-1)!.content, turns, answer };
}

/** What people should know of how a template writes the questions and answers of a split: sentences. */
export function templateNotes(
  { name, answer, shots, splits }: Pick<LoadedTask, "name" | "answer" | "shots" | "splits">,
  split: Split,
  template: Pick<PromptTemplate, "note" | "mergedIn">,
): string[] {
  if (answer.kind === "document" || splits[split].length === 0) return [];
  const merged = new Map<Merge, number>();
  for (const example of splits[split]) {
    if (example.turns === undefined && shots === undefined) continue;
    const merge = mergeIn(template, turnsOf(example, shots));
    if (merge !== null) merged.set(merge, (merged.get(merge) ?? 0) + 1);
  }
  const notes = Array.from(
    merged,
    ([what, rows]) =>
      `${name}/${split}: ${rows} of ${splits[split].length} conversations that the chat template does not take as they are: ${MERGES[what]}.`,
  );
  return [...(template.note === undefined ? [] : [template.note]), ...notes];
}

/** What people should know of how much room a model has for numbers behind the prompts of a split: sentences. @param positions  that it reads */
export function roomNotes(
  { name, answer }: Pick<LoadedTask, "name" | "answer">,
  split: Split,
  rows: readonly Pick<TokenizedExample, "prompt">[],
  positions = Number.POSITIVE_INFINITY,
): string[] {
  if (answer.kind !== "number" || split === "train") return [];
  const numShort = rows.filter(({ prompt }) => positions - prompt.length < MAX_NUMBER_TOKENS).length;
  if (numShort === 0) return [];
  return [
    `${name}/${split}: ${numShort} of ${rows.length} prompts leave fewer than ${MAX_NUMBER_TOKENS} of the ${positions} tokens that the model reads: ` +
      "a longer number is cut and counts as wrong. Shorten the rows, or declare a fit.",
  ];
}

/** Null also for a conversation that the template refuses, which is named where it is used. */
function mergeIn(template: Pick<PromptTemplate, "mergedIn">, turns: readonly Message[]): Merge | null {
  try {
    return template.mergedIn(turns);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}

const MERGES: Readonly<Record<Merge, string>> = {
  "system text": "system text stands in the user's turn",
  "turns of one role": "turns of one role that follow each other are one turn",
  "system text and turns of one role": "system text stands in the user's turn, turns of one role are one turn",
};

/**
 * How long an example may be, prompt, answer and end-of-turn token together: `train.cutoff_len`, or what the model reads if that is less. A row
 * that is scored has room for the longest label in place of its own.
 * @throws {DataError} labels that the tokenizer cannot tell apart
 */
export function lengthLimits(
  { answer }: Pick<LoadedTask, "answer">,
  template: PromptTemplate,
  { cutoffLen, positions = Number.POSITIVE_INFINITY }: Pick<PrepareOptions, "cutoffLen" | "positions">,
): (row: Example, split: Split) => number {
  if (answer.kind !== "label") return () => Math.min(cutoffLen, positions);
  const lengths = new Map(tokenizeLabels(answer.labels, template).map((ids, i) => [answer.labels[i]!, ids.length]));
  const longest = [...lengths.values()].reduce((most, length) => Math.max(most, length), 0);
  return (row, split) => {
    const missing = split === "train" ? 0 : longest - (lengths.get(row.answer) ?? longest);
    return Math.min(cutoffLen, positions - missing);
  };
}

/**
 * An example as token ids, shortened where it is too long and its task declares what may go.
 * The part that may go can be too short for it: the example is then as long as it was, and refused by whoever asked.
 *
 * @returns `example` as it was tokenised; `tokensLost` is how many fewer tokens it has than the row
 */
export function tokenizeToFit(
  row: Example,
  task: Pick<LoadedTask, "answer" | "shots">,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  cutoffLen: number,
): { example: Example; whole: TokenizedExample; tokensLost: number } {
  const whole = tokenizeExample(row, task, tokenizer, template);
  const { fit } = row;
  if (fit === undefined || lengthOf(whole) <= cutoffLen) return { example: row, whole, tokensLost: 0 };
  const fitted = fitExample({ ...row, fit }, cutoffLen, {
    tokenize: (prompt) => tokenizeExample({ ...row, prompt }, task, tokenizer, template),
    wordTokens: wordCounter(tokenizer),
  });
  if (fitted === null) return { example: row, whole, tokensLost: 0 };
  return { ...fitted, tokensLost: lengthOf(whole) - lengthOf(fitted.whole) };
}

/** Words of long prompts, which come again and again, and their tokens. */
const WORDS = new WeakMap<Tokenizer, Map<string, number>>();
/** Words remembered before all are forgotten. */
const MAX_WORDS = 200_000;

function wordCounter(tokenizer: Tokenizer): (word: string) => number {
  let known = WORDS.get(tokenizer);
  if (known === undefined || known.size > MAX_WORDS) {
    known = new Map();
    WORDS.set(tokenizer, known);
  }
  const words = known;
  return (word) => {
    let count = words.get(word);
    if (count === undefined) {
      count = tokenizer.encode(word).length;
      words.set(word, count);
    }
    return count;
  };
}

function tooLong(piece: TokenizedExample, limit: number, isOfModel: boolean, hasFit: boolean): DataError {
  return new DataError({
    place: piece.id,
    expected: `at most ${limit} tokens (${isOfModel ? "what the model reads, with room for the longest label" : "train.cutoff_len"})`,
    got: `${lengthOf(piece)} tokens${hasFit ? ", too many even without the part that its fit may leave out" : ""}`,
    remedy: `${isOfModel ? "Take a model that reads more" : "Raise train.cutoff_len"}, shorten the row, ${hasFit ? "" : "declare a fit for the task, "}or set on_bad_row: skip.`,
  });
}

function nothingToLearn({ id }: TokenizedExample): DataError {
  return new DataError({
    place: id,
    expected: "at least one token that the loss is on",
    got: "none",
    remedy: "Give the row an answer, remove it, or set on_bad_row: skip.",
  });
}

function atRow(error: MixtuneError, place: string): DataError {
  return new DataError({ place, expected: error.expected, got: error.got, remedy: error.remedy, cause: error.cause });
}
