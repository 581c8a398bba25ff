/**
 * @file What is believed of a run's records when they are read back: a run may come from another machine or another language.
 * Members that are not known here are kept. A number that is missing or null was not finite when it was written.
 */

import { z } from "zod";
import type { Agreement } from "../specs/same-as.ts";
import type { TaskSpec } from "../specs/types.ts";
import { VERDICTS } from "../specs/verdicts.ts";
import type {
  CalibrationScores,
  HostedJob,
  Judgement,
  MetricsLine,
  Prediction,
  Receipt,
  RunStatus,
  Scores,
  Subject,
} from "./types.ts";

const count = z.number().int().nonnegative();
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? Number.NaN);
const numbers = z.record(z.string(), z.number());

/** Names of files and folders inside a checkpoint: never a path. */
const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

export const statusSchema = schemaOf<RunStatus>()(
  z.looseObject({
    state: z.enum(["planned", "running", "interrupted", "done", "failed"]),
    reason: z.string().optional(),
    pid: count.optional(),
    host: z.string().optional(),
    started: z.string().optional(),
    beat: z.string().optional(),
    step: count.optional(),
    num_steps: count.optional(),
    seconds: z.number().optional(),
  }),
);

export const metricsLineSchema = schemaOf<MetricsLine>()(
  z.looseObject({
    step: count,
    loss: number,
    loss_per_task: numbers,
    grad_norm: number,
    learning_rate: number,
    tokens: number,
    seconds: number,
    dev_loss: numbers.optional(),
    parts: count.optional(),
    recompute: z.boolean().optional(),
  }),
);

export const predictionSchema = schemaOf<Prediction>()(
  z.looseObject({
    id: z.string(),
    prompt_digest: z.string(),
    gold: z.string(),
    output: z.string(),
    parsed: z.string().nullable(),
    finish_reason: z.enum(["stop", "length"]).optional(),
    label_logprobs: numbers.optional(),
    constrained_output: z.string().optional(),
    scores: numbers,
    group: z.string(),
    prompt: z.string().optional(),
  }),
);

const verdict = z.enum(VERDICTS);

export const judgementSchema = schemaOf<Judgement>()(
  z.looseObject({
    id: z.string(),
    output_digest: z.string(),
    verdict: verdict.or(z.literal("undecided")),
    judges: z.array(z.looseObject({ judge: z.string(), verdict: verdict.nullable(), reason: z.string() })),
  }),
);

const metricValue = z.looseObject({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
  method: z.enum(["wilson", "bootstrap"]).optional(),
});
const metrics = z.record(z.string(), metricValue);

const calibration = z.looseObject({
  n: count,
  n_groups: count,
  accuracy: metricValue,
  judges: z.array(metricValue),
  alpha: metricValue.optional(),
  confusion: z.array(z.array(count)),
});

export const calibrationSchema = schemaOf<CalibrationScores>()(calibration);

export const scoresSchema = schemaOf<Scores>()(
  z.looseObject({
    tasks: z.record(
      z.string(),
      z.partialRecord(
        z.enum(["dev", "test"]),
        z.looseObject({
          n: count,
          n_groups: count,
          metrics,
          scoring: z.record(z.string(), metrics),
          outputs: z.looseObject({ valid: count, empty: count, cut: count }).optional(),
          top_answer: z.looseObject({ label: z.string(), given: count, gold: count }).optional(),
          judged: z
            .looseObject({ panel: z.string(), judges: z.array(z.string()), calibration: calibration.optional() })
            .optional(),
          // in the order in which they are written: what was read is written again to the same bytes
          scorers: count.optional(),
          predictions: z.string().optional(),
        }),
      ),
    ),
    digest: z.string().optional(),
  }),
);

const cap = z.number().int().positive().nullable();
const madeBy = z.record(z.string(), z.unknown());

/** Of a task the name alone is checked here; whoever loads the task checks the rest. */
export const subjectSchema: z.ZodType<Subject> = schemaOf<
  Omit<Subject, "tasks"> & { tasks: Record<string, Pick<TaskSpec, "name">> }
>()(
  z.looseObject({
    model: z.string(),
    at: z.string(),
    few_shot: count,
    tasks: z.record(z.string(), z.looseObject({ name: z.string() })),
    max_dev: cap,
    max_test: cap,
    made_by: madeBy.optional(),
    asked: z.record(z.string(), z.object({ dev: madeBy.optional(), test: madeBy.optional() })).optional(),
  }),
);

export const receiptSchema = schemaOf<Receipt>()(
  z.looseObject({
    versions: z.record(z.string(), z.string()),
    host: z.looseObject({ platform: z.string(), cpu: z.string(), cores: count, memory_bytes: count }),
    seed: z.number(),
    threads: count,
    cost: z.looseObject({ tokens: number, flops: number, seconds: number, peak_memory_bytes: number }),
    notes: z.array(z.string()).optional(),
    hosted: z
      .looseObject({
        base_url: z.string(),
        job: z.string(),
        fine_tuned_model: z.string(),
        trained_tokens: z.number().optional(),
        money: z.number().optional(),
        hyperparameters: z.record(z.string(), z.unknown()),
        service_seed: z.number().optional(),
        deviations: z.array(z.string()),
      })
      .optional(),
  }),
);

export const hostedJobSchema = schemaOf<HostedJob>()(
  z.looseObject({
    base_url: z.string(),
    model: z.string(),
    file: z.looseObject({
      name: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: count,
      rows: count,
      id: z.string().min(1).optional(),
    }),
    asked_at: z.number().optional(),
    id: z.string().min(1).optional(),
    status: z.string().optional(),
    fine_tuned_model: z.string().min(1).optional(),
    checkpoints: z.array(z.looseObject({ step: z.number(), model: z.string() })).optional(),
    left_out: z.array(z.string()).optional(),
    earlier: z.array(z.string()).optional(),
  }),
);

const checkpointRecord = z.looseObject({
  step: count,
  folder: plainName,
  files: z.record(plainName, z.string().regex(/^[0-9a-f]{64}$/)),
  dev_loss: z.number().optional(),
});

/** One committed checkpoint, as it stands in last.json and best.json. */
export interface CheckpointRecord {
  step: number;
  /** Inside checkpoints/. */
  folder: string;
  /** File name to hexadecimal SHA-256. */
  files: Record<string, string>;
  /** Mean dev loss over the mixture's tasks, where it was measured. */
  dev_loss?: number;
}

/** last.json: the newest checkpoint, and the best so far; one file, so that both change at once. */
export interface CheckpointIndex extends CheckpointRecord {
  best?: CheckpointRecord;
}

export const checkpointIndexSchema = schemaOf<CheckpointIndex>()(
  checkpointRecord.extend({ best: checkpointRecord.optional() }),
);

/** The type of the record is the one of types.ts, and must agree with it; zod would add `| undefined` to members that are only ever absent. */
function schemaOf<T>(): <S extends z.ZodType>(schema: S & Agreement<S, T>) => z.ZodType<T> {
  return (schema) => schema as z.ZodType as z.ZodType<T>;
}
