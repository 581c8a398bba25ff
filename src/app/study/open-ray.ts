/** @file A Ray cluster as the command line names it: addressed, looked at and let into its storage before any work begins. */

import { join } from "node:path";
import type { Command } from "commander";
import { SpecError, WorkerError } from "../../base/errors.ts";
import type { Context } from "../../cli/context.ts";
import type { StudyFlags } from "../../cli/options/study.ts";
import type { TorchOptions } from "../../cli/options/torch.ts";
import { markStorage } from "../../workers/ray-driver.ts";
import type { RaySettings } from "../../workers/ray-engine.ts";
import { rayJobs, rayUrl } from "../../workers/ray-jobs.ts";
import { storageUri } from "../../workers/storage.ts";
import { packageRoot } from "../package.ts";
import type { PreparedStudy } from "./prepare-study.ts";
import { torchEnvironment, torchPython } from "./start-worker.ts";

/** Options of --worker ray, as they stand on the command line. */
export interface RayFlags extends Pick<StudyFlags, "worker"> {
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

/** A cluster that answered. */
export type RayPlace = Omit<RaySettings, "estimates">;

/** Runs at a time; what a cluster does at once is its driver's to say. */
export const MOST_AT_ONCE = 64;

/**
 * The cluster of --worker ray; undefined for other workers.
 * @throws {SpecError} flags that are missing, wrong or of no use; {WorkerError} a cluster that does not answer, storage that cannot be written to
 */
export async function rayOf(
  flags: RayFlags,
  { gpus: asked, compile }: TorchOptions,
  study: string,
  context: Context,
): Promise<RayPlace | undefined> {
  const { worker = "local" } = flags;
  if (worker !== "ray") {
    const useless = (["address", "storage", "detach"] as const).find((name) => flags[name] !== undefined);
    if (useless === undefined) return undefined;
    throw new SpecError({
      place: `--${useless}`,
      expected: "--worker ray beside it",
      got: `--worker ${worker}`,
      remedy: "Add --worker ray, or leave it out.",
    });
  }
  const { settings } = context;
  const address = { url: rayUrl(needed("address", flags)), token: settings.rayToken };
  const storage = storageUri(needed("storage", flags));
  const { version, nodes, cpus, gpus } = await rayJobs(address).cluster();
  const numGpus = asked ?? Math.min(1, gpus);
  context.note(`Ray ${version} at ${address.url}: ${nodes} nodes, ${cpus} CPUs, ${gpus} GPUs.`);
  if (numGpus === 0 && cpus === 0) throw nothingThere(address.url);
  const place = {
    ...{ address, storage, numGpus, compile, detach: flags.detach === true },
    study: folderName(study),
    packageFolder: join(packageRoot(), "python", "mixtune_worker"),
    helper: {
      python: torchPython(settings),
      environment: { ...torchEnvironment(settings), ...settings.storageEnvironment },
    },
  };
  await markStorage(place, place.helper);
  return place;
}

/** With what a plan expects of each run. */
export function settingsOfRay(place: RayPlace, { plan }: Pick<PreparedStudy, "plan">): RaySettings {
  const estimates = plan.map(({ id, estimate: { seconds, memory_bytes } }) => [id, { seconds, memory_bytes }]);
  return { ...place, estimates: Object.fromEntries(estimates) };
}

function needed(flag: "address" | "storage", flags: RayFlags): string {
  const text = flags[flag];
  if (text !== undefined) return text;
  throw new SpecError({
    place: `--${flag}`,
    expected: flag === "address" ? "the address of Ray's dashboard" : "where this computer and the cluster meet",
    got: "nothing",
    remedy:
      flag === "address"
        ? "Add --address http://head-node:8265."
        : "Add --storage with a folder that all of them see, or s3://bucket/folder.",
  });
}

/** A study's name as a folder's. */
function folderName(study: string): string {
  return study.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "study";
}

function nothingThere(url: string): WorkerError {
  return new WorkerError({
    place: url,
    expected: "a cluster with CPUs",
    got: "none",
    remedy: "Start its nodes, or add --gpus 1 where a node with one will join.",
  });
}
