/** @file What one model answers to one split of a task: likelihoods of labels, text where text is read, the likelihood of gold elsewhere. */

import { OpError } from "../base/errors.ts";
import { RESULT_MARK, resultIn } from "../base/result-mark.ts";
import type { PromptTemplate } from "../data/chat-template.ts";
import type { PreparedTask } from "../data/prepare.ts";
import { evaluatedSubset } from "../data/splits.ts";
import type { Tokenizer } from "../data/tokenizers.ts";
import type { Example, TokenizedExample } from "../data/types.ts";
import type { CachedNetwork } from "../models/cached-network.ts";
import type { Network } from "../models/network.ts";
import type { EvalSpec } from "../specs/types.ts";
import { newTokensFor } from "./answer-length.ts";
import { generate } from "./generate.ts";
import { MAX_NUMBER_TOKENS, numberLanguage } from "./languages.ts";
import { scoreGold, scoreLabels } from "./score.ts";
import { type Answered, itemOf, type SplitResult, scoreAnswers } from "./score-answers.ts";

/** A model with its weights, ready to be asked. */
export interface EvaluatedModel {
  network: Network;
  /** The same model reading on token by token; made when text is first asked for. */
  writer(): Promise<CachedNetwork>;
  parameters: Float32Array;
  tokenizer: Tokenizer;
  template: PromptTemplate;
  /** Text that ends an answer, beside the end of a turn. */
  stopStrings: readonly string[];
}

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
  model: EvaluatedModel,
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
  const given: Partial<Answered>[][] = [];
  const parts: ((report: (done: number) => Promise<void>) => Promise<Partial<Answered>[]>)[] = [];
  if (task.answer.kind === "label" && labels !== undefined) {
    const names = task.answer.labels;
    if (spec.scoring.includes("constrained")) {
      parts.push(async (report) => {
        const scores = await scoreLabels(model.network, model.parameters, tokens, labels, report);
        return scores.map((row) => ({ label_logprobs: Object.fromEntries(names.map((name, k) => [name, row[k]!])) }));
      });
    }
    if (spec.scoring.some((scoring) => scoring !== "constrained")) {
      parts.push((report) => writtenAnswers(model, prepared, tokens, spec, report));
    }
  } else {
    if (task.metric !== "answer_logprob") {
      parts.push((report) => writtenAnswers(model, prepared, tokens, spec, report));
      if (task.answer.kind === "number" && spec.constrained_numbers)
        parts.push((report) => constrainedNumbers(model, prepared, subset, given[0]!, report));
    }
    parts.push(async (report) => {
      const logprobs = await scoreGold(model.network, model.parameters, tokens, report);
      return [...logprobs].map((answer_logprob) => ({ answer_logprob }));
    });
  }
  for (const [i, part] of parts.entries()) {
    given.push(await part((done) => onProgress(Math.floor((i * tokens.length + done) / parts.length), tokens.length)));
  }
  const answers = subset.map(({ example }, i): Answered => {
    const rendered = model.template.render(example.prompt);
    const kept = spec.keep_prompts ? { prompt: rendered } : {};
    return Object.assign(itemOf(example, rendered), kept, ...given.map((part) => part[i]));
  });
  return scoreAnswers(answers, task, spec.scoring);
}

/** Greedy text of each prompt. */
async function writtenAnswers(
  model: EvaluatedModel,
  prepared: PreparedTask,
  prompts: readonly TokenizedExample[],
  spec: EvalSpec,
  report: (done: number) => Promise<void>,
): Promise<Partial<Answered>[]> {
  const { tokenizer, template, parameters, stopStrings } = model;
  const written = await generate(await model.writer(), parameters, prompts, {
    endIds: [template.endOfTurnId, tokenizer.eosId],
    maxNewTokens: spec.max_new_tokens ?? longestAnswer(prepared),
    decode: (ids) => tokenizer.decode(ids),
    stopStrings,
    onProgress: report,
  });
  return written.map(({ text, stopped }) => ({
    output: text,
    finish_reason: stopped === "length" ? "length" : "stop",
  }));
}

/**
 * Greedy text of each prompt that can be nothing but a number, or one of the words that answers of the task are. Where a worked solution is asked
 * for, the number stands behind the model's own, and behind the result mark that it may have left out; without the solution where both have no room.
 */
async function constrainedNumbers(
  model: EvaluatedModel,
  { task }: PreparedTask,
  subset: readonly { example: Example; tokens: TokenizedExample }[],
  written: readonly Partial<Answered>[],
  report: (done: number) => Promise<void>,
): Promise<Partial<Answered>[]> {
  const { tokenizer, template, parameters } = model;
  const answers = Object.values(task.splits).flatMap((examples) => examples.map(({ answer }) => resultIn(answer)));
  const words = ["yes", "no"].filter((word) => answers.includes(word));
  const language = numberLanguage(tokenizer, template.endOfTurnId, words);
  const network = await model.writer();
  const prompts = subset.map(({ example, tokens }, i) => {
    if (resultIn(example.answer) === example.answer) return tokens;
    const room = network.maxPositions - tokens.prompt.length - MAX_NUMBER_TOKENS;
    const behind = [solved(written[i]!.output!), RESULT_MARK].map((text) => template.answerIds(text.trim()));
    const solution = behind.find((ids) => ids.length <= room) ?? behind[1]!;
    return { ...tokens, prompt: Int32Array.of(...tokens.prompt, ...solution) };
  });
  const numbers = await generate(network, parameters, prompts, {
    endIds: [template.endOfTurnId],
    maxNewTokens: MAX_NUMBER_TOKENS,
    decode: (ids) => tokenizer.decode(ids),
    language: () => language,
    onProgress: report,
  });
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
