/** @file From an error to what a person reads and the exit status that a script reads. */

import { MixtuneError, WorkerError } from "../base/errors.ts";
import { withFlags } from "./options/flags.ts";

export const EXIT_DONE = 0;
/** Work failed. */
export const EXIT_FAILED = 1;
/** The request was wrong: usage, spec, data. */
export const EXIT_WRONG_REQUEST = 2;
/** Interrupted; can be resumed. */
export const EXIT_INTERRUPTED = 130;

/** Thrown where a command has said all there is to say. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/** Exit status of an error. */
export function exitStatus(error: unknown): number {
  if (error instanceof Exit) return error.status;
  if (error instanceof MixtuneError && !(error instanceof WorkerError)) return EXIT_WRONG_REQUEST;
  return EXIT_FAILED;
}

/** What a person reads; the stack only when asked for. */
export function describeError(error: unknown, debug: boolean): string {
  if (error instanceof MixtuneError) return withFlags(debug ? `${error.message}\n${error.stack}` : error.message);
  const message = error instanceof Error ? error.message : String(error);
  if (debug && error instanceof Error) return error.stack ?? message;
  return `internal error: ${message}\n  This is a fault of mixtune. Run again with --debug to see where, and report it.`;
}

/** The same for a machine. */
export function errorRecord(error: unknown): Record<string, string> {
  if (!(error instanceof MixtuneError))
    return { kind: "internal", message: error instanceof Error ? error.message : String(error) };
  const { name, place, expected, got, remedy } = error;
  return { kind: name, ...mapValues({ place, expected, got, remedy }, withFlags) };
}

function mapValues(record: Record<string, string>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
