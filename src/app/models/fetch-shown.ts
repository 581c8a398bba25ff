/** @file Files of the hub, fetched with progress. */

import type { FetchProgress, Snapshot } from "../../hub/types.ts";
import type { Workspace } from "../workspace.ts";

/** Reports bytes as the workspace's progress. @param label what is fetched, for people */
export function fetchProgress({ progress }: Workspace, label: string): (at: FetchProgress) => void {
  return ({ path, doneBytes, totalBytes }) =>
    progress({
      ...{ id: label, label, index: 1, pieces: 1 },
      ...{ phase: path, done: doneBytes / 1e6, total: totalBytes / 1e6, unit: "MB" },
    });
}

/** Fetches files of a snapshot. @returns their local paths */
export function fetchShown(
  workspace: Workspace,
  label: string,
  snapshot: Snapshot,
  paths: readonly string[],
): Promise<string[]> {
  return workspace.hub.fetch(snapshot, paths, fetchProgress(workspace, label));
}
