/**
 * @file Whether an export is still the model: logits on some prompts, and answers to tasks, before and after. Both sides are read by our own
 * readers; that these read a folder as transformers does is what golden test/golden/models/as-read and test/golden/data-tokenizer/features say.
 */

import { MixtuneError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import { type PreparedTask, prepareTask } from "../../data/tokens/prepare.ts";
import { asked } from "../../data/tokens/turns.ts";
import { type AskedModel, evaluateSplit, evaluationSubset } from "../../eval/evaluate.ts";
import { likeliest } from "../../eval/sampling.ts";
import type { SplitResult } from "../../eval/score-answers.ts";
import type { Prediction } from "../../runs/types.ts";
import { EVAL_DEFAULTS } from "../../specs/study-file.ts";
import type { EvalSpec, TaskSpec } from "../../specs/types.ts";
import type { HubData } from "../tasks/hub-data.ts";

/** One of the two models that are compared. */
export interface Side {
  model: AskedModel;
  /** Otherwise the likelihoods of labels alone are compared. */
  canWrite: boolean;
  /** Logits [V] of what follows a prompt. */
  logits(prompt: Int32Array): Promise<Float32Array>;
}

/** parity.json */
export interface ExportCheck {
  /** What was run to compare. */
  checked: string;
  /** Where the prompts are from, and how many there are. */
  prompts: { from: string; n: number; other_ids: number };
  logits: { largest_difference: number; largest: number; same_likeliest: number };
  tasks: Record<string, TaskCheck>;
  not_scored: Record<string, string>;
}

export interface TaskCheck {
  split: "dev";
  n: number;
  metric: string;
  before: number;
  after: number;
  /** Examples that are answered otherwise. */
  other_answers: number;
}

/** What is asked. */
export interface CheckQuestions {
  tasks: readonly TaskSpec[];
  data: HubData;
  /** Whether a task that cannot be loaded ends the export. */
  areAsked: boolean;
  maxExamples: number;
  /** Longest prompt with its answer. */
  cutoffLen: number;
}

/** Prompts whose logits are compared. */
const NUM_PROMPTS = 32;

/** Asked where no task is at hand. */
const SENTENCES = [
  "What is the sentiment of this news? Operating profit rose to EUR 13.1 million from EUR 8.7 million.",
  "Is this sentence about prices: The company will cut 120 jobs in its northern plants by March 2027.",
  "Write a sentence about the weather in spring.",
  "How many legs do three horses have?",
  "Name a fruit that is yellow.",
  "Translate into French: Good morning, how are you?",
  'Which word is repeated in "the cat saw the dog"?',
  "Shares fell 4.5 % on Tuesday; what might the reason be?",
];

/** @throws {MixtuneError} a task that was asked for by name and cannot be loaded */
export async function checkExport(
  before: Side,
  after: Side,
  checked: string,
  questions: CheckQuestions,
): Promise<ExportCheck> {
  const not_scored: Record<string, string> = {};
  const pairs: { task: TaskSpec; sides: [PreparedTask, PreparedTask] }[] = [];
  for (const task of questions.tasks) {
    try {
      const loaded = await loadTask(task, { ...questions.data, isOnlyEvaluated: true });
      if (loaded.answer.kind === "document") throw new NotScored("documents, which have no answers");
      if (loaded.answer.kind !== "label" && !after.canWrite)
        throw new NotScored("its answers are written, which was not tried");
      const options = {
        cutoffLen: questions.cutoffLen,
        lossOn: "answer",
        onBadRow: task.on_bad_row ?? "stop",
      } as const;
      const of = ({ model }: Side) => prepareTask(loaded, model.tokenizer, model.template, options);
      pairs.push({ task, sides: [of(before), of(after)] });
    } catch (error) {
      if (error instanceof NotScored) not_scored[task.name] = error.message;
      else if (error instanceof MixtuneError && !questions.areAsked) not_scored[task.name] = error.message;
      else throw error;
    }
  }
  const spec: EvalSpec = {
    ...EVAL_DEFAULTS,
    max_dev: questions.maxExamples,
    scoring: after.canWrite ? EVAL_DEFAULTS.scoring : ["constrained"],
  };
  const prompts = promptsOf(before, after, pairs, spec);
  const logits = await compareLogits(before, after, prompts.ids);
  const tasks: Record<string, TaskCheck> = {};
  for (const { task, sides } of pairs) {
    const results = [
      await evaluateSplit(before.model, sides[0], "dev", spec, async () => {}),
      await evaluateSplit(after.model, sides[1], "dev", spec, async () => {}),
    ] as const;
    tasks[task.name] = taskParity(...results);
  }
  const { from, ids, other } = prompts;
  return { checked, prompts: { from, n: ids.length, other_ids: other }, logits, tasks, not_scored };
}

class NotScored extends Error {}

interface Prompts {
  from: string;
  ids: Int32Array[];
  /** How many the other side turns into other ids. */
  other: number;
}

function promptsOf(
  before: Side,
  after: Side,
  pairs: readonly { task: TaskSpec; sides: [PreparedTask, PreparedTask] }[],
  spec: EvalSpec,
): Prompts {
  const of = (side: 0 | 1) =>
    pairs.flatMap(({ sides }) =>
      evaluationSubset(sides[side], "dev", spec)
        .slice(0, Math.ceil(NUM_PROMPTS / pairs.length))
        .map(({ tokens }) => tokens.prompt),
    );
  const written = ({ model: { tokenizer, template } }: Side) =>
    SENTENCES.map((text) => Int32Array.of(...template.leadIds, ...tokenizer.encode(template.render(asked(text)))));
  const fromTasks = of(0);
  const [ids, others, from] =
    fromTasks.length > 0
      ? [fromTasks, of(1), `dev examples of ${pairs.map(({ task }) => task.name).join(", ")}`]
      : [written(before), written(after), "built-in sentences"];
  return { from, ids, other: ids.filter((one, i) => one.join() !== others[i]!.join()).length };
}

async function compareLogits(
  before: Side,
  after: Side,
  prompts: readonly Int32Array[],
): Promise<ExportCheck["logits"]> {
  let [largest_difference, largest, same_likeliest] = [0, 0, 0];
  for (const prompt of prompts) {
    const [a, b] = [(await before.logits(prompt)).slice(), await after.logits(prompt)];
    for (let i = 0; i < a.length; i++) {
      largest_difference = Math.max(largest_difference, Math.abs(a[i]! - b[i]!));
      largest = Math.max(largest, Math.abs(a[i]!));
    }
    if (likeliest(a, null) === likeliest(b, null)) same_likeliest++;
  }
  return { largest_difference, largest, same_likeliest };
}

function taskParity(before: SplitResult, after: SplitResult): TaskCheck {
  const metric = Object.keys(before.scores.metrics)[0]!;
  const value = ({ scores }: SplitResult) => scores.metrics[metric]?.value ?? Number.NaN;
  const answerOf = ({ output, label_logprobs }: Prediction) =>
    `${label_logprobs === undefined ? "" : Object.entries(label_logprobs).reduce((a, b) => (b[1] > a[1] ? b : a))[0]}\n${output}`;
  const other_answers = before.predictions.filter((one, i) => answerOf(one) !== answerOf(after.predictions[i]!)).length;
  return {
    split: "dev",
    n: before.predictions.length,
    metric,
    before: value(before),
    after: value(after),
    other_answers,
  };
}
