/** @file A Ray cluster as options name it: addressed, looked at and let into its storage before any work begins. */

import { join } from "node:path";
import { SpecError, WorkerError } from "../../base/errors.ts";
import { folderSlug } from "../../base/slug.ts";
import { markStorage } from "../../workers/ray-driver.ts";
import type { RaySettings } from "../../workers/ray-engine.ts";
import { rayJobs, rayUrl } from "../../workers/ray-jobs.ts";
import { storageUri } from "../../workers/storage.ts";
import { packageRoot } from "../package.ts";
import type { Workspace } from "../workspace.ts";
import type { PlannedStudy } from "./planned-study.ts";
import { torchEnvironment, torchPython } from "./start-worker.ts";
import type { RayOptions, WorkerOptions } from "./worker-kind.ts";

/** A cluster that answered. */
export type RayPlace = Omit<RaySettings, "estimates">;

/** Runs at a time; what a cluster does at once is its driver's to say. */
export const MOST_AT_ONCE = 64;

/**
 * Looks at the cluster of `worker: ray` and marks the storage that it shares with this computer; undefined for other workers.
 * @param study  its name: results lie in the storage under it
 * @throws {SpecError} options that are missing or wrong; {WorkerError} a cluster that does not answer, storage that cannot be written to
 */
export async function openRay(
  { worker, ray: options = {}, torch: { gpus: asked, compile = false } = {} }: WorkerOptions,
  study: string,
  workspace: Workspace,
): Promise<RayPlace | undefined> {
  if (worker !== "ray") return undefined;
  const { settings } = workspace;
  const address = { url: rayUrl(needed("address", options)), token: settings.rayToken };
  const storage = storageUri(needed("storage", options));
  const { version, nodes, cpus, gpus } = await rayJobs(address).cluster();
  const numGpus = asked ?? Math.min(1, gpus);
  workspace.note(`Ray ${version} at ${address.url}: ${nodes} nodes, ${cpus} CPUs, ${gpus} GPUs.`);
  if (numGpus === 0 && cpus === 0) throw nothingThere(address.url);
  const place = {
    ...{ address, storage, numGpus, compile, detach: options.detach === true },
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
export function settingsOfRay(place: RayPlace, { plan }: Pick<PlannedStudy, "plan">): RaySettings {
  const estimates = plan.map(({ id, estimate: { seconds, memory_bytes } }) => [id, { seconds, memory_bytes }]);
  return { ...place, estimates: Object.fromEntries(estimates) };
}

function needed(key: "address" | "storage", options: RayOptions): string {
  const text = options[key];
  if (text !== undefined) return text;
  throw new SpecError({
    place: `options.${key}`,
    expected: key === "address" ? "the address of Ray's dashboard" : "where this computer and the cluster meet",
    got: "nothing",
    remedy:
      key === "address"
        ? "Add options.address http://head-node:8265."
        : "Add options.storage with a folder that all of them see, or s3://bucket/folder.",
  });
}

/** A study's name as a folder's. */
function folderName(study: string): string {
  return folderSlug(study, "-").replace(/^[^A-Za-z0-9]+/, "") || "study";
}

function nothingThere(url: string): WorkerError {
  return new WorkerError({
    place: url,
    expected: "a cluster with CPUs",
    got: "none",
    remedy: "Start its nodes, or add options.gpus 1 where a node with one will join.",
  });
}
