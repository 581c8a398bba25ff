/**
 * @file A small fine-tuning service on the loopback interface that behaves as OpenAI documents files, fine_tuning.jobs and chat completions, and
 * badly wherever a test asks for it. A job moves on a stage each time it is looked at; what it trains answers as the likest row of its file does.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What it does to a request instead of answering, or beside it. Used up one by one, by the requests that fit. */
export interface Mischief {
  /** `POST /fine_tuning/jobs`, without the version; a pattern. */
  on: RegExp;
  times?: number;
  status?: number;
  body?: string;
  headers?: Record<string, string>;
  /** Drops the connection, having done nothing (`before`) or all that was asked (`after`). */
  hangUp?: "before" | "after";
  /** Answers when this is done, having been asked before. */
  first?(): Promise<void>;
}

export interface ServedFile {
  id: string;
  filename: string;
  text: string;
  purpose: string;
}

export interface ServedJob {
  id: string;
  model: string;
  training_file: string;
  status: string;
  looks: number;
  seed: number | null;
  suffix: string | null;
  hyperparameters: Record<string, unknown>;
  fine_tuned_model: string | null;
  trained_tokens: number | null;
  error: { code: string; message: string; param: string | null } | null;
}

export interface TuningServer {
  /** `http://127.0.0.1:port/v1` */
  baseUrl: string;
  files: ServedFile[];
  jobs: ServedJob[];
  mischief: Mischief[];
  /** Every request so far, as `POST /files`, with its headers. */
  seen: { what: string; headers: IncomingMessage["headers"] }[];
  close(): Promise<void>;
}

export interface TuningServerOptions {
  apiKey?: string;
  /** Rows that a file must have at least; OpenAI's is 10. */
  minRows?: number;
  /** Members of a job's request that are refused. */
  refuses?: readonly string[];
  /** Looks at a job before it is done. */
  looks?: number;
  /** Looks at a file before it is processed. */
  fileLooks?: number;
  /** Chats with a new model that are answered with 404. */
  notReady?: number;
  /** Looks at a job that has succeeded before it names its model. */
  nameless?: number;
  /** Entries of a page, whatever is asked for. */
  pageSize?: number;
  /** Makes jobs fail so. */
  fails?: { code: string; message: string };
  /** Its list of models has this to say of the base model. */
  ofBase?: object;
  /** Without these, answered with 404: `/fine_tuning/jobs/…/events`. */
  lacks?: RegExp;
}

export const BASE = "tunable";
const STEPS_PER_LOOK = 2;

