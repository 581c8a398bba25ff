/** @file How long a model's answers to a task may become, from the task's training answers where they are on this machine. */

import { MixtuneError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import type { PromptTemplate } from "../../data/tokens/chat-template.ts";
import { newTokensFor } from "../../eval/answer-length.ts";
import type { AnswerSpec, TaskSpec } from "../../specs/types.ts";

/** Tokens, end of turn included. Nothing is fetched: a task whose training rows are not here, or cannot be read, counts as one without any. */
export async function longestTrainingAnswer(
  spec: TaskSpec,
  kind: AnswerSpec["kind"],
  template: PromptTemplate,
  dataRoot: string | undefined,
): Promise<number> {
  const lengths = (await trainingAnswers(spec, dataRoot)).map((answer) => template.answerIds(answer).length + 1);
  return newTokensFor(kind, lengths);
}

async function trainingAnswers(spec: TaskSpec, dataRoot: string | undefined): Promise<string[]> {
  try {
    return (await loadTask(spec, { dataRoot })).splits.train.map(({ answer }) => answer);
  } catch (error) {
    if (error instanceof MixtuneError) return [];
    throw error;
  }
}
