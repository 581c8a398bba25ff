/** @file Data of the hub for the tasks of a study, brought into the cache where the publication's own files are not on this machine. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DataError, MixtuneError } from "../../base/errors.ts";
import { definitionOf, type LoadSettings } from "../../data/load-task.ts";
import type { HubFiles } from "../../data/readers/hub-rows.ts";
import { type DatasetRequest, fetchDataset } from "../../hub/dataset.ts";
import type { HubRecord } from "../../hub/types.ts";
import type { TaskSpec } from "../../specs/types.ts";
import type { LockedRepo } from "../../study/lock-file.ts";
import { fetchProgress } from "../models/fetch-shown.ts";
import type { Workspace } from "../workspace.ts";

/** Where a study's data is. */
export interface HubData extends LoadSettings {
  hubFiles: Record<string, HubFiles>;
  /** What was taken, as the lock keeps it. */
  records: Record<string, HubRecord>;
}

/** The name of a dataset in a lock. */
export function lockedName(id: string): string {
  return `datasets/${id}`;
}

/** {@link fetchHubData} that says what cannot be had and leaves it to the loader, for who wants to see all that is wrong at once. */
export async function fetchWhatThereIs(
  specs: Readonly<Record<string, TaskSpec>>,
  dataRoot: string | undefined,
  workspace: Workspace,
): Promise<HubData> {
  const all: HubData = { dataRoot, hubFiles: {}, records: {} };
  for (const [name, spec] of Object.entries(specs)) {
    try {
      Object.assign(all.hubFiles, (await fetchHubData({ [name]: spec }, dataRoot, workspace)).hubFiles);
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      workspace.note(error.message);
    }
  }
  return all;
}

/**
 * Fetches what the tasks need of the hub.
 * @param locked what an earlier call took: its revisions hold
 * @throws {MixtuneError} what the hub says, with the way round it
 */
export async function fetchHubData(
  specs: Readonly<Record<string, TaskSpec>>,
  dataRoot: string | undefined,
  workspace: Workspace,
  locked: Readonly<Record<string, LockedRepo>> = {},
): Promise<HubData> {
  const hubFiles: Record<string, HubFiles> = {};
  const records: Record<string, HubRecord> = {};
  const apart = Object.values(specs).flatMap(({ apart_from = [] }) => apart_from.map((one) => [one.name, one]));
  for (const [name, spec] of Object.entries<TaskSpec>({ ...Object.fromEntries(apart), ...specs })) {
    const request = requestOf(spec, dataRoot);
    if (request === undefined) continue;
    const revision = locked[lockedName(request.id)]?.revision;
    const { splits, record } = await fetchOne(name, spec, { ...request, ...(revision && { revision }) }, workspace);
    hubFiles[name] = { repo: record.repo, revision: record.revision, splits };
    const known = records[lockedName(request.id)];
    records[lockedName(request.id)] = { ...record, files: { ...known?.files, ...record.files } };
  }
  return { dataRoot, hubFiles, records };
}

/** Undefined for a task that needs nothing of the hub: generated, own data, or here in the publication's files. */
function requestOf(spec: TaskSpec, dataRoot: string | undefined): DatasetRequest | undefined {
  if (spec.data !== undefined || spec.texts_of !== undefined) return undefined; // the tasks of texts_of stand beside it
  const { generate, local, hub, variants } = definitionOf(spec);
  if (generate !== undefined || hub === undefined || spec.data_dir !== undefined) return undefined;
  if (dataRoot !== undefined && local?.files.every((file) => existsSync(join(dataRoot, file)))) return undefined;
  const { id, config, splits, mayLack = [] } = hub;
  const named = typeof config === "function" ? config(spec.variant ?? Object.keys(variants ?? {})[0] ?? "") : config;
  const lacking = new Set<string>(mayLack);
  const names = (isOptional: boolean) =>
    Object.entries(splits).flatMap(([split, name]) => (lacking.has(split) === isOptional ? [name] : []));
  return { id, splits: names(false), optional: names(true), ...(named !== undefined && { config: named }) };
}

async function fetchOne(name: string, spec: TaskSpec, request: DatasetRequest, workspace: Workspace) {
  try {
    return await fetchDataset(workspace.hub, request, fetchProgress(workspace, name));
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    const { expected, got, remedy } = error;
    const files = definitionOf(spec).local?.files;
    const byHand =
      files && ` Or put ${files.join(", ")} into a folder that data_root or the MIXTUNE_DATA variable names.`;
    const Kind = error.constructor as typeof DataError;
    throw new Kind({
      place: `task ${name}: ${error.place}`,
      expected,
      got,
      remedy: `${remedy}${byHand ?? ""}`,
      cause: error,
    });
  }
}
