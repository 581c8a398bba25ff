/** @file The options of the commands that plan and run studies: who trains (`--worker`), and what hosted models take. */

import { type Command, Option } from "commander";
import { SpecError } from "../base/errors.ts";
import { isHosted } from "../specs/hosted.ts";
import type { RunSpec } from "../specs/types.ts";
import { HOSTED_OPTIONS, type HostedFlags } from "./hosted-options.ts";

/** Who trains: the embedded engine, PyTorch on this machine, or a fine-tuning service. */
export type WorkerKind = RunSpec["worker"]["kind"];

const KINDS: readonly WorkerKind[] = ["local", "torch", "hosted"];

/** As they come from the command line. */
export interface StudyFlags extends Omit<HostedFlags, "concurrency"> {
  worker?: WorkerKind;
}

/** Adds them; `--concurrency` is left out of the hosted ones, as it counts runs in a study. */
export function addStudyOptions(command: Command): void {
  command.addOption(
    new Option("--worker <kind>", "who trains: our engine, PyTorch, or a service (models openai:NAME)")
      .choices(KINDS)
      .default("local"),
  );
  command.option("--yes", "of --worker hosted: pay for the jobs that were shown");
  for (const [flags, meaning] of HOSTED_OPTIONS) if (!flags.startsWith("--concurrency")) command.option(flags, meaning);
}

/** @throws {SpecError} a model of a service for this machine, or the other way round */
export function refuseOtherModels(kind: WorkerKind, models: readonly string[]): void {
  const isOfService = kind === "hosted";
  const other = models.findIndex((model) => isHosted(model) !== isOfService);
  if (other < 0) return;
  throw new SpecError({
    place: `models[${other}]`,
    expected: isOfService ? "openai:NAME, a model that a service fine-tunes" : "a model that this machine trains",
    got: models[other]!,
    remedy: isOfService
      ? "Name models of one service, or leave --worker hosted out."
      : "Add --worker hosted: a fine-tuning service trains it, and is paid.",
  });
}
