/** @file Files of the hub, fetched with a progress line. */

import type { FetchProgress, Snapshot } from "../../hub/types.ts";
import type { Context } from "../context.ts";
import { progressLine } from "./progress.ts";

/** A progress line for bytes. */
export interface FetchLine {
  update(progress: FetchProgress): void;
  close(): void;
}

/** @param label what is fetched, for people */
export function fetchLine(context: Context, label: string): FetchLine {
  const line = progressLine(context);
  return {
    update: ({ path, doneBytes, totalBytes }) =>
      line.update(
        { label, index: 1, total: 1, secondsAfter: 0 },
        { id: label, phase: path, done: doneBytes / 1e6, total: totalBytes / 1e6, unit: "MB" },
      ),
    close: () => line.close(),
  };
}

/** Fetches files of a snapshot and shows how far it is. @returns their local paths */
export async function fetchShown(
  context: Context,
  label: string,
  snapshot: Snapshot,
  paths: readonly string[],
): Promise<string[]> {
  const line = fetchLine(context, label);
  try {
    return await context.hub.fetch(snapshot, paths, line.update);
  } finally {
    line.close();
  }
}
