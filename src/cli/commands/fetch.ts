/** @file mixtune fetch STUDY: models and data of the hub into the cache, so that the rest can run offline. */

import type { Command } from "commander";
import { openBaseModel } from "../../app/models/named-model.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { fetchHubData, lockedName } from "../../app/tasks/hub-data.ts";
import type { HubRecord } from "../../hub/types.ts";
import { aligned } from "../../report/tables.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { assignmentsOf } from "../options/assignments.ts";

/** What a name of the study stands for, once it is on this machine. */
interface Fetched {
  name: string;
  kind: "model" | "task";
  /** Of the hub; absent: it needed nothing from there. */
  hub?: HubRecord;
}

export function addFetch(program: Command, act: Act): void {
  program
    .command("fetch <study> [key=value...]")
    .description("bring models and data of the hub into the Hugging Face cache, so that the rest can run offline")
    .addHelpText("after", "\nExample: mixtune fetch study.yaml")
    .action((path: string, words: string[]) => act((context) => fetchStudy(path, words, context)));
}

async function fetchStudy(path: string, words: string[], context: Context): Promise<number> {
  const { study } = readStudy(path, assignmentsOf(words));
  const fetched: Fetched[] = [];
  for (const [i, name] of study.models.entries()) {
    const model = await openBaseModel(name, `models[${i}]`, context);
    await model.fetchWeights();
    fetched.push({ name, kind: "model", ...(model.record && { hub: model.record }) });
  }
  const specs = ingredientTasks(study);
  const data = await fetchHubData(specs, study.data_root ?? context.settings.dataRoot, context);
  for (const name of Object.keys(specs)) {
    const repo = data.hubFiles[name]?.repo;
    const hub = repo === undefined ? undefined : data.records[lockedName(repo)];
    fetched.push({ name, kind: "task", ...(hub && { hub }) });
  }
  context.result({ cache: context.settings.hub.cacheDir, fetched }, report(fetched, context.settings.hub.cacheDir));
  return EXIT_DONE;
}

function report(fetched: readonly Fetched[], cacheDir: string): string {
  const rows = fetched.map(({ name, kind, hub }) =>
    hub === undefined
      ? [kind, name, "here already, nothing of the hub", ""]
      : [kind, name, `${hub.repo} at ${hub.revision.slice(0, 12)}`, `${Object.keys(hub.files).length} files`],
  );
  return `${aligned([["what", "name", "from", "files"], ...rows], "left")}\n\nAll is in ${cacheDir}; with HF_HUB_OFFLINE=1 nothing is asked of the network.`;
}
