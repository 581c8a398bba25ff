/** @file The options of commands that train on a Ray cluster. */

import type { Command } from "commander";
import type { RayOptions } from "../../app/study/worker-kind.ts";

/** As commander reads them. */
export interface RayFlags {
  address?: string;
  storage?: string;
  detach?: true;
}

/** Adds them. */
export function addRayOptions(command: Command): void {
  command
    .optionsGroup("Ray:")
    .option("--address <url>", "address of the cluster's dashboard, such as http://head-node:8265")
    .option("--storage <uri>", "folder or s3:// address that this computer and the cluster both reach")
    .option("--detach", "submit the runs and return; run the same command again to fetch their results");
}

export function rayOptionsOf({ address, storage, detach }: RayFlags): RayOptions {
  return { address, storage, detach };
}
