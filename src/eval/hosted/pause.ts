/** @file Holds back all requests to an endpoint: a server that asks one of them to wait means all. */

import type { HostedSettings } from "./settings.ts";

export class Pause {
  private until = 0;
  private readonly clock: HostedSettings["clock"];
  private readonly sleep: HostedSettings["sleep"];

  constructor({ clock, sleep }: Pick<HostedSettings, "clock" | "sleep">) {
    this.clock = clock;
    this.sleep = sleep;
  }

  /** Whether it lasts until then or longer. @param time  milliseconds since 1970 */
  covers(time: number): boolean {
    return this.until >= time;
  }

  extendTo(time: number): void {
    this.until = Math.max(this.until, time);
  }

  /** Waits for the end of the pause, also where it is extended meanwhile. @throws the signal's reason, where it fires */
  async wait(signal: AbortSignal): Promise<void> {
    for (let left = this.until - this.clock(); left > 0; left = this.until - this.clock()) {
      await this.sleep(left, signal);
    }
  }
}
