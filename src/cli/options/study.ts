/** @file The options of the commands that plan and run studies: where results go, who trains, and hosted models. */

import { type Command, Option } from "commander";
import type { StudyOptions } from "../../app/study/plan-study.ts";
import { WORKER_NAMES, type WorkerName } from "../../app/study/worker-kind.ts";
import { addHostedOptions, type HostedFlags, hostedOptionsOf } from "./hosted.ts";
import { addRayOptions, type RayFlags, rayOptionsOf } from "./ray.ts";
import { addTorchOptions, type TorchFlags, torchOptionsOf } from "./torch.ts";

/** As commander reads them. */
export interface StudyFlags extends Omit<HostedFlags, "concurrency">, TorchFlags, RayFlags {
  out?: string;
  worker?: WorkerName;
}

/** Adds what a plan follows from. */
export function addPlanOptions(command: Command): void {
  command.addOption(
    new Option(
      "--worker <kind>",
      "who trains: our engine, PyTorch, PyTorch on a Ray cluster, or a service (models openai:NAME)",
    )
      .choices(WORKER_NAMES)
      .default("local"),
  );
  addHostedOptions(command);
}

/** Adds the options of a plan, the consent to pay, and how PyTorch and Ray are used. */
export function addStudyOptions(command: Command): void {
  addPlanOptions(command);
  command.option("--yes", "of --worker hosted: pay for the jobs that were shown");
  addTorchOptions(command);
  addRayOptions(command);
}

export function studyOptionsOf(flags: StudyFlags): StudyOptions {
  const { out, worker } = flags;
  const [torch, ray] = [torchOptionsOf(flags), rayOptionsOf(flags)];
  return { dir: out, worker, torch, ray, hosted: hostedOptionsOf(flags) };
}
