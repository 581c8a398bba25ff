/** @file How long to wait before the next try: what the server asks for, else doubling waits with jitter. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** The longest wait that a server may ask for; beyond it a person had better come back later. */
export const MAX_ASKED_WAIT_MS = 300_000;

/**
 * Milliseconds that a server asks to wait, by `retry-after-ms` or `Retry-After` in seconds or as a date; 0 where it does not.
 * A date counts from the server's own clock, where it tells it.
 */
export function askedWaitMs(headers: Headers, now: number): number {
  const ms = numberIn(headers.get("retry-after-ms"));
  if (ms !== undefined) return ms;
  const after = headers.get("Retry-After");
  const seconds = numberIn(after);
  if (seconds !== undefined) return seconds * 1000;
  const until = Date.parse(after ?? "") - (parsed(headers.get("Date")) ?? now);
  return Number.isFinite(until) ? Math.max(0, until) : 0;
}

/** Half a second before the second try, twice as long before each further one, each shortened by up to a half, so that clients part. */
export function backoffMs(tries: number, random: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (1 - random / 2);
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function parsed(date: string | null): number | undefined {
  const time = Date.parse(date ?? "");
  return Number.isFinite(time) ? time : undefined;
}
