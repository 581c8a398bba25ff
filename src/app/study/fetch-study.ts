/** @file Models and data of the hub that a study names, brought into the cache, so that the rest can run offline. */

import type { HubRecord } from "../../hub/types.ts";
import type { StudySpec } from "../../specs/types.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { openBaseModel } from "../models/named-model.ts";
import { fetchHubData, lockedName } from "../tasks/hub-data.ts";
import type { Workspace } from "../workspace.ts";

/** What a name of the study stands for, once it is on this machine. */
export interface Fetched {
  name: string;
  kind: "model" | "task";
  /** Of the hub; absent: it needed nothing from there. */
  hub?: HubRecord;
}

/**
 * Fetches what is not in the cache yet.
 * @throws {SpecError|WorkerError} what the hub does not have, or does not give
 */
export async function fetchStudy(study: StudySpec, workspace: Workspace): Promise<Fetched[]> {
  const fetched: Fetched[] = [];
  for (const [i, name] of study.models.entries()) {
    const model = await openBaseModel(name, `models[${i}]`, workspace);
    await model.fetchWeights();
    fetched.push({ name, kind: "model", ...(model.record && { hub: model.record }) });
  }
  const specs = ingredientTasks(study);
  const data = await fetchHubData(specs, study.data_root ?? workspace.settings.dataRoot, workspace);
  for (const name of Object.keys(specs)) {
    const repo = data.hubFiles[name]?.repo;
    const hub = repo === undefined ? undefined : data.records[lockedName(repo)];
    fetched.push({ name, kind: "task", ...(hub && { hub }) });
  }
  return fetched;
}
