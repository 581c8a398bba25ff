/** @file What the environment says. The only place that reads it. */

import { homedir } from "node:os";
import { join } from "node:path";

/** Settings that come from the environment. */
export interface Settings {
  /** MIXTUNE_DATA: folder of local copies of catalogue data. */
  dataRoot: string | undefined;
  /** MIXTUNE_THREADS: intra-op threads of a run; part of the run id. */
  threads: number | undefined;
  /** MIXTUNE_CACHE, else mixtune in XDG_CACHE_HOME or ~/.cache: what can be made again. */
  cacheDir: string;
  /** NO_COLOR and CI: no rewritten lines. */
  isPlain: boolean;
}

export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const threads = Number(environment.MIXTUNE_THREADS);
  return {
    dataRoot: environment.MIXTUNE_DATA || undefined,
    threads: Number.isInteger(threads) && threads > 0 ? threads : undefined,
    cacheDir: environment.MIXTUNE_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "mixtune"),
    isPlain: Boolean(environment.NO_COLOR) || Boolean(environment.CI) || environment.TERM === "dumb",
  };
}
