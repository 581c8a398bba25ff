/** @file The jobs that a prepared study consists of. */

import { lengthWithShots } from "../../data/tokens/few-shot.ts";
import { numericsOf } from "../../specs/train.ts";
import { baselineDir, runDir } from "../../study/scored.ts";
import type { Job, PlannedRun, TimeParts } from "../../study/types.ts";
import { hostedEval } from "./hosted/hosted-study.ts";
import { dataOfJobs, type PlannedStudy } from "./planned-study.ts";

/** A job with what it should take, before anything was measured. */
export interface PlannedJob {
  job: Job;
  time: TimeParts;
}

/** The jobs of a study: the untuned models, then the runs. */
export function jobsOf(planned: PlannedStudy): PlannedJob[] {
  const { input, dir, models, plan, lock } = planned;
  const { study } = input;
  const untuned = lock.baselines.flatMap(({ id, kind, model, few_shot }): PlannedJob[] => {
    if (kind !== "base" || model === undefined) return [];
    const job: Job = {
      kind: "base",
      numerics: numericsOf(study.train),
      id,
      dir: baselineDir(dir, id),
      model,
      model_dir: models[model]!.folder,
      ...(few_shot === undefined ? {} : { few_shot }),
      cutoff_len: lengthWithShots(study.train.cutoff_len, few_shot ?? 0),
      ...commonOf(planned),
    };
    return [{ job, time: planned.untunedTime(model, few_shot ?? 0) }];
  });
  return [...untuned, ...plan.map((run) => ({ job: jobOfRun(planned, run), time: run.estimate.time }))];
}

/** What a worker gets to train and score a run. */
export function jobOfRun(planned: PlannedStudy, run: PlannedRun): Extract<Job, { kind: "run" }> {
  const { id, model, spec, caps } = run;
  return {
    kind: "run",
    id,
    dir: runDir(planned.dir, id),
    model,
    model_dir: planned.models[model]!.folder,
    spec,
    ...(Object.keys(caps).length > 0 && { caps }),
    cutoff_len: spec.train.cutoff_len,
    ...commonOf(planned),
  };
}

function commonOf({ input: { study }, specs, lock, data }: PlannedStudy) {
  return {
    tasks: Object.values(specs),
    eval_tasks: Object.keys(study.tasks),
    ...dataOfJobs(data),
    eval: lock.worker.kind === "hosted" ? hostedEval(study.eval) : study.eval,
    threads: lock.worker.threads,
  };
}
