/** @file Files and fine-tuning jobs of the endpoint that chats go to: OpenAI's calls, one try each, and what of their answers is believed. */

import { z } from "zod";
import { type Outcome, openEndpoint } from "./endpoint.ts";
import type { HostedSettings } from "./settings.ts";

/** An uploaded file. */
export interface RemoteFile {
  id: string;
  bytes: number;
  filename: string;
  /** `uploaded`, `processed`, `error`, or what else the service says. */
  status: string;
  status_details: string;
}

/** A fine-tuning job as the service has it. */
export interface RemoteJob {
  id: string;
  model: string;
  training_file: string;
  /** `validating_files`, `queued`, `running`, `succeeded`, `failed`, `cancelled`, or what else the service says. */
  status: string;
  fine_tuned_model: string | null;
  /** What was billed; null until the job has ended, and where the service does not tell. */
  trained_tokens: number | null;
  /** Seconds since 1970. */
  created_at: number | null;
  finished_at: number | null;
  error: { code: string; message: string } | null;
  /** As the service resolved them. */
  hyperparameters: Record<string, unknown>;
  seed: number | null;
}

/** Something that happened in a job. */
export interface JobEvent {
  id: string;
  /** Seconds since 1970. */
  created_at: number;
  level: string;
  message: string;
  /** Of a step; absent in other events. */
  metrics: { step: number; train_loss: number; total_steps: number | null } | null;
}

/** A model that a job left on its way. */
export interface JobCheckpoint {
  step: number;
  model: string;
}

/** What a job is asked for: settings that fine-tuning services have. */
export interface JobRequest {
  model: string;
  training_file: string;
  n_epochs: number;
  /** Absent: the service decides. */
  batch_size?: number;
  learning_rate_multiplier?: number;
  seed: number;
  /** Stands in the name of the model that comes. */
  suffix: string;
}

/** Members of a request that a service may not know; without them the job is the same, but for what is said of it. */
export type OptionalMember = "method" | "seed" | "suffix";

/** An answer, or how it failed to come. */
export type Reply<T> = { kind: "answered"; body: T } | Exclude<Outcome, { kind: "answered" }>;

export interface Page<T> {
  data: T[];
  has_more: boolean;
}

export interface TuningEndpoint {
  host: string;
  upload(name: string, content: Uint8Array<ArrayBuffer>): Promise<Reply<RemoteFile>>;
  file(id: string): Promise<Reply<RemoteFile>>;
  files(after?: string): Promise<Reply<Page<RemoteFile>>>;
  /** @param without  members that the service turned out not to know; `method`: said in the older way */
  create(request: JobRequest, without: ReadonlySet<OptionalMember>): Promise<Reply<RemoteJob>>;
  job(id: string): Promise<Reply<RemoteJob>>;
  jobs(after?: string): Promise<Reply<Page<RemoteJob>>>;
  cancel(id: string): Promise<Reply<RemoteJob>>;
  events(id: string, after?: string): Promise<Reply<Page<JobEvent>>>;
  checkpoints(id: string): Promise<Reply<Page<JobCheckpoint>>>;
}

/** Entries of a page of a list. */
const PAGE = 100;

/** Opens it; nothing is sent yet. @throws {SpecError} an address or a key that cannot be used */
export function openTuningEndpoint(
  settings: Pick<HostedSettings, "baseUrl" | "apiKey" | "organisation" | "timeoutMs">,
): TuningEndpoint {
  const endpoint = openEndpoint({ ...settings, api: "chat" });
  const ask = async <T>(what: string, schema: z.ZodType<T>, request: Parameters<typeof endpoint.ask>[0]) => {
    const outcome = await endpoint.ask(request);
    if (outcome.kind !== "answered") return outcome;
    const { data } = schema.safeParse(outcome.body);
    if (data === undefined) return { kind: "dropped", reason: `JSON without ${what} in it` } as const;
    return { kind: "answered", body: data } as const;
  };
  const page = (after: string | undefined) => ({ limit: PAGE, ...(after === undefined ? {} : { after }) });
  return {
    host: endpoint.host,
    upload: (name, content) =>
      ask("a file", fileSchema, (client) =>
        client.files.create({ file: new File([content], name), purpose: "fine-tune" }),
      ),
    file: (id) => ask("a file", fileSchema, (client) => client.files.retrieve(id)),
    files: (after) =>
      ask("a list of files", pageOf(fileSchema), (client) =>
        client.files.list({ purpose: "fine-tune", ...page(after) }),
      ),
    create: (request, without) =>
      ask("a fine-tuning job", jobSchema, (client) => client.fineTuning.jobs.create(bodyOf(request, without))),
    job: (id) => ask("a fine-tuning job", jobSchema, (client) => client.fineTuning.jobs.retrieve(id)),
    jobs: (after) => ask("a list of jobs", pageOf(jobSchema), (client) => client.fineTuning.jobs.list(page(after))),
    cancel: (id) => ask("a fine-tuning job", jobSchema, (client) => client.fineTuning.jobs.cancel(id)),
    events: (id, after) =>
      ask("a list of events", pageOf(eventSchema), (client) => client.fineTuning.jobs.listEvents(id, page(after))),
    checkpoints: (id) =>
      ask("a list of checkpoints", pageOf(checkpointSchema), (client) =>
        client.fineTuning.jobs.checkpoints.list(id, page(undefined)),
      ),
  };
}

