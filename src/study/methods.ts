/** @file How each number of a report came to be, in words. */

import { CONFIDENCE } from "../stats/interval.ts";
import type { StudyLock } from "./lock-file.ts";
import type { ReportData } from "./report-data.ts";
import { lossPoints } from "./report-records.ts";
import type { StudyTable } from "./study-table.ts";

export function methodsOf(
  { study, worker, mixtune, tasks }: StudyLock,
  { scoring, numRuns }: StudyTable,
): ReportData["methods"] {
  const { train } = study;
  const level = `${100 * CONFIDENCE} %`;
  const seeds = study.seeds.length;
  const length = train.max_steps === null ? `${train.num_train_epochs} epochs` : `${train.max_steps} steps`;
  const seedsText = `${seeds} ${seeds === 1 ? "seed" : "seeds"} (${study.seeds.join(", ")})`;
  const asked = [
    ...(train.train_batch_size === null ? [] : [`batch size ${train.train_batch_size}`]),
    ...(train.learning_rate_multiplier === undefined
      ? []
      : [`learning rate multiplier ${train.learning_rate_multiplier}`]),
  ];
  const byService = `Each mixture was fine-tuned by a service from each base model with ${seedsText}: ${[length, ...asked].join(", ")}, the rows of one epoch in an order that follows from the seed; method, optimiser and all else were the service's, and the same bits are not promised. Receipts name the jobs. Budgets: ${study.budget.match.join(", ")}. mixtune ${mixtune}.`;
  return [
    {
      title: "Training",
      text:
        worker.kind === "hosted"
          ? byService
          : `Each mixture was trained from each base model with ${seedsText}: ${train.method}, ${length}, learning rate ${train.learning_rate} (${train.lr_scheduler_type}), weight decay ${train.weight_decay}, examples of at most ${train.cutoff_len} tokens. Budgets: ${study.budget.match.join(", ")}. A seed decides order and first values; mixtune ${mixtune}, ${worker.kind} worker, ${worker.threads} threads a run.`,
    },
    {
      title: "Data",
      text: Object.entries(tasks)
        .map(
          ([
            name,
            {
              source,
              licence,
              num_examples: { train, dev, test },
            },
          ]) => {
            return `${name}: ${source} (licence: ${licence}); ${train} training, ${dev} dev and ${test} test examples before caps.`;
          },
        )
        .join(" "),
    },
    {
      title: "Scores",
      text: `Labels are read ${scoring}. ${study.eval.max_test === null ? "All test examples are scored." : `A fixed subset of at most ${study.eval.max_test} test examples is scored, the same for all.`} Mixtures are chosen on dev; test is for reporting. Every output counts: an empty or unreadable one is wrong.`,
    },
    {
      title: "Differences",
      text: `A difference is that of the task's own metric, mean over seeds, on the same test items. F1, MCC and shares of counts are written as means of the items' parts in them (what an item moves the metric by, to first order), so that one test serves every metric. The variance of the difference is that of the paired items, clustered by group, plus the variance between seeds, pooled over all mixtures that hold the task (over all, for tasks that are never trained on), less the item noise that is in it; the ${level} interval is a t interval with Satterthwaite's degrees of freedom. With one seed there is no interval.`,
    },
    {
      title: "What to take",
      text: "Candidates are the mixtures that are trained on the task. The best of them on dev is offered only if it is significantly better on dev than always giving the most frequent training label and than its own answers in any other order, p times the number of candidates below 5 %. Beside the n-gram baseline and the untuned model it is said which is better, or that they are not significantly different.",
    },
    {
      title: "Many comparisons",
      text: "The primary family holds one question for each task and model: the mixture chosen on dev against training on the task alone; p values are Holm's. The heat-map is exploratory: Benjamini and Hochberg's over all its fields. The best on test is shown with a simultaneous interval (max-T over all mixtures), since the highest of many is partly luck.",
    },
    {
      title: "Doses and sizes",
      text: `The interval of a point is a ${level} t interval over its seeds on the same test items, with the seeds' variance pooled over all points of the curve. Points that such an interval cannot tell from the highest are named with it, without correction for their number.`,
    },
    {
      title: "Equal numbers of trials",
      text: "The best of many runs is partly luck. So k runs of the task alone, over seeds and factors, are compared with k runs of mixtures that hold more: of each lot of k the run that is best on dev counts with its test score, averaged over all lots. There is no interval: this describes the runs of this study.",
    },
    {
      title: "Ingredients",
      text: "The effect of an ingredient on a task is that of adding it to mixtures that hold the task (to any mixture, for tasks that are never trained on), from a linear model of the mixtures' mean test scores, so that what the model does not say counts as noise. What pairs do beyond that is from a second model of the same means, where the design has pairs; where it has as many terms as there are mixtures, nothing is left to judge them by, and they have no intervals. What the runs do not determine is given no number. Corrected p values are Benjamini and Hochberg's, over all tasks of a model: one family of what other ingredients do, one of what a task's own data does, one of pairs.",
    },
    {
      title: "Losses",
      text: `A run's loss curves have at most ${lossPoints(numRuns)} points, fewer for many runs: each is the mean over a stretch of steps; of evaluations on dev the last of each stretch is shown.`,
    },
    {
      title: "Aggregate",
      text: "The interquartile mean over tasks and seeds of (score - majority) / (1 - majority): 0 is always giving the most frequent label, 1 is perfect. Its interval is of retraining on these tasks.",
    },
  ];
}
