/**
 * @file One fine-tuning job at a service, exactly once: whatever was sent is looked for before it is sent again, and job.json says in front of
 * the one request that costs money that it is about to be made. So a kill at any moment loses nothing and pays for nothing twice.
 */

import { sha256 } from "../base/digest.ts";
import type { Purse, Tokens } from "../eval/hosted/purse.ts";
import { mayPass, parameterNotTaken } from "../eval/hosted/refusals.ts";
import type { JobRequest, OptionalMember, RemoteFile, RemoteJob } from "../eval/hosted/tuning-endpoint.ts";
import { readHostedJob, runPaths, writeHostedJob } from "../runs/run-dir.ts";
import type { HostedJob } from "../runs/types.ts";
import { asked, doing, firstOf, type JobPlace, waitAfter } from "./hosted-ask.ts";
import { cannotList, failureOf, fileRefused, jobGone, otherEndpoint } from "./hosted-refusals.ts";

/** What a job is asked for, but for the file, which is `content`. */
export interface JobOrder {
  request: Omit<JobRequest, "training_file">;
  content: Uint8Array<ArrayBuffer>;
  rows: number;
  /** Of what it can come to; spent when the job is created. */
  most: Tokens;
  purse: Purse;
}

/** Whether a job came to an end without a model. */
export function isOver(status: string | undefined): boolean {
  return status !== undefined && /^(failed|cancell?ed)$/.test(status);
}

/** Whether a run's job goes on at the service, as far as is known here. */
export function isUnderWay({ id, asked_at, status }: HostedJob): boolean {
  return (id !== undefined || asked_at !== undefined) && !isOver(status) && status !== "succeeded";
}

/**
 * The job of a run, created unless there is one.
 * @returns its record, with its id; in the purse its most is set aside where it was created by this call
 * @throws {MixtuneError} whatever keeps it from being created
 */
export async function startJob(place: JobPlace, order: JobOrder): Promise<{ record: HostedJob; isNew: boolean }> {
  const { dir, run, baseUrl, endpoint, note } = place;
  let record = freshRecord(place, order);
  if (record.id !== undefined) return { record, isNew: false };
  const keep = (change: Partial<HostedJob>): HostedJob => {
    record = { ...record, ...change };
    writeHostedJob(dir, record);
    return record;
  };
  keep({ base_url: baseUrl });
  if (record.asked_at !== undefined) {
    const left = record.asked_at + place.patience.settleMs - place.now();
    if (left > 0) {
      note(
        `${endpoint.host}: run ${run} was stopped while its job was asked for; looking for it in ${Math.ceil(left / 1000)} s.`,
      );
      await place.sleep(left, place.signal);
    }
    const found = await findJob(place, record);
    if (found !== undefined) return { record: keep({ id: found.id, status: found.status }), isNew: false };
    const { asked_at: _never, ...rest } = record;
    writeHostedJob(dir, rest);
    record = freshRecord(place, order);
  }
  const file = await fileAt(place, order, record);
  keep({ file: { ...record.file, id: file.id } });
  await processed(place, file);
  return createJob(place, order, record, keep);
}

/** The record to go on with: a job that is over without a model is put aside, a file of other rows is forgotten. */
function freshRecord({ dir, run, baseUrl }: JobPlace, { request, content, rows }: JobOrder): HostedJob {
  const digest = sha256(content);
  const file = { name: `mixtune-${run}-${digest.slice(0, 12)}.jsonl`, sha256: digest, bytes: content.length, rows };
  const before = readHostedJob(dir);
  if (before === undefined) return { base_url: baseUrl, model: request.model, file };
  if (before.base_url !== baseUrl) throw otherEndpoint(runPaths.hostedJob(dir), before.base_url, baseUrl);
  if (before.id === undefined ? before.asked_at !== undefined : !isOver(before.status)) return before;
  const earlier = [...(before.earlier ?? []), ...(before.id === undefined ? [] : [before.id])];
  return {
    base_url: baseUrl,
    model: request.model,
    file: before.file.sha256 === digest ? before.file : file,
    ...(before.left_out === undefined ? {} : { left_out: before.left_out }),
    ...(earlier.length > 0 && { earlier }),
  };
}

/** The uploaded file: the one that is known, else one of its name and size, else uploaded now. */
async function fileAt(place: JobPlace, { content }: JobOrder, { file }: HostedJob): Promise<RemoteFile> {
  const { endpoint, signal } = place;
  if (file.id !== undefined) {
    const known = await asked(place, "look at the files", () => endpoint.file(file.id!), true);
    if (known !== undefined && known.status !== "error" && known.status !== "deleted") return known;
  }
  const find = async () => {
    const isOurs = (one: RemoteFile) =>
      one.filename === file.name && one.bytes === file.bytes && one.status !== "error" && one.status !== "deleted";
    return firstOf(place, "look at the files", (after) => endpoint.files(after), isOurs);
  };
  for (let tries = 1; ; tries++) {
    const found = await find();
    if (found !== undefined && found !== "no list") return found;
    signal.throwIfAborted();
    const reply = await endpoint.upload(file.name, content);
    if (reply.kind === "answered") return reply.body;
    await waitAfter(place, "upload the training file", reply, tries);
  }
}

