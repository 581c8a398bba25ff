/** @file mixtune judge DIR: stored answers judged by a panel of models that have the human reference, and the panel compared with people. */

import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { describeSpending } from "../../app/hosted/describe.ts";
import { type AnswersAsked, answersToJudge, type JudgedSplit } from "../../app/judge/answers-to-judge.ts";
import { calibrationPath, judgesIn, type OpenPanel, openPanel } from "../../app/judge/open-panel.ts";
import { sha256 } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { type HumanVerdict, readHumanVerdicts } from "../../eval/judge/human-verdicts.ts";
import { votesOf } from "../../eval/judge/panel.ts";
import { makeFolder } from "../../formats/files.ts";
import { calibrate, JUDGED, scoreVerdicts } from "../../metrics/judged.ts";
import { panelText } from "../../report/judged-text.ts";
import { scoresText } from "../../report/scores-text.ts";
import { readRecord, readScores, runPaths, writeJson, writeJudgements, writeScores } from "../../runs/run-dir.ts";
import { calibrationSchema } from "../../runs/schemas.ts";
import type { CalibrationScores, JudgedBy } from "../../runs/types.ts";
import { whileClaimed } from "../../study/claim.ts";
import { studyAround } from "../../study/lock-file.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { addHostedOptions, addRequestConcurrency, type HostedFlags, hostedOptionsOf } from "../options/hosted.ts";
import { wholeNumber } from "../options/numbers.ts";

interface JudgeOptions extends HostedFlags, AnswersAsked {
  judges: string;
  calibrate?: string;
  maxTokens: number;
}

/** Seed of the bootstrap over groups: fixed, so that judging again gives the same interval. */
const SEED = 1;
/** A sentence and a verdict, with room for a little thought. */
const MAX_TOKENS = 512;

export function addJudge(program: Command, act: Act): void {
  const command = program
    .command("judge [dir]")
    .description("let hosted models judge stored answers by the human reference: correct, incorrect or refused")
    .requiredOption("--judges <list>", "openai:NAME, with commas between several: what more than half say counts")
    .option("--tasks <list>", "names with commas (default: all with predictions in DIR whose answers are texts)")
    .addOption(new Option("--split <split>", "which split").choices(["dev", "test"]).default("test"))
    .option("--calibrate <list>", "files of answers that people judged: columns question, reference, answer, verdict")
    .option("--max-tokens <n>", "of a judge's reply", wholeNumber(16, 100_000), MAX_TOKENS)
    .addHelpText("after", "\nExample: mixtune judge evals/gpt-4o --judges openai:a,openai:b,openai:c --allow-hosted")
    .action((dir: string | undefined, options: JudgeOptions) => act((context) => judge(dir, options, context)));
  addRequestConcurrency(addHostedOptions(command));
}

async function judge(dir: string | undefined, options: JudgeOptions, context: Context): Promise<number> {
  if (dir === undefined && options.calibrate === undefined) {
    throw new SpecError({
      place: "command line",
      expected: "a directory with predictions, --calibrate FILE, or both",
      got: "neither",
      remedy: "Write for example mixtune judge evals/gpt-4o --judges openai:NAME.",
    });
  }
  const choices = judgesIn(options.judges, hostedOptionsOf(options), context.settings.openai);
  const labelled = await humanVerdicts(options.calibrate);
  const parts = dir === undefined ? [] : await answersToJudge(resolve(dir), options, context);
  const panel = openPanel(choices, options.maxTokens, context);
  panel.mustBeAllowed([...labelled, ...parts.flatMap(({ items }) => items)]);
  try {
    if (labelled.length > 0) await calibratePanel(panel, labelled, context);
    const { digest, judges } = panel;
    const calibration = readRecord<CalibrationScores>(calibrationPath(digest, context), calibrationSchema);
    const by: JudgedBy = { panel: digest, judges, ...(calibration && { calibration }) };
    await whileClaimed(dir && studyAround(resolve(dir)), context, async () => {
      for (const part of parts) await judgePart(resolve(dir!), part, panel, by);
    });
    if (dir === undefined) context.result(by, panelText(by));
    else {
      const scores = readScores(dir);
      const names = parts.map(({ task }) => task);
      const where = `Verdicts and reasons are in ${runPaths.judgements(resolve(dir))}.`;
      context.result({ dir: resolve(dir), ...scores }, `${scoresText(scores, names)}\n\n${where}`);
    }
  } finally {
    context.note(describeSpending(panel.spent));
  }
  return EXIT_DONE;
}

async function humanVerdicts(list: string | undefined): Promise<HumanVerdict[]> {
  const files = list?.split(",") ?? [];
  return (await Promise.all(files.map((file) => readHumanVerdicts(file)))).flat();
}

async function calibratePanel(panel: OpenPanel, labelled: readonly HumanVerdict[], context: Context): Promise<void> {
  const opinions = await panel.ask(labelled, "calibration");
  // Answers to one question are not independent: a judge errs on questions.
  const items = labelled.map(({ question, human }, i) => ({ human, group: question, votes: votesOf(opinions[i]!) }));
  const path = calibrationPath(panel.digest, context);
  makeFolder(dirname(path));
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
