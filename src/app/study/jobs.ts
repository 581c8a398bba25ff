/** @file The jobs that a prepared study consists of. */

import { lengthWithShots } from "../../data/tokens/few-shot.ts";
import { numericsOf } from "../../specs/train.ts";
import type { QueuedJob } from "../../study/execute.ts";
import { baselineDir, runDir } from "../../study/scored.ts";
import type { Job } from "../../study/types.ts";
import { hostedEval } from "./hosted/hosted-study.ts";
import { dataOfJobs, type PlannedStudy } from "./planned-study.ts";

/** The jobs of a study: the untuned models, then the runs. */
export function jobsOf(planned: PlannedStudy): QueuedJob[] {
  const { input, dir, specs, models, plan, lock, data } = planned;
  const { study } = input;
  const common = {
    tasks: Object.values(specs),
    eval_tasks: Object.keys(study.tasks),
    ...dataOfJobs(data),
    eval: lock.worker.kind === "hosted" ? hostedEval(study.eval) : study.eval,
    threads: lock.worker.threads,
  };
  const untuned = lock.baselines.flatMap(({ id, kind, model, few_shot }): QueuedJob[] => {
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
      ...common,
    };
    return [{ job, seconds: 0 }];
  });
  const runs = plan.map((run): QueuedJob => {
    const { id, model, spec, caps } = run;
    const job: Job = {
      kind: "run",
      id,
      dir: runDir(dir, id),
      model,
      model_dir: models[model]!.folder,
      spec,
      ...(Object.keys(caps).length > 0 && { caps }),
      cutoff_len: spec.train.cutoff_len,
      ...common,
    };
    return { job, seconds: run.estimate.seconds };
  });
  return [...untuned, ...runs];
}
