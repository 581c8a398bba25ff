/** @file A study directory as it stands, read once: what its table, its report and its comparisons are made of. */

import { analyseStudy } from "./analyse.ts";
import type { ModelItems } from "./items.ts";
import { readStudyLock, type StudyLock } from "./lock-file.ts";
import { scoredReader } from "./scored.ts";
import type { ReadScored, StudyTable } from "./study-table.ts";

export interface StudyResults {
  dir: string;
  lock: StudyLock;
  read: ReadScored;
  models: string[];
  table: StudyTable;
  /** Of every task under every model. */
  items: ModelItems[];
  /** What was said of damaged files, which count as missing. */
  problems: ReadonlySet<string>;
}

/**
 * Reads what is done of a study.
 * @throws {DataError} no study directory
 */
export function studyResults(dir: string): StudyResults {
  const lock = readStudyLock(dir);
  const problems = new Set<string>();
  const read = scoredReader(dir, (message) => problems.add(message));
  const models = [...new Set(lock.runs.map(({ model }) => model))];
  return { dir, lock, read, models, problems, ...analyseStudy(lock, read) };
}
