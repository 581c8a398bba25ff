/** @file What one model answers to one split of a task: likelihoods of labels, text where text is read, the likelihood of gold elsewhere. */

import { OpError } from "../base/errors.ts";
import { RESULT_MARK, resultIn } from "../base/result-mark.ts";
import { MAX_NUMBER_TOKENS } from "../data/answers.ts";
import { evaluatedSubset } from "../data/splits/splits.ts";
import { endIdsOf, type PromptTemplate } from "../data/tokens/chat-template.ts";
import type { PreparedTask } from "../data/tokens/prepare.ts";
import type { Tokenizer } from "../data/tokens/tokenizers.ts";
import { turnsOf } from "../data/tokens/turns.ts";
import type { Example, TokenizedExample } from "../data/types.ts";
import type { EvalSpec } from "../specs/types.ts";
import { newTokensFor } from "./answer-length.ts";
import type { Generated, GenerateOptions } from "./generate.ts";
import { numberLanguage } from "./languages.ts";
import { type Answered, itemOf, type SplitResult, scoreAnswers } from "./score-answers.ts";

type Report = (done: number) => Promise<void>;

/** How a text is written greedily. */
export type WriteOptions = Pick<GenerateOptions, "endIds" | "maxNewTokens" | "language">;

/** A model that can be asked about the items of a split, whichever engine it answers from. */
export interface AskedModel {
  tokenizer: Tokenizer;
  template: PromptTemplate;
  /** Longest sequence, prompt and answer together. */
  maxPositions: number;
  /** log p of each label for each prompt, [prompts][labels], in nats: sums over tokens, end of turn included. */
  scoreLabels(
    prompts: readonly TokenizedExample[],
    labels: readonly Int32Array[],
    report: Report,
  ): Promise<Float64Array[]>;
  /** Mean log p of each example's answer a token, end of turn included, in nats. */
  scoreGold(examples: readonly TokenizedExample[], report: Report): Promise<Float64Array>;
  write(
    prompts: readonly TokenizedExample[],
    options: WriteOptions,
    report: Report,
  ): Promise<Pick<Generated, "text" | "stopped">[]>;
}

/** What a model is asked about each item of a task. */
export interface Asks {
  labels: boolean;
  gold: boolean;
  /** Greedy text; absent where none is read. */
  text?: WriteOptions;
  /** Numbers once more, held to numbers. */
  numbers: boolean;
}

/** What scoring a task takes. */
export function asksOf(prepared: PreparedTask, spec: EvalSpec, { template, tokenizer }: Readers): Asks {
  const { task } = prepared;
  const text = {
    endIds: endIdsOf(template, tokenizer),
    maxNewTokens: spec.max_new_tokens ?? longestAnswer(prepared),
  };
  if (task.answer.kind === "label") {
    const isWritten = spec.scoring.some((scoring) => scoring !== "constrained");
    const labels = spec.scoring.includes("constrained");
    return { labels, gold: false, ...(isWritten && { text }), numbers: false };
  }
  if (task.metric === "answer_logprob") return { labels: false, gold: true, numbers: false };
  return { labels: false, gold: true, text, numbers: task.answer.kind === "number" && spec.constrained_numbers };
}

type Readers = Pick<AskedModel, "template" | "tokenizer">;

/** The fixed subset of a split that every model is scored on. */
export function evaluationSubset(
  task: PreparedTask,
  split: "dev" | "test",
  spec: EvalSpec,
): { example: Example; tokens: TokenizedExample }[] {
  const { examples, tokenized } = task.split(split);
  const pairs = examples.map((example, i) => ({ example, tokens: tokenized[i]!, group: example.group }));
  return evaluatedSubset(pairs, split, spec);
}

/**
 * Scores a model on a split.
 * @throws {OpError} documents, which have no answer
 */
