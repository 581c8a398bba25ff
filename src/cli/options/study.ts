/** @file The options of the commands that plan and run studies: where results go, who trains, and hosted models. */

import { type Command, Option } from "commander";
import type { StudyOptions } from "../../app/study/plan-study.ts";
import { WORKER_NAMES, type WorkerName } from "../../app/study/worker-kind.ts";
import { addHostedOptions, addHostedPlanOptions, type HostedFlags, hostedOptionsOf } from "./hosted.ts";
import { addRayOptions, type RayFlags, rayOptionsOf } from "./ray.ts";
import { addTorchOptions, type TorchFlags, torchOptionsOf } from "./torch.ts";

/** As commander reads them. */
export interface StudyFlags extends Omit<HostedFlags, "concurrency">, TorchFlags, RayFlags {
  out?: string;
  worker?: WorkerName;
}

/** Adds what a plan follows from. */
export function addPlanOptions(command: Command): void {
  addWorker(command);
  addHostedPlanOptions(command);
}

/** Adds the options of a plan, the consent to pay, and how PyTorch and Ray are used. */
export function addStudyOptions(command: Command): void {
  addWorker(command);
  addTorchOptions(command);
  addRayOptions(command);
  addHostedOptions(command);
  command.option("--yes", "confirm payment for the fine-tuning jobs listed (with --worker hosted)");
}

function addWorker(command: Command): void {
  command
    .optionsGroup("Training:")
    .addOption(
      new Option(
        "--worker <kind>",
        "program that trains: the embedded engine, PyTorch, PyTorch on a Ray cluster, or a fine-tuning service",
      )
        .choices(WORKER_NAMES)
        .default("local"),
    );
}

export function studyOptionsOf(flags: StudyFlags): StudyOptions {
  const { out, worker } = flags;
  const [torch, ray] = [torchOptionsOf(flags), rayOptionsOf(flags)];
  return { out, worker, torch, ray, hosted: hostedOptionsOf(flags) };
}
