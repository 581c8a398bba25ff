/** @file What goes wrong with a fine-tuning service, in words for the person who must act. No error carries a cause: a key might stand in it. */

import { DataError, type MixtuneError, SpecError, WorkerError } from "../base/errors.ts";
import type { Outcome } from "../eval/hosted/endpoint.ts";
import { accountRefusal, isUnknownModel, type Refused, saidWith, times, withoutStop } from "../eval/hosted/refusals.ts";
import type { RemoteJob } from "../eval/hosted/tuning-endpoint.ts";
import type { HostedJob } from "../runs/types.ts";

/** What was being done when it went wrong: the service, and in words what was asked of it. */
export interface Doing {
  host: string;
  model: string;
  what: "upload the training file" | "create the job" | "look at the job" | "look at the files" | "cancel the job";
  hasKey: boolean;
}

/** How an answer failed to come. */
export type Failed = Exclude<Outcome, { kind: "answered" }>;

const KEPT = "what the service has already is kept and is not sent or paid for again.";

/** The error behind an answer that did not come, once there is nothing to be gained by trying again. */
export function failureOf(outcome: Failed, { host, model, what, hasKey }: Doing, tries: number): MixtuneError {
  const place = `${host}: ${what}`;
  if (outcome.kind === "redirected") {
    return new SpecError({
      place,
      expected: "an answer from the endpoint itself",
      got: `status ${outcome.status}: a redirect to ${outcome.to}`,
      remedy: "Neither key nor rows were sent there. If you trust it, give its whole address as options.baseUrl.",
    });
  }
  if (outcome.kind === "dropped") {
    return new WorkerError({
      place,
      expected: "an answer",
      got: `${outcome.reason}, ${times(tries)}`,
      remedy: `Check the connection and options.baseUrl, then start again: ${KEPT}`,
    });
  }
  const ofAccount = accountRefusal(outcome, place, { host, hasKey }, KEPT);
  if (ofAccount !== undefined) return ofAccount;
  const { status, complaint } = outcome;
  const got = saidWith(status, complaint);
  if (status === 429 || status >= 500) {
    return new WorkerError({
      place,
      expected: "an answer",
      got: `${got}, ${times(tries)}`,
      remedy: `Start again later: ${KEPT}`,
    });
  }
  if (what === "create the job" && isNoBase(outcome)) {
    return new SpecError({
      place,
      expected: "a model that the service fine-tunes",
      got,
      remedy: `Name one of its list of models for fine-tuning in models, in place of openai:${model}.`,
    });
  }
  if (status === 403) {
    return new SpecError({
      place,
      expected: "permission to fine-tune",
      got,
      remedy: "Check what the key, its project and your region are allowed.",
    });
  }
  if (status === 404 || status === 405) {
    return new SpecError({
      place,
      expected: "an OpenAI-compatible service with /files and /fine_tuning/jobs",
      got,
      remedy: "Check options.baseUrl (it usually ends in /v1), and whether the service does fine-tuning.",
    });
  }
  return new DataError({
    place,
    expected: what === "upload the training file" ? "a file that the service takes" : "a request that it takes",
    got,
    remedy: `Change what it complains about, then start again: ${KEPT}`,
  });
}

/** A base that is not there, or not for fine-tuning. */
function isNoBase({ complaint }: Refused): boolean {
  const { message, param, code } = complaint;
  if (isUnknownModel(complaint) || param === "model") return true;
  return (
    /model_not_available/i.test(code) ||
    /(not|n't) (available|supported|allowed|be used|support).{0,40}fine.?tun/i.test(message)
  );
}

/** The file was looked at and is not what the service wants. */
export function fileRefused(host: string, name: string, details: string): DataError {
  return new DataError({
    place: `${host}: ${name}`,
    expected: "a training file that the service takes",
    got: details === "" ? "status error, and no reason" : details,
    remedy: "Change the data as it says (services want at least ten rows, and none too long), then start again.",
  });
}

/** A job that ended without a model. */
export function jobEnded({ id, status, error }: RemoteJob, host: string): WorkerError {
  const place = `${host}: job ${id}`;
  if (/^cancell?ed$/.test(status)) {
    return new WorkerError({
      place,
      expected: "a job that ends by itself",
      got: "cancelled, by somebody else or by mixtune cancel",
      remedy: "Start again for a new job, which is paid for anew.",
    });
  }
  const { code, message } = error ?? { code: "", message: "" };
  const reason = [code, withoutStop(message)].filter((part) => part !== "").join(": ");
  const isData = /file|data|example|token|moderation|policy/i.test(`${code} ${message}`);
  return new WorkerError({
    place,
    expected: "a fine-tuned model",
    got: `status ${status}${reason === "" ? ", and no reason" : `: ${reason}`}`,
    remedy: isData
      ? "Change the data as it says, then start again: a new job is created, and paid for if it trains."
      : "Start again for a new job, which is paid for if it trains.",
  });
}

/** A job that succeeded and names no model. */
export function noModel({ id }: RemoteJob, host: string, waitedMs: number): WorkerError {
  return new WorkerError({
    place: `${host}: job ${id}`,
    expected: "the name of the fine-tuned model",
    got: `none, ${Math.round(waitedMs / 60_000)} minutes after the job succeeded`,
    remedy: "Start again later: the job is kept and is not paid for again.",
  });
}

/** The service does not know a job of its own. */
export function jobGone({ id }: HostedJob, host: string, path: string): WorkerError {
  return new WorkerError({
    place: `${host}: job ${id}`,
    expected: "the job that was created",
    got: "status 404: the service does not know it",
    remedy: `Check that OPENAI_API_KEY is of the same account and project. If the job is gone for good, delete ${path}: the next call creates, and pays for, a new one.`,
  });
}

/** It cannot be known whether the job exists. */
export function cannotList(host: string, { file }: HostedJob, path: string): WorkerError {
  return new WorkerError({
    place: `${host}`,
    expected: "the list of jobs, to see whether the one that was asked for exists",
    got: "a service that does not give it",
    remedy: `Look there for a job of the file ${file.id}. If there is one, write its id into ${path} as "id"; if not, delete the "asked_at" there; then start again.`,
  });
}

/** A run that began at another service. */
export function otherEndpoint(path: string, before: string, now: string): SpecError {
  return new SpecError({
    place: path,
    expected: `the service that the run began at, ${before}`,
    got: now,
    remedy: "Give its address as options.baseUrl, with its key; a key is sent nowhere that you did not name.",
  });
}