/** Starts it. */
export async function startTuningServer(options: TuningServerOptions = {}): Promise<TuningServer> {
  const { apiKey, minRows = 10, refuses = [], looks = 3, fileLooks = 0, nameless = 0, pageSize = 100 } = options;
  const files: (ServedFile & { looks: number })[] = [];
  const jobs: ServedJob[] = [];
  const mischief: Mischief[] = [];
  const seen: TuningServer["seen"] = [];
  let notReady = options.notReady ?? 0;

  const problem = (status: number, message: string, code: string | null = null, param: string | null = null) =>
    answer(status, { error: { message, type: "invalid_request_error", param, code } });

  const fileObject = ({ id, filename, text, looks: n }: (typeof files)[number]) => ({
    ...{ object: "file", id, filename, purpose: "fine-tune", created_at: 1, bytes: Buffer.byteLength(text) },
    status: n >= fileLooks ? "processed" : "uploaded",
  });

  const jobObject = ({ looks: _looks, ...job }: ServedJob) => ({
    ...{ object: "fine_tuning.job", organization_id: "org-1", result_files: [], validation_file: null },
    ...{ created_at: 1000, finished_at: /succeeded|failed|cancelled/.test(job.status) ? 1100 : null },
    ...job,
    method: { type: "supervised", supervised: { hyperparameters: job.hyperparameters } },
  });

  const rowsOf = (fileId: string): { prompt: string; answer: string }[] =>
    files
      .find(({ id }) => id === fileId)!
      .text.split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const { messages } = JSON.parse(line);
        if (messages.at(-1).role !== "assistant") throw new Error("the last message must be from the assistant");
        return { prompt: messages.at(-2).content, answer: messages.at(-1).content };
      });

  const numSteps = (job: ServedJob) => STEPS_PER_LOOK * Math.max(0, Math.min(job.looks, looks) - 1);

  /** validating_files, queued, running, then the end. */
  const moveOn = (job: ServedJob) => {
    if (/succeeded|failed|cancelled/.test(job.status)) {
      job.looks++;
      if (job.status === "succeeded" && job.looks > looks + nameless) nameModel(job);
      return;
    }
    job.looks++;
    try {
      const { length } = rowsOf(job.training_file);
      if (length < minRows)
        throw new Error(`Training file has ${length} example(s), but must have at least ${minRows} examples`);
    } catch (error) {
      job.status = "failed";
      job.error = { code: "invalid_training_file", message: (error as Error).message, param: "training_file" };
      return;
    }
    job.status = job.looks === 1 ? "queued" : "running";
    if (job.looks < looks) return;
    if (options.fails !== undefined) {
      job.status = "failed";
      job.error = { ...options.fails, param: null };
      return;
    }
    job.status = "succeeded";
    job.trained_tokens = trainedTokens(job);
    if (nameless === 0) nameModel(job);
  };
  const nameModel = (job: ServedJob) => {
    job.fine_tuned_model = `ft:${job.model}:org:${job.suffix ?? ""}:${job.id.slice(-4)}`;
  };
  const trainedTokens = (job: ServedJob) => {
    const chars = rowsOf(job.training_file).reduce(
      (sum, { prompt, answer: text }) => sum + prompt.length + text.length,
      0,
    );
    return Math.ceil(chars / 4) * Number(job.hyperparameters.n_epochs);
  };

  const eventsOf = (job: ServedJob) => {
    const steps = Array.from({ length: numSteps(job) }, (_, i) => ({
      ...{ object: "fine_tuning.job.event", id: `ftevent-${job.id}-${i + 1}`, created_at: 1000 + i, level: "info" },
      ...{
        type: "metrics",
        message: `Step ${i + 1}`,
        data: { step: i + 1, train_loss: 2 / (i + 1), total_steps: numSteps({ ...job, looks }) },
      },
    }));
    const first = { object: "fine_tuning.job.event", id: `ftevent-${job.id}-0`, created_at: 999, level: "info" };
    return [{ ...first, type: "message", message: "Created", data: {} }, ...steps].reverse();
  };

  const page = (all: readonly { id: string }[], query: URLSearchParams) => {
    const after = query.get("after");
    const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const size = Math.min(pageSize, Number(query.get("limit") ?? 20));
    const data = all.slice(from, from + size);
    return answer(200, { object: "list", data, has_more: from + size < all.length });
  };

  const route = async (what: string, query: URLSearchParams, req: IncomingMessage, body: Buffer<ArrayBuffer>) => {
    const [, jobId = "", part = ""] = /^\w+ \/fine_tuning\/jobs\/([^/]+)\/?(\w*)$/.exec(what) ?? [];
    const job = jobs.find(({ id }) => id === jobId);
    const [, fileId] = /^GET \/files\/([^/]+)$/.exec(what) ?? [];
    if (what === "POST /files") {
      const form = await new Response(body, {
        headers: { "Content-Type": req.headers["content-type"] ?? "" },
      }).formData();
      const file = form.get("file");
      if (!(file instanceof File)) return problem(400, "'file' is a required property");
      if (!file.name.endsWith(".jsonl"))
        return problem(400, "Expected file to have JSONL format", "invalid_file_format");
      const one = { id: `file-${files.length + 1}`, filename: file.name, text: await file.text(), looks: 0 };
      files.push({ ...one, purpose: String(form.get("purpose")) });
      return answer(200, fileObject(files.at(-1)!));
    }
    if (what === "GET /files") return page(files.toReversed().map(fileObject), query);
    if (fileId !== undefined) {
      const file = files.find(({ id }) => id === fileId);
      if (file === undefined) return problem(404, `No such File object: ${fileId}`);
      file.looks++;
      return answer(200, fileObject(file));
    }
    if (what === "POST /fine_tuning/jobs") return create(JSON.parse(body.toString()));
    if (what === "GET /fine_tuning/jobs") return page(jobs.toReversed().map(jobObject), query);
    if (jobId !== "") {
      if (job === undefined) return problem(404, `Could not find fine tune: ${jobId}`, "fine_tune_not_found");
      if (part === "events") return page(eventsOf(job), query);
      if (part === "checkpoints") return page(checkpointsOf(job), query);
      if (part === "cancel") {
        if (/succeeded|failed|cancelled/.test(job.status)) return problem(400, `Job has already completed: ${jobId}`);
        job.status = "cancelled";
        return answer(200, jobObject(job));
      }
      moveOn(job);
      return answer(200, jobObject(job));
    }
    if (what === "GET /models") return answer(200, { object: "list", data: [{ id: BASE, ...options.ofBase }] });
    if (what === "POST /chat/completions") return chat(JSON.parse(body.toString()));
    return problem(404, `Invalid URL (${what})`);
  };

  const create = (body: Record<string, unknown>) => {
    const refused = refuses.find((name) => name in body);
    if (refused !== undefined) return problem(400, `Unknown parameter: '${refused}'.`, "unknown_parameter", refused);
    if (body.model !== BASE)
      return problem(
        400,
        `Model ${body.model} is not available for fine-tuning or does not exist.`,
        "model_not_available",
      );
    if (!files.some(({ id }) => id === body.training_file))
      return problem(400, `File ${body.training_file} does not exist`, "invalid_request", "training_file");
    const method = body.method as { supervised: { hyperparameters: Record<string, unknown> } } | undefined;
    const asked = method?.supervised.hyperparameters ?? (body.hyperparameters as Record<string, unknown>) ?? {};
    jobs.push({
      id: `ftjob-${String(jobs.length + 1).padStart(4, "0")}`,
      ...{ model: BASE, training_file: String(body.training_file), status: "validating_files", looks: 0 },
      ...{ seed: (body.seed as number) ?? null, suffix: (body.suffix as string) ?? null },
      hyperparameters: { n_epochs: 3, batch_size: 1, learning_rate_multiplier: 1.8, ...asked },
      ...{ fine_tuned_model: null, trained_tokens: null, error: null },
    });
    return answer(200, jobObject(jobs.at(-1)!));
  };

  const checkpointsOf = (job: ServedJob) => {
    if (job.status !== "succeeded") return [];
    const steps = [2, 1].map((step) => ({ id: `ftckpt-${step}`, step_number: step, created_at: step }));
    return steps.map((one) => ({
      ...{ object: "fine_tuning.job.checkpoint", fine_tuning_job_id: job.id, metrics: { train_loss: 1 } },
      ...{ ...one, fine_tuned_model_checkpoint: `ft:${job.model}:org::${one.id}` },
    }));
  };

  const chat = ({ model, messages }: { model: string; messages: { content: string }[] }) => {
    const job = jobs.find(({ fine_tuned_model }) => fine_tuned_model === model);
    if ((job === undefined && model !== BASE) || (job !== undefined && notReady-- > 0))
      return problem(404, `The model \`${model}\` does not exist or you do not have access to it.`, "model_not_found");
    const asked = messages.at(-1)!.content;
    const content = job === undefined ? "I do not know." : likest(asked, rowsOf(job.training_file));
    const choices = [{ index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop" }];
    const usage = { prompt_tokens: asked.length, completion_tokens: content.length, total_tokens: 0 };
    return answer(200, { object: "chat.completion", id: "chatcmpl-1", model, choices, usage });
  };

  const server = createServer(async (req, res) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of req) pieces.push(piece);
    } catch {
      return; // the sender went away in the middle
    }
    const { pathname, searchParams } = new URL(req.url ?? "", "http://x");
    const what = `${req.method} ${pathname.replace(/^\/v1/, "")}`;
    seen.push({ what, headers: req.headers });
    const bad = mischief.find(({ on, times = 1 }) => times > 0 && on.test(what));
    if (bad !== undefined) bad.times = (bad.times ?? 1) - 1;
    await bad?.first?.();
    if (bad?.hangUp === "before") return void res.destroy();
    if (bad?.status !== undefined) return void res.writeHead(bad.status, bad.headers).end(bad.body ?? "");
    if (apiKey !== undefined && req.headers.authorization !== `Bearer ${apiKey}`)
      return problem(401, `Incorrect API key provided: ${req.headers.authorization}.`, "invalid_api_key").send(res);
    const found = options.lacks?.test(what)
      ? problem(404, `Invalid URL (${what})`)
      : await route(what, searchParams, req, Buffer.concat(pieces));
    if (bad?.hangUp === "after") return void res.destroy();
    found.send(res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    ...{ files, jobs, mischief, seen },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(status: number, body: unknown): { send(res: ServerResponse): void } {
  return {
    send: (res) => {
      res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    },
  };
}

/** The answer of the row that has the most words with a prompt in common. */
function likest(prompt: string, rows: readonly { prompt: string; answer: string }[]): string {
  const words = new Set(prompt.toLowerCase().split(/\W+/));
  const inCommon = (text: string) =>
    text
      .toLowerCase()
      .split(/\W+/)
      .filter((word) => words.has(word)).length;
  return rows.reduce((best, row) => (inCommon(row.prompt) > inCommon(best.prompt) ? row : best)).answer;
}