/** @source OpenAI's API reference, fine_tuning.jobs.create: `method`, before it `hyperparameters` beside the model */
function bodyOf(request: JobRequest, without: ReadonlySet<OptionalMember>) {
  const { model, training_file, n_epochs, batch_size, learning_rate_multiplier, seed, suffix } = request;
  const hyperparameters = {
    n_epochs,
    ...(batch_size === undefined ? {} : { batch_size }),
    ...(learning_rate_multiplier === undefined ? {} : { learning_rate_multiplier }),
  };
  return {
    model,
    training_file,
    ...(without.has("method")
      ? { hyperparameters }
      : { method: { type: "supervised" as const, supervised: { hyperparameters } } }),
    ...(without.has("seed") ? {} : { seed }),
    ...(without.has("suffix") ? {} : { suffix }),
  };
}

const id = z.string().min(1).max(500);
const text = z.string().nullish().catch(null);
const number = z.number().nullish().catch(null);

const fileSchema = z
  .looseObject({ id, bytes: z.number(), filename: z.string(), status: text, status_details: text })
  .transform(
    ({ id, bytes, filename, status, status_details }): RemoteFile => ({
      ...{ id, bytes, filename },
      status: status ?? "",
      status_details: status_details ?? "",
    }),
  );

/** OpenAI's older jobs have an error of nulls. */
const error = z
  .looseObject({ code: text, message: text })
  .transform(({ code, message }) => (message || code ? { code: code ?? "", message: message ?? "" } : null))
  .nullish()
  .catch(null);

const jobSchema = z
  .looseObject({
    ...{ id, model: z.string(), training_file: z.string(), status: z.string().min(1) },
    ...{ fine_tuned_model: text, trained_tokens: number, created_at: number, finished_at: number, seed: number, error },
    hyperparameters: z.record(z.string(), z.unknown()).nullish().catch(null),
    method: z
      .looseObject({ supervised: z.looseObject({ hyperparameters: z.record(z.string(), z.unknown()) }) })
      .nullish()
      .catch(null),
  })
  .transform(
    (job): RemoteJob => ({
      ...{ id: job.id, model: job.model, training_file: job.training_file, status: job.status },
      fine_tuned_model: job.fine_tuned_model || null,
      trained_tokens: job.trained_tokens ?? null,
      created_at: job.created_at ?? null,
      finished_at: job.finished_at || null,
      error: job.error ?? null,
      hyperparameters: job.method?.supervised.hyperparameters ?? job.hyperparameters ?? {},
      seed: job.seed ?? null,
    }),
  );

const metrics = z
  .looseObject({ step: z.int().positive(), train_loss: z.number(), total_steps: number })
  .transform(({ step, train_loss, total_steps }) => ({ step, train_loss, total_steps: total_steps ?? null }))
  .nullish()
  .catch(null);

const eventSchema = z.looseObject({ id, created_at: z.number(), level: text, message: text, data: metrics }).transform(
  ({ id, created_at, level, message, data }): JobEvent => ({
    ...{ id, created_at, level: level ?? "", message: message ?? "" },
    metrics: data ?? null,
  }),
);

const checkpointSchema = z.looseObject({ step_number: z.number(), fine_tuned_model_checkpoint: z.string() }).transform(
  ({ step_number, fine_tuned_model_checkpoint }): JobCheckpoint => ({
    step: step_number,
    model: fine_tuned_model_checkpoint,
  }),
);

function pageOf<T>(entry: z.ZodType<T>): z.ZodType<Page<T>> {
  return z
    .looseObject({ data: z.array(entry), has_more: z.boolean().nullish() })
    .transform(({ data, has_more }) => ({ data, has_more: has_more ?? false }));
}
