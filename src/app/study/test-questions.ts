/** @file What the test items of a study ask. Predictions do not hold their questions: those are the tasks', and are read again for who looks. */

import { MixtuneError } from "../../base/errors.ts";
import { textOf } from "../../data/checks/leakage.ts";
import { loadTask } from "../../data/load-task.ts";
import { openHub } from "../../hub/hub.ts";
import { isTrainedOn } from "../../specs/tasks.ts";
import type { StudyLock } from "../../study/lock-file.ts";
import type { Questions } from "../../study/report-data.ts";
import { fetchHubData } from "../tasks/hub-data.ts";
import type { Workspace } from "../workspace.ts";

/**
 * Reads the test data of a study's targets, of which a report shows items. Nothing is downloaded. A task whose data is not there any more, or has changed
 * since the study was run, is left out with a note.
 *
 * @param into  is filled, task by task. Default: a new map
 */
export async function testQuestions(
  { study, tasks, hub: locked }: StudyLock,
  workspace: Workspace,
  into: Map<string, ReadonlyMap<string, string>> = new Map(),
): Promise<Questions> {
  const { settings, signal, note } = workspace;
  const hub = openHub({ settings: { ...settings.hub, isOffline: true }, signal, note, sleep: async () => {} });
  const dataRoot = study.data_root ?? settings.dataRoot;
  for (const [name, spec] of Object.entries(study.tasks)) {
    if (!isTrainedOn(spec)) continue;
    try {
      const data = await fetchHubData({ [name]: spec }, dataRoot, { ...workspace, hub }, locked);
      const { splits, digests } = await loadTask(spec, { ...data, isOnlyEvaluated: true });
      if (digests.test === tasks[name]?.digests.test)
        into.set(digests.test, new Map(splits.test.map((example) => [example.id, textOf(example)])));
      else note(`${name}: its test data has changed since the study was run, so that its questions are not shown.`);
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      note(`${name}: its questions are not shown. ${error.message}`);
    }
  }
  return into;
}
