/** @file The options of the commands that plan and run studies: who trains (`--worker`), and what hosted models take. */

import { type Command, Option } from "commander";
import { SpecError } from "../../base/errors.ts";
import { isHosted } from "../../specs/hosted.ts";
import type { RunSpec } from "../../specs/types.ts";
import { HOSTED_OPTIONS, type HostedFlags } from "./hosted.ts";

/** Who trains: the embedded engine, PyTorch on this machine or on a Ray cluster, or a fine-tuning service. */
export type WorkerName = RunSpec["worker"]["kind"] | "ray";

const NAMES: readonly WorkerName[] = ["local", "torch", "ray", "hosted"];

/** As they come from the command line. */
export interface StudyFlags extends Omit<HostedFlags, "concurrency"> {
  worker?: WorkerName;
}

/** Adds them; `--concurrency` is left out of the hosted ones, as it counts runs in a study. */
export function addStudyOptions(command: Command): void {
  command.addOption(
    new Option(
      "--worker <kind>",
      "who trains: our engine, PyTorch, PyTorch on a Ray cluster, or a service (models openai:NAME)",
    )
      .choices(NAMES)
      .default("local"),
  );
  command.option("--yes", "of --worker hosted: pay for the jobs that were shown");
  for (const [flags, meaning] of HOSTED_OPTIONS) if (!flags.startsWith("--concurrency")) command.option(flags, meaning);
}

/** @throws {SpecError} a model of a service for this machine, or the other way round */
export function refuseOtherModels(kind: RunSpec["worker"]["kind"], models: readonly string[]): void {
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
