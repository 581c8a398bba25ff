/** @file The wait between two tries of a request, or the error that ends them. */

import type { Outcome } from "./endpoint.ts";
import type { Pause } from "./pause.ts";
import { type Asked, outOfTries } from "./refusals.ts";
import type { HostedSettings } from "./settings.ts";
import { askedWaitMs, backoffMs, MAX_ASKED_WAIT_MS } from "./waits.ts";

/** A wait that a person is told of. */
const NOTED_WAIT_MS = 5000;

export class Retries {
  private readonly settings: Pick<HostedSettings, "maxRetries" | "clock" | "random" | "sleep" | "note">;
  private readonly pause: Pause;

  constructor(settings: Retries["settings"], pause: Pause) {
    this.settings = settings;
    this.pause = pause;
  }

  /**
   * Waits after a try that failed; a wait that concerns all requests extends the pause instead.
   * @param tries  how many there were
   * @throws {WorkerError} out of tries, or the server asks for too long a wait
   */
  async wait(outcome: Outcome, tries: number, asked: Asked, signal: AbortSignal): Promise<void> {
    const { maxRetries, clock, random, sleep, note } = this.settings;
    const askedMs = outcome.kind === "refused" ? askedWaitMs(outcome.headers, clock()) : 0;
    if (tries > maxRetries || askedMs > MAX_ASKED_WAIT_MS) throw outOfTries(outcome, tries, askedMs, asked);
    const waitMs = askedMs > 0 ? askedMs : backoffMs(tries, random());
    const until = clock() + waitMs;
    if (waitMs > NOTED_WAIT_MS && !this.pause.covers(until)) {
      note?.(`${asked.host}: trying again in ${Math.ceil(waitMs / 1000)} s.`);
    }
    const concernsAll = outcome.kind === "refused" && (outcome.status === 429 || askedMs > 0);
    if (concernsAll) this.pause.extendTo(until);
    else await sleep(waitMs, signal);
  }
}
