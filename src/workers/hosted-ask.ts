/** @file Asking a fine-tuning service: again where that does no harm and may help, with waits, until it is answered or said what is wrong. */

import { mayPass, saidWith } from "../eval/hosted/refusals.ts";
import type { Page, Reply, TuningEndpoint } from "../eval/hosted/tuning-endpoint.ts";
import { askedWaitMs, backoffMs, MAX_ASKED_WAIT_MS } from "../eval/hosted/waits.ts";
import { readHostedJob } from "../runs/run-dir.ts";
import { type Doing, failureOf } from "./hosted-refusals.ts";

/** How patient it is; the command line's is in app/study/hosted/start.ts. */
export interface Patience {
  /** Between the first two looks at a job; each further wait is half as long again, up to `longestPollMs`. */
  firstPollMs: number;
  longestPollMs: number;
  /** A request that was under way when its process died has reached the service by then, or never will. */
  settleMs: number;
  /** A file has been looked at, and a job that has succeeded names its model, by then. */
  readyMs: number;
  /** Tries of one request in a row. */
  maxTries: number;
}

/** Where and with what a job is done. */
export interface JobPlace {
  /** Run directory. */
  dir: string;
  run: string;
  baseUrl: string;
  hasKey: boolean;
  endpoint: TuningEndpoint;
  patience: Patience;
  signal: AbortSignal;
  now(): number;
  random(): number;
  /** Rejects when the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  note(text: string): void;
}

/** Waits from here on are said. */
const LONG_WAIT_MS = 5000;

/**
 * Asks what can be asked again without harm, until it is answered.
 * @param isOptional  undefined where the service does not have it (status 404 or 405)
 */
export async function asked<T>(
  place: JobPlace,
  what: Doing["what"],
  ask: () => Promise<Reply<T>>,
  isOptional = false,
): Promise<T | undefined> {
  for (let tries = 1; ; tries++) {
    place.signal.throwIfAborted();
    const reply = await ask();
    if (reply.kind === "answered") return reply.body;
    if (isOptional && reply.kind === "refused" && (reply.status === 404 || reply.status === 405)) return undefined;
    await waitAfter(place, what, reply, tries);
  }
}

/** @throws {MixtuneError} there is nothing to be gained by trying again */
export async function waitAfter(
  place: JobPlace,
  what: Doing["what"],
  reply: Exclude<Reply<unknown>, { kind: "answered" }>,
  tries: number,
): Promise<void> {
  const passes = reply.kind === "dropped" || (reply.kind === "refused" && mayPass(reply.status, reply.complaint));
  const asked = reply.kind === "refused" ? askedWaitMs(reply.headers, place.now()) : 0;
  if (!passes || tries >= place.patience.maxTries || asked > MAX_ASKED_WAIT_MS)
    throw failureOf(reply, doing(place, what), tries);
  const waitMs = Math.max(asked, backoffMs(tries, place.random()));
  if (waitMs >= LONG_WAIT_MS) {
    const why = reply.kind === "refused" ? saidWith(reply.status, reply.complaint) : reply.reason;
    place.note(`${place.endpoint.host}: ${what}: ${why}; again in ${Math.ceil(waitMs / 1000)} s.`);
  }
  await place.sleep(waitMs, place.signal);
}

/** What is done at a place, for errors. */
export function doing({ endpoint, hasKey, dir }: JobPlace, what: Doing["what"]): Doing {
  return { host: endpoint.host, model: readHostedJob(dir)?.model ?? "", what, hasKey };
}

/** The first entry of a list that fits, whatever page it is on. */
export async function firstOf<T extends { id: string }>(
  place: JobPlace,
  what: Doing["what"],
  pageAfter: (after: string | undefined) => Promise<Reply<Page<T>>>,
  fits: (one: T) => boolean,
): Promise<T | undefined | "no list"> {
  const seen = new Set<string>();
  for (let after: string | undefined; ; ) {
    const page = await asked(place, what, () => pageAfter(after), true);
    if (page === undefined) return "no list";
    const found = page.data.find(fits);
    if (found !== undefined) return found;
    const last = page.data.at(-1)?.id;
    // A service that knows no pages gives the same one again.
    if (!page.has_more || last === undefined || seen.has(last)) return undefined;
    seen.add(last);
    after = last;
  }
}
