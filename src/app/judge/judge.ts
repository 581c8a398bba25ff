/** @file Stored answers judged by a panel of models that have the human reference, and the panel compared with people. */

import { dirname, resolve } from "node:path";
import { sha256 } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { type HumanVerdict, readHumanVerdicts } from "../../eval/judge/human-verdicts.ts";
import { votesOf } from "../../eval/judge/panel.ts";
import { CACHE_SETTING, makeFolder } from "../../formats/files.ts";
import { calibrate, JUDGED, scoreVerdicts } from "../../metrics/judged.ts";
import { readRecord, readScores, writeJson, writeJudgements, writeScores } from "../../runs/run-dir.ts";
import { calibrationSchema } from "../../runs/schemas.ts";
import type { CalibrationScores, JudgedBy, Scores } from "../../runs/types.ts";
import { whileClaimed } from "../../study/claim.ts";
import { studyAround } from "../../study/lock-file.ts";
import type { HostedOptions } from "../hosted/choice.ts";
import { describeSpending } from "../hosted/describe.ts";
import { asServed } from "../hosted/ending.ts";
import type { Workspace } from "../workspace.ts";
import { answersToJudge, type JudgedSplit } from "./answers-to-judge.ts";
import { calibrationPath, judgesIn, type OpenPanel, openPanel } from "./open-panel.ts";

export interface JudgeOptions {
  /** openai:NAME each. What more than half of them say counts. */
  judges: readonly string[];
  /** Default: all with predictions whose answers are texts. */
  tasks?: readonly string[] | undefined;
  /** Default test. */
  split?: "dev" | "test" | undefined;
  /** Files of answers that people judged: columns question, reference, answer, verdict. Default none. */
  calibrate?: readonly string[] | undefined;
  /** Most tokens of a judge's reply; default 512. */
  maxNewTokens?: number | undefined;
  hosted?: HostedOptions | undefined;
}

/** What was judged. */
export interface Judged {
  by: JudgedBy;
  /** Of the directory, with the judges' metrics; absent where the panel was only compared with people. */
  judged?: { dir: string; tasks: string[]; scores: Scores };
}

/** Seed of the bootstrap over groups: fixed, so that judging again gives the same interval. */
const SEED = 1;
/** A sentence and a verdict, with room for a little thought. */
export const JUDGE_TOKENS = 512;

/**
 * Lets hosted models judge the stored answers of a directory, compares them with people, or does both. Replies are kept: no judge is paid twice.
 *
 * @param dir  a run's directory or a folder that `evaluate` filled; undefined: only `calibrate`
 * @throws {SpecError} nothing to judge, a judge that is not hosted, nobody allowed the requests
 * @throws {DataError} predictions that do not belong to the data
 * @throws {WorkerError} out of tries or budget: the replies that came are kept
 */
export async function judge(dir: string | undefined, workspace: Workspace, options: JudgeOptions): Promise<Judged> {
  if (dir === undefined && options.calibrate === undefined) {
    throw new SpecError({
      place: "command line",
      expected: "a directory with predictions, options.calibrate FILE, or both",
      got: "neither",
      remedy: "Write for example mixtune judge evals/NAME --judges openai:NAME.",
    });
  }
  const named = judgesIn(options.judges, options.hosted ?? {}, workspace.settings.openai);
  const choices = await Promise.all(named.map(asServed));
  const labelled = await humanVerdicts(options.calibrate);
  const parts = dir === undefined ? [] : await answersToJudge(resolve(dir), options, workspace);
  const panel = openPanel(choices, options.maxNewTokens ?? JUDGE_TOKENS, workspace);
  await panel.mustBeAllowed([...labelled, ...parts.flatMap(({ items }) => items)]);
  try {
    if (labelled.length > 0) await calibratePanel(panel, labelled, workspace);
    const { digest, judges } = panel;
    const calibration = readRecord<CalibrationScores>(calibrationPath(digest, workspace), calibrationSchema);
    const by: JudgedBy = { panel: digest, judges, ...(calibration && { calibration }) };
    if (dir === undefined) return { by };
    const folder = resolve(dir);
    await whileClaimed(studyAround(folder), workspace, async () => {
      for (const part of parts) await judgePart(folder, part, panel, by);
    });
    return { by, judged: { dir: folder, tasks: parts.map(({ task }) => task), scores: readScores(folder) } };
  } finally {
    workspace.note(describeSpending(panel.spent));
  }
}

async function humanVerdicts(files: readonly string[] = []): Promise<HumanVerdict[]> {
  return (await Promise.all(files.map((file) => readHumanVerdicts(file)))).flat();
}

async function calibratePanel(
  panel: OpenPanel,
  labelled: readonly HumanVerdict[],
  workspace: Workspace,
): Promise<void> {
  const opinions = await panel.ask(labelled, "calibration");
  // Answers to one question are not independent: a judge errs on questions.
  const items = labelled.map(({ question, human }, i) => ({ human, group: question, votes: votesOf(opinions[i]!) }));
  const path = calibrationPath(panel.digest, workspace);
  makeFolder(dirname(path), CACHE_SETTING);
  writeJson(path, calibrate(items, { seed: SEED }));
}

async function judgePart(
  dir: string,
  { task, split, predictions, items }: JudgedSplit,
  panel: OpenPanel,
  by: JudgedBy,
): Promise<void> {
  const opinions = await panel.ask(items, `${task} ${split}`);
  const judgements = predictions.map(({ id, output }, i) => ({ id, output_digest: sha256(output), ...opinions[i]! }));
  writeJudgements(dir, task, split, judgements);
  const votes = predictions.map(({ group }, i) => ({ group, votes: votesOf(opinions[i]!) }));
  const { metrics } = scoreVerdicts(votes, { seed: SEED });
  const scores = readScores(dir);
  const before = scores.tasks[task]![split]!;
  const after = { ...before, scoring: { ...before.scoring, [JUDGED]: metrics }, judged: by };
  scores.tasks[task] = { ...scores.tasks[task], [split]: after };
  writeScores(dir, scores);
}
