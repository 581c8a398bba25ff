/** @file A study as a fine-tuning service has it: what it cannot be asked, what its models are, what its runs show and cost. */

import { digestOf } from "../../../base/digest.ts";
import { SpecError } from "../../../base/errors.ts";
import type { epochOrder } from "../../../data/batches/mixture.ts";
import type { PreparedTask } from "../../../data/tokens/prepare.ts";
import type { LoadedTask } from "../../../data/types.ts";
import { costOf } from "../../../eval/hosted/purse.ts";
import { roughText } from "../../../eval/hosted/rough-text.ts";
import { textScorings } from "../../../specs/hosted.ts";
import { hostedTrain, refuseUnhosted } from "../../../specs/hosted-train.ts";
import type { RunSpec, StudySpec } from "../../../specs/types.ts";
import type { Estimate, Job } from "../../../study/types.ts";
import { shownByService } from "../../../workers/hosted-rows.ts";
import type { HostedChoice } from "../../hosted/choice.ts";
import type { BaseModel } from "../../models/base-model.ts";
import { NODE_BYTES } from "../../models/memory-estimate.ts";
import { PREDICTION_BYTES } from "../estimate.ts";
import type { PlannedStudy } from "../planned-study.ts";

/**
 * A study as a service can train it.
 * @throws {SpecError} what it cannot be asked; a budget in money without the price of training
 */
export function hostedStudy(study: StudySpec, choices: Record<string, HostedChoice>): StudySpec {
  refuseUnhosted(study);
  for (const model of study.models) {
    const { api, budget, prices } = choices[model]!;
    if (api !== "chat") {
      throw new SpecError({
        place: "options.api, with options.worker hosted",
        expected: "chat: what is trained on are chats",
        got: api,
        remedy: "Leave it out.",
      });
    }
    if (budget.money !== undefined && prices?.trainingPerMillion === undefined) {
      throw new SpecError({
        place: "options.budget.money, with options.worker hosted",
        expected: "the price of training that it is counted in",
        got: "none",
        remedy: "Give options.prices IN,OUT,TRAINED: money for a million tokens in, out and trained on.",
      });
    }
  }
  return { ...study, train: hostedTrain(study.train) };
}

/** A service's model: of its bytes only the name is known, and whose it is. */
export function hostedModel(name: string, { model, baseUrl }: HostedChoice): BaseModel {
  const { tokenizer, template } = roughText();
  return {
    folder: "",
    identity: {
      name,
      weights_digest: digestOf({ hosted: model, host: new URL(baseUrl).host }),
      tokenizer_digest: tokenizer.digest,
      template_digest: template.digest,
    },
    size: { parameters: 0, blocks: 0, layers: 0, hidden: 0, intermediate: 0, vocabulary: 0 },
    isThere: true,
    fetchWeights: async () => {},
  };
}

/** Documents are no chats. @throws {SpecError} */
export function refuseDocuments(tasks: Record<string, LoadedTask>): void {
  const document = Object.values(tasks).find(({ answer }) => answer.kind === "document");
  if (document === undefined) return;
  throw new SpecError({
    place: document.name,
    expected: "prompts with answers, which is what services train on",
    got: "documents",
    remedy: "Leave it out of a study with options.worker hosted.",
  });
}

/** What a run will show and cost. @param evaluated  examples that are scored */
export function estimateHosted(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  evaluated: number,
  { prices }: HostedChoice,
  makeOrder: typeof epochOrder,
): Estimate {
  const shown = shownByService(spec, ingredients, makeOrder);
  const sum = (key: "examples" | "tokens") => Object.values(shown).reduce((total, one) => total + one[key], 0);
  const { num_train_epochs: epochs, train_batch_size: batch } = spec.train;
  const tokens = sum("tokens");
  return {
    examples: sum("examples"),
    tokens,
    ingredients: shown,
    steps: batch === null ? Number.NaN : Math.ceil(sum("examples") / epochs / batch) * epochs,
    seconds: Number.NaN,
    time: { start: 0, train: Number.NaN, score: Number.NaN },
    memory_bytes: NODE_BYTES,
    memory: { process: NODE_BYTES, weights: 0, optimizer: 0, activations: 0, logits: 0, scoring: 0 },
    disk_bytes: evaluated * PREDICTION_BYTES,
    working_disk_bytes: 0,
    money: costOf({ prompt: 0, completion: 0, trained: tokens }, prices),
  };
}

/** The `eval` block of a hosted model's job. */
export function hostedEval(spec: StudySpec["eval"]): StudySpec["eval"] {
  return { ...spec, scoring: textScorings(spec), constrained_numbers: false };
}

/** Models of one study are of one service. */
export function firstChoice({ input, hosted }: Pick<PlannedStudy, "input" | "hosted">): HostedChoice {
  return hosted[input.study.models[0]!]!;
}

/** The tasks that a job is scored on, with prompts as they were shortened for training. */
export function scoredTasks({ dataOf, plan, input, tasks }: PlannedStudy, job: Job): LoadedTask[] {
  const any = job.kind === "run" ? job.spec : plan.find(({ model }) => model === job.model)?.spec;
  const planned = any === undefined ? {} : dataOf({ ...any, train: input.study.train }, {});
  return job.eval_tasks.map((name) => {
    const task = tasks[name]!;
    const split = (of: "dev" | "test") => planned[name]?.split(of).examples ?? task.splits[of];
    return { ...task, splits: { ...task.splits, dev: split("dev"), test: split("test") } };
  });
}
