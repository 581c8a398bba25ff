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
    .option("--address <url>", "with --worker ray: the cluster's dashboard, such as http://head-node:8265")
    .option("--storage <uri>", "with --worker ray: a folder or s3://… that this computer and the cluster see")
    .option("--detach", "with --worker ray: ask for the runs and go; the same command later fetches what is done");
}

export function rayOptionsOf({ address, storage, detach }: RayFlags): RayOptions {
  return { address, storage, detach };
}
