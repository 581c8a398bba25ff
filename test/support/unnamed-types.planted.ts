/** @file Signatures with types that have no name here: what unnamed-types.ts must find. */

import type { HubFile, HubRecord, HubSettings, RepoRef, Snapshot } from "../../src/hub/types.ts";
import type { Interval } from "../../src/stats/interval.ts";
import type { Job } from "../../src/study/types.ts";

export function withParameter(job: Job): number {
  return job.threads;
}

export interface Inherited extends Interval {
  snapshot: Snapshot;
}

/** Its type is inferred. */
export const inferred = (refs: readonly RepoRef[]) => refs[0]!;

export class Holder {
  private readonly hidden: HubFile;
  constructor(record: HubRecord) {
    const inside: HubSettings | undefined = undefined;
    this.hidden = { path: record.revision, bytes: inside === undefined ? 0 : 1 } as unknown as HubFile;
  }
  revision(): string {
    return this.hidden.path;
  }
}
