/** @file What the test items of a study ask. Predictions do not hold their questions: those are the tasks', and are read again for who looks. */

import { MixtuneError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import { openHub } from "../../hub/hub.ts";
import type { Questions } from "../../study/report-data.ts";
import type { StudyResults } from "../../study/results.ts";
import { fetchHubData } from "../tasks/hub-data.ts";
import type { Workspace } from "../workspace.ts";

/**
 * Reads the data of the tasks on which two rows can be compared. Nothing is downloaded. A task whose data is not there any more, or has changed
 * since the study was run, is left out with a note.
 *
 * @param into  is filled, task by task. Default: a new map
 */
export async function testQuestions(
  { lock, table }: Pick<StudyResults, "lock" | "table">,
  workspace: Workspace,
  into: Map<string, ReadonlyMap<string, string>> = new Map(),
): Promise<Questions> {
  const { settings, signal, note } = workspace;
  const hub = openHub({ settings: { ...settings.hub, isOffline: true }, signal, note, sleep: async () => {} });
  const scored = new Set(Object.values(table.chosen).flatMap((byTask) => Object.keys(byTask)));
  for (const [name, spec] of Object.entries(lock.study.tasks)) {
    if (!scored.has(name)) continue;
    try {
      const dataRoot = lock.study.data_root ?? settings.dataRoot;
      const data = await fetchHubData({ [name]: spec }, dataRoot, { ...workspace, hub }, lock.hub);
      const { splits, digests } = await loadTask(spec, { ...data, isOnlyEvaluated: true });
      if (digests.test === lock.tasks[name]?.digests.test)
        into.set(digests.test, new Map(splits.test.map(({ id, text, prompt }) => [id, text ?? prompt])));
      else note(`${name}: its test data has changed since the study was run, so that its questions are not shown.`);
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      note(`${name}: its questions are not shown. ${error.message}`);
    }
  }
  return into;
}