/** Waits until the service has looked at the file. One that never says so looks when the job begins. */
async function processed(place: JobPlace, file: RemoteFile): Promise<void> {
  const { endpoint, patience } = place;
  const until = place.now() + patience.readyMs;
  for (let one = file, waitMs = patience.firstPollMs; ; waitMs = Math.min(waitMs * 1.5, patience.longestPollMs)) {
    if (one.status === "error") throw fileRefused(endpoint.host, one.filename, one.status_details);
    const isPending = one.status === "uploaded" || one.status === "pending";
    if (!isPending || place.now() >= until) return;
    await place.sleep(waitMs, place.signal);
    one = (await asked(place, "look at the files", () => endpoint.file(one.id)))!;
  }
}

async function createJob(
  place: JobPlace,
  { request, most, purse }: JobOrder,
  before: HostedJob,
  keep: (change: Partial<HostedJob>) => HostedJob,
): Promise<{ record: HostedJob; isNew: boolean }> {
  const { endpoint, run, dir, signal, note, now } = place;
  const without = new Set((before.left_out ?? []) as OptionalMember[]);
  const body = { ...request, training_file: before.file.id! };
  const there = await findJob(place, before, true);
  if (there !== undefined) {
    note(`${endpoint.host} has job ${there.id} of run ${run} already: going on with it, nothing is paid for again.`);
    return { record: keep({ id: there.id, status: there.status }), isNew: false };
  }
  await purse.take(most, signal);
  try {
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      keep({ asked_at: now() });
      const reply = await endpoint.create(body, without);
      if (reply.kind === "answered") {
        return { record: keep({ id: reply.body.id, status: reply.body.status }), isNew: true };
      }
      const isRefused = reply.kind === "refused" && !mayPass(reply.status, reply.complaint);
      if (isRefused || reply.kind === "redirected") {
        const { asked_at: _no, ...rest } = keep({});
        writeHostedJob(dir, rest);
        const member = reply.kind === "refused" ? memberNotTaken(reply.complaint) : undefined;
        if (member === undefined || without.has(member)) throw failureOf(reply, doing(place, "create the job"), tries);
        without.add(member);
        keep({ left_out: [...without] });
        tries--;
        continue;
      }
      await waitAfter(place, "create the job", reply, tries);
      // What broke off may still arrive.
      if (reply.kind === "dropped" || reply.status >= 500) await place.sleep(place.patience.settleMs, signal);
      const found = await findJob(place, keep({}));
      if (found !== undefined) return { record: keep({ id: found.id, status: found.status }), isNew: true };
    }
  } catch (error) {
    purse.release(most);
    throw error;
  }
}

function memberNotTaken(complaint: Parameters<typeof parameterNotTaken>[0]): OptionalMember | undefined {
  const name =
    parameterNotTaken(complaint) ??
    (/unknown|unrecognized|unsupported|extra/i.test(complaint.message) ? complaint.param : "");
  return (["method", "seed", "suffix"] as const).find((member) => member === name.split(".")[0]);
}

/**
 * The job of the record's file, those of earlier tries left out.
 * @param isOptional  without a list there is no such job; else that is an error, as nobody can say whether there is one
 */
async function findJob(place: JobPlace, record: HostedJob, isOptional = false): Promise<RemoteJob | undefined> {
  const { endpoint, dir } = place;
  const earlier = record.earlier ?? [];
  const isOurs = (job: RemoteJob) =>
    job.training_file === record.file.id && !earlier.includes(job.id) && !(isOptional && isOver(job.status));
  const found = await firstOf(place, "look at the job", (after) => endpoint.jobs(after), isOurs);
  if (found !== "no list") return found;
  if (isOptional) return undefined;
  throw cannotList(endpoint.host, record, runPaths.hostedJob(dir));
}

/**
 * Cancels the job of a run directory, where it goes on.
 * @returns its status; undefined where there is nothing to cancel
 */
export async function cancelJob(place: JobPlace): Promise<string | undefined> {
  const { dir, baseUrl, endpoint } = place;
  const record = readHostedJob(dir);
  if (record === undefined || !isUnderWay(record)) return undefined;
  if (record.base_url !== baseUrl) throw otherEndpoint(runPaths.hostedJob(dir), record.base_url, baseUrl);
  const id = record.id ?? (await findJob(place, record))?.id;
  if (id === undefined) return undefined;
  const reply = await endpoint.cancel(id);
  // One that has just ended cannot be cancelled: what it came to is what counts.
  const job =
    reply.kind === "answered" ? reply.body : await asked(place, "look at the job", () => endpoint.job(id), true);
  if (job === undefined) throw jobGone({ ...record, id }, endpoint.host, runPaths.hostedJob(dir));
  if (reply.kind !== "answered" && !isOver(job.status) && job.status !== "succeeded")
    throw failureOf(reply, doing(place, "cancel the job"), 1);
  writeHostedJob(dir, { ...record, id, status: job.status });
  return job.status;
}
