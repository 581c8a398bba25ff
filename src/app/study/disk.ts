/** @file The disk that a study needs, and whether there is as much. */

import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { bytes } from "../../base/human-numbers.ts";
import { runDir } from "../../study/scored.ts";
import type { Estimate } from "../../study/types.ts";
import type { PlannedStudy } from "./planned-study.ts";

/**
 * Refuses a study that needs more disk than is free.
 * @throws {SpecError} what is needed and what there is
 */
export function refuseFullDisk({ dir, plan }: Pick<PlannedStudy, "dir" | "plan">): void {
  const toDo = plan.filter(({ id }) => !existsSync(runDir(dir, id))).map(({ estimate }) => estimate);
  const needed = diskNeeded(toDo);
  let folder = dir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  if (needed <= bavail * bsize) return;
  throw new SpecError({
    place: dir,
    expected: `${bytes(needed)} free for ${toDo.length} runs`,
    got: bytes(bavail * bsize),
    remedy: "Free some space, use options.out on another disk, or set train.keep: none.",
  });
}

/** What runs leave behind, and what the largest needs beyond that while it works. */
export function diskNeeded(estimates: readonly Estimate[]): number {
  const left = estimates.reduce((sum, { disk_bytes }) => sum + disk_bytes, 0);
  return left + Math.max(0, ...estimates.map(({ working_disk_bytes }) => working_disk_bytes));
}