export async function evaluateSplit(
  model: AskedModel,
  prepared: PreparedTask,
  split: "dev" | "test",
  spec: EvalSpec,
  onProgress: (done: number, total: number) => Promise<void>,
): Promise<SplitResult> {
  const { task, labels } = prepared;
  if (task.answer.kind === "document") {
    throw new OpError({
      place: `task ${task.name}`,
      expected: "a task with prompts and answers",
      got: "kind document",
      remedy: "Use the task as a mixer: documents are trained on, not scored.",
    });
  }
  const subset = evaluationSubset(prepared, split, spec);
  const tokens = subset.map((item) => item.tokens);
  const asks = asksOf(prepared, spec, model);
  const given: Partial<Answered>[][] = [];
  const parts: ((report: Report) => Promise<Partial<Answered>[]>)[] = [];
  if (asks.labels && task.answer.kind === "label") {
    const names = task.answer.labels;
    parts.push(async (report) => {
      const scores = await model.scoreLabels(tokens, labels!, report);
      return scores.map((row) => ({ label_logprobs: Object.fromEntries(names.map((name, k) => [name, row[k]!])) }));
    });
  }
  if (asks.text !== undefined) {
    const options = asks.text;
    parts.push(async (report) =>
      (await model.write(tokens, options, report)).map(({ text, stopped }) => ({
        output: text,
        finish_reason: stopped === "length" ? "length" : "stop",
      })),
    );
  }
  if (asks.numbers) parts.push((report) => constrainedNumbers(model, prepared, subset, given[0]!, report));
  if (asks.gold) {
    parts.push(async (report) =>
      Array.from(await model.scoreGold(tokens, report), (answer_logprob) => ({ answer_logprob })),
    );
  }
  for (const [i, part] of parts.entries()) {
    given.push(await part((done) => onProgress(Math.floor((i * tokens.length + done) / parts.length), tokens.length)));
  }
  const answers = subset.map(({ example }, i): Answered => {
    const rendered = model.template.render(turnsOf(example, task.shots));
    const kept = spec.keep_prompts ? { prompt: rendered } : {};
    return Object.assign(itemOf(example, rendered), kept, ...given.map((part) => part[i]));
  });
  return scoreAnswers(answers, task, spec.scoring);
}

/**
 * Greedy text of each prompt that can be nothing but a number, or one of the words that answers of the task are. Where a worked solution is asked
 * for, the number stands behind the model's own, and behind the result mark that it may have left out; without the solution where both have no room.
 */
async function constrainedNumbers(
  model: AskedModel,
  { task }: PreparedTask,
  subset: readonly { example: Example; tokens: TokenizedExample }[],
  written: readonly Partial<Answered>[],
  report: Report,
): Promise<Partial<Answered>[]> {
  const { tokenizer, template } = model;
  const answers = Object.values(task.splits).flatMap((examples) => examples.map(({ answer }) => resultIn(answer)));
  const words = ["yes", "no"].filter((word) => answers.includes(word));
  const language = numberLanguage(tokenizer, template.endOfTurnId, words);
  const prompts = subset.map(({ example, tokens }, i) => {
    if (resultIn(example.answer) === example.answer) return tokens;
    const room = model.maxPositions - tokens.prompt.length - MAX_NUMBER_TOKENS;
    const behind = [solved(written[i]!.output!), RESULT_MARK].map((text) => template.answerIds(text.trim()));
    const solution = behind.find((ids) => ids.length <= room) ?? behind[1]!;
    return { ...tokens, prompt: Int32Array.of(...tokens.prompt, ...solution) };
  });
  const options = { endIds: [template.endOfTurnId], maxNewTokens: MAX_NUMBER_TOKENS, language: () => language };
  const numbers = await model.write(prompts, options, report);
  return numbers.map(({ text }) => ({ constrained_output: text }));
}

/** A text up to its last result mark, with one put behind it where it has none. */
function solved(text: string): string {
  const result = resultIn(text);
  return result === text ? `${text}\n${RESULT_MARK}` : text.slice(0, text.length - result.length);
}

/** A few tokens more than the longest label, or than the longest training answer. */
function longestAnswer({ task, labels, split }: PreparedTask): number {
  const answers = labels ?? split("train").tokenized.map(({ answer }) => answer);
  return newTokensFor(
    task.answer.kind,
    answers.map(({ length }) => length),
  );
}
