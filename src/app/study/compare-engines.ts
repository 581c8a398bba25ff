/** @file Does one short run on both engines and compares them. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerError } from "../../base/errors.ts";
import type { Context } from "../../cli/context.ts";
import { EXIT_DONE } from "../../cli/exit.ts";
import { removeQuietly } from "../../formats/files.ts";
import { runDir } from "../../study/scored.ts";
import { type Parity, parityOf } from "../../workers/parity.ts";
import { packageRoot } from "../package.ts";
import { prepareStudy } from "./prepare-study.ts";
import { readStudy } from "./read-study.ts";
import { runStudy } from "./run-study.ts";

/** Nats a token that losses of any step may differ by in float32: sums in another order. */
export const LOSS_TOLERANCE = 1e-4;

/**
 * The run of recipes/parity.yaml by the embedded engine and by PyTorch.
 * @param model   a folder or a name
 * @throws {WorkerError} one of them did not come to its end
 */
export async function compareEngines(model: string, method: "lora" | "full", context: Context): Promise<Parity> {
  const recipe = join(packageRoot(), "recipes", "parity.yaml");
  const input = readStudy(recipe, [`models=${JSON.stringify([model])}`, `train.method=${method}`]);
  const folder = mkdtempSync(join(tmpdir(), "mixtune-parity-"));
  const quiet = { ...context, options: { ...context.options, quiet: true }, note: () => {}, print: () => {} };
  try {
    const dirs: string[] = [];
    for (const kind of ["local", "torch"] as const) {
      const prepared = await prepareStudy(input, join(folder, kind), quiet, { worker: kind });
      let said = "";
      const status = await runStudy(prepared, { ...quiet, result: (_, person) => (said = person) });
      if (status !== EXIT_DONE) throw notDone(kind, said);
      dirs.push(runDir(prepared.dir, prepared.lock.runs[0]!.id));
    }
    return parityOf(dirs[0]!, dirs[1]!, input.study.train);
  } finally {
    removeQuietly(folder);
  }
}

function notDone(kind: string, said: string): WorkerError {
  const got = said.split("\n").filter((line) => /failed|Interrupted/.test(line));
  return new WorkerError({
    place: `the run with --worker ${kind}`,
    expected: "its end",
    got: got[0] ?? said.slice(-200),
    remedy: "Try it alone: mixtune run recipes/parity.yaml with that worker.",
  });
}
