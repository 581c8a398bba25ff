/** @file A hosted model scored on tasks: what would be sent is shown first, then asked for, then judged as a local model's text is. */

import { attempt } from "../../base/attempt.ts";
import { DataError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";
import { evaluatedSubset } from "../../data/splits/splits.ts";
import { PLAIN_TEXT } from "../../data/tokens/chat-template.ts";
import { drawShots, SHOT_END, SHOT_SEED } from "../../data/tokens/few-shot.ts";
import { turnsOf } from "../../data/tokens/turns.ts";
import type { Example, LoadedTask } from "../../data/types.ts";
import { newTokensFor } from "../../eval/answer-length.ts";
import { type CostEstimate, estimateCost } from "../../eval/hosted/estimate.ts";
import type { Purse } from "../../eval/hosted/purse.ts";
import type { HostedSettings } from "../../eval/hosted/settings.ts";
import { type HostedAnswer, type HostedRequest, type Spending, TOO_LONG } from "../../eval/hosted/types.ts";
import { type Answered, itemOf, scoreAnswers } from "../../eval/score-answers.ts";
import { isAnswered } from "../../runs/damage.ts";
import { readScores, writeSplit } from "../../runs/run-dir.ts";
import type { Scores } from "../../runs/types.ts";
import { textScorings } from "../../specs/hosted.ts";
import type { EvalSpec } from "../../specs/types.ts";
import type { Workspace } from "../workspace.ts";
import { type HostedChoice, mustBeAllowed } from "./choice.ts";
import { describeSending, describeSpending } from "./describe.ts";
import { sayEnding } from "./ending.ts";
import { openHosted, sayLeftOut } from "./open-hosted.ts";

/** Fewest characters a token of an answer has: a guess that leaves room. */
const CHARS_PER_TOKEN = 2;
/** Hosted models often add a full stop or a word. */
const EXTRA_TOKENS = 8;

/** Where scores go, where answers are kept, and how many training examples are shown before each question. */
export interface HostedPlace {
  dir: string;
  numShots: number;
}

/** Where scoring is part of something larger. */
export interface PartOfWork extends Pick<HostedSettings, "newModelMs"> {
  /** The larger work's, which says at the end what was spent. */
  purse: Purse;
  /** In place of a progress line of its own. */
  report(done: number, total: number): void;
}

/** What of a hosted model's scores is missing; nothing is sent before `score` is called. */
export interface HostedWork {
  /** Examples without scores, of which some may be answered already. */
  numRows: number;
  /** Tasks whose test split is among them. */
  opensTest: string[];
  /** Of the requests that would be sent. */
  cost: CostEstimate;
  /**
   * Answers are kept, so that a second call sends what is missing.
   * @throws {SpecError} a wrong key, an unknown model
   * @throws {WorkerError} out of tries or budget: what came is kept
   */
  score(): Promise<Scores>;
  spent(): Spending;
}

interface Part {
  task: LoadedTask;
  split: "dev" | "test";
  examples: Example[];
  requests: HostedRequest[];
}

/**
 * Scores every task and split that has no scores yet in the place's `dir`, after saying what would be sent.
 * @throws {SpecError} nobody allowed it; what {@link HostedWork} says
 */
export async function scoreHosted(
  choice: HostedChoice,
  tasks: readonly LoadedTask[],
  spec: EvalSpec,
  place: HostedPlace,
  workspace: Workspace,
): Promise<Scores> {
  const work = hostedWork(choice, tasks, spec, place, workspace);
  workspace.note(describeSending(choice, work.numRows, work.cost));
  mustBeAllowed(choice, work.cost);
  if (work.cost.requests > 0) await sayEnding(choice, workspace);
  return work.score();
}

/** What is left to do for a hosted model's scores of tasks. */
export function hostedWork(
  choice: HostedChoice,
  tasks: readonly LoadedTask[],
  spec: EvalSpec,
  { dir, numShots }: HostedPlace,
  workspace: Workspace,
  whole?: PartOfWork,
): HostedWork {
  const scoring = textScorings(spec);
  const scores = attempt(() => readScores(dir)) ?? { tasks: {} };
  const parts = tasks.flatMap((task) =>
    spec.splits
      .filter((split) => !isAnswered(dir, scores, { task: task.name, split }, scoring))
      .map((split) => partOf(task, split, spec, numShots, choice.api)),
  );
  const requests = parts.flatMap((part) => part.requests);
  const model = openHosted(choice, workspace, whole);
  const score = async (): Promise<Scores> => {
    if (spec.constrained_numbers)
      workspace.note("A hosted model cannot be held to numbers: there is no own_constrained.");
    let before = 0;
    try {
      for (const [i, { task, split, examples, requests: asked }] of parts.entries()) {
        let done = 0;
        const answers = await model.answer(asked, () => {
          if (whole !== undefined) return whole.report(before + ++done, requests.length);
          workspace.progress({
            ...{ id: "hosted", label: `${task.name} ${split}`, index: i + 1, pieces: parts.length },
            ...{ phase: "eval", done: ++done, total: asked.length, unit: "examples" },
          });
        });
        const given = withoutTooLong(examples, answers, `${task.name}/${split}`, workspace);
        const judged = scoreAnswers(
          given.map(([example, answer]) => answered(example, answer)),
          task,
          scoring,
        );
        writeSplit(dir, scores, { task: task.name, split }, judged);
        sayLeftOut(answers, workspace);
        before += asked.length;
      }
    } finally {
      if (whole === undefined) workspace.note(describeSpending(model.spent()));
    }
    return scores;
  };
  const cost = estimateCost(model.unanswered(requests), choice.prices);
  const opensTest = parts.flatMap(({ task, split }) => (split === "test" ? [task.name] : []));
  return { numRows: requests.length, opensTest, cost, score, spent: model.spent };
}

/**
 * Examples with their answers, without those whose prompts the model did not take for their length.
 * @throws {DataError} it took none
 */
function withoutTooLong(
  examples: readonly Example[],
  answers: readonly HostedAnswer[],
  place: string,
  { note }: Workspace,
): [Example, HostedAnswer][] {
  const all = examples.map((example, i): [Example, HostedAnswer] => [example, answers[i]!]);
  const given = all.filter(([, { finish_reason }]) => finish_reason !== TOO_LONG);
  const skipped = all.filter((one) => !given.includes(one)).map(([{ id }]) => id);
  if (skipped.length === 0) return given;
  const got = `${skipped.length} of ${all.length} rows skipped: their prompts do not fit the model's context (${shortList(skipped)})`;
  note(`${place}: ${got}.`);
  if (given.length > 0) return given;
  throw new DataError({
    place,
    expected: "at least one prompt that fits the model's context",
    got: "none",
    remedy: "Take a model with a longer context, start the server with one, or shorten the rows.",
  });
}

/** What scoring a model that nobody has asked yet would cost. */
export function scoringCost(
  choice: HostedChoice,
  tasks: readonly LoadedTask[],
  spec: EvalSpec,
  numShots: number,
): CostEstimate {
  const parts = tasks.flatMap((task) => spec.splits.map((split) => partOf(task, split, spec, numShots, choice.api)));
  return estimateCost(
    parts.flatMap(({ requests }) => requests),
    choice.prices,
  );
}

function partOf(
  task: LoadedTask,
  split: "dev" | "test",
  spec: EvalSpec,
  numShots: number,
  api: HostedChoice["api"],
): Part {
  const examples = evaluatedSubset(task.splits[split], split, spec);
  const shots = numShots === 0 ? [] : drawShots(task, numShots, SHOT_SEED);
  const maxTokens = spec.max_new_tokens ?? longestAnswer(task);
  const requests = examples.map((example): HostedRequest => {
    const about = { id: `${task.name}/${example.id}`, maxTokens, skipsTooLong: task.skipsBadRows === true };
    const turns = turnsOf(example, shots);
    if (api === "chat") return { ...about, prompt: turns };
    return { ...about, prompt: PLAIN_TEXT.render(turns), stop: [SHOT_END] };
  });
  return { task, split, examples, requests };
}

function longestAnswer({ answer, splits }: LoadedTask): number {
  const texts = answer.kind === "label" ? answer.labels : splits.train.map((example) => example.answer);
  const lengths = texts.map(({ length }) => Math.ceil(length / CHARS_PER_TOKEN) + EXTRA_TOKENS);
  return newTokensFor(answer.kind, lengths);
}

function answered(example: Example, { text, finish_reason }: HostedAnswer): Answered {
  const isCut = finish_reason === "length";
  return { ...itemOf(example, example.prompt), output: text, finish_reason: isCut ? "length" : "stop" };
}
