/** @file Cancels what a fine-tuning service still works on for a study. What the service has billed until then it keeps. */

import { resolve } from "node:path";
import { readStudyLock, runsOnce } from "../../../study/lock-file.ts";
import { hostedChoice } from "../../hosted/choice.ts";
import type { Workspace } from "../../workspace.ts";
import { jobsUnderWay } from "./jobs-under-way.ts";
import { type CancelledJob, cancelHosted } from "./start.ts";

export interface CancelOptions {
  /** The service; default OPENAI_BASE_URL, else OpenAI's. */
  baseUrl?: string | undefined;
}

/**
 * Cancels the jobs of a study.
 * @returns what became of each; empty where no service works on one
 * @throws {SpecError} no study in the directory, another service than the runs began at, no key
 * @throws {WorkerError} the service does not answer
 */
export async function cancelStudy(
  dir: string,
  workspace: Workspace,
  { baseUrl }: CancelOptions = {},
): Promise<CancelledJob[]> {
  const folder = resolve(dir);
  const ids = runsOnce(readStudyLock(folder)).map(({ id }) => id);
  const [first] = jobsUnderWay(folder, ids);
  if (first === undefined) return [];
  const model = `openai:${first.job.model}`;
  const choice = hostedChoice(model, { baseUrl, isAllowed: true }, workspace.settings.openai)!;
  return cancelHosted(folder, ids, choice, workspace);
}
