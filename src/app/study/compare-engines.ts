/** @file Does one short run on both engines and compares them. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerError } from "../../base/errors.ts";
import { removeQuietly } from "../../formats/files.ts";
import { runDir } from "../../study/scored.ts";
import { type Parity, parityOf } from "../../workers/parity.ts";
import { packageRoot } from "../package.ts";
import type { Workspace } from "../workspace.ts";
import { planStudy } from "./plan-study.ts";
import { readStudy } from "./read-study.ts";
import { runStudy } from "./run-study.ts";

/** Nats a token that losses of any step may differ by in float32: sums in another order. */
export const LOSS_TOLERANCE = 1e-4;

/**
 * The run of recipes/parity.yaml by the embedded engine and by PyTorch.
 * @param model   a folder or a name
 * @throws {WorkerError} one of them did not come to its end
 */
export async function compareEngines(model: string, method: "lora" | "full", workspace: Workspace): Promise<Parity> {
  const recipe = join(packageRoot(), "recipes", "parity.yaml");
  const input = readStudy(recipe, [`models=${JSON.stringify([model])}`, `train.method=${method}`]);
  const folder = mkdtempSync(join(tmpdir(), "mixtune-parity-"));
  const quiet = { ...workspace, note: () => {}, progress: () => {} };
  try {
    const dirs: string[] = [];
    for (const worker of ["local", "torch"] as const) {
      const planned = await planStudy(input, quiet, { out: join(folder, worker), worker });
      const { done, failed } = await runStudy(planned, quiet);
      const id = planned.lock.runs[0]!.id;
      if (!done.includes(id)) throw notDone(worker, failed[0]?.reason ?? "an interruption");
      dirs.push(runDir(planned.dir, id));
    }
    return parityOf(dirs[0]!, dirs[1]!, input.study.train);
  } finally {
    removeQuietly(folder);
  }
}

function notDone(worker: string, got: string): WorkerError {
  return new WorkerError({
    place: `the run with options.worker ${worker}`,
    expected: "its end",
    got,
    remedy: "Try it alone: mixtune run recipes/parity.yaml with that worker.",
  });
}
