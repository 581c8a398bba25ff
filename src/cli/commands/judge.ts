/** @file mixtune judge DIR: stored answers judged by a panel of models that have the human reference, and the panel compared with people. */

import { dirname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { sha256 } from "../../base/digest.ts";
import { DataError, SpecError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { loadTask } from "../../data/load-task.ts";
import { type HumanVerdict, readHumanVerdicts } from "../../eval/judge/human-verdicts.ts";
import { votesOf } from "../../eval/judge/panel.ts";
import { makeFolder } from "../../formats/files.ts";
import { calibrate, JUDGED, scoreVerdicts } from "../../metrics/judged.ts";
import { panelText } from "../../report/judged-text.ts";
import { scoresText } from "../../report/scores-text.ts";
import {
  listPredictions,
  readPredictions,
  readRecord,
  readScores,
  runPaths,
  writeJson,
  writeJudgements,
  writeScores,
} from "../../runs/run-dir.ts";
import { calibrationSchema } from "../../runs/schemas.ts";
import type { CalibrationScores, JudgedBy, Prediction } from "../../runs/types.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { describeSpending, HOSTED_OPTIONS, type HostedFlags } from "../hosted-options.ts";
import { fetchHubData } from "../hub-data.ts";
import { taskNamed } from "../named-tasks.ts";
import { calibrationPath, type ItemToJudge, judgesIn, type OpenPanel, openPanel } from "../open-panel.ts";
import { wholeNumber } from "../options.ts";
import { type ProgressLine, progressLine } from "../progress.ts";
import { answerKind, readStudy } from "../read-study.ts";

interface JudgeOptions extends HostedFlags {
  judges: string;
  tasks?: string;
  study?: string;
  split: "dev" | "test";
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
    .option("--study <file>", "where the tasks are described (default: the run's own study, else the catalogue)")
    .addOption(new Option("--split <split>", "which split").choices(["dev", "test"]).default("test"))
    .option("--calibrate <list>", "files of answers that people judged: columns question, reference, answer, verdict")
    .option("--max-tokens <n>", "of a judge's reply", wholeNumber(16, 100_000), MAX_TOKENS)
    .addHelpText("after", "\nExample: mixtune judge evals/gpt-4o --judges openai:a,openai:b,openai:c --allow-hosted")
    .action((dir: string | undefined, options: JudgeOptions) => act((context) => judge(dir, options, context)));
  for (const [flags, meaning] of HOSTED_OPTIONS) command.option(flags, meaning);
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
  const choices = judgesIn(options.judges, options, context.settings.openai);
  const labelled = await humanVerdicts(options.calibrate);
  const parts = dir === undefined ? [] : await partsOf(resolve(dir), options, context);
  const panel = openPanel(choices, options.maxTokens, context);
  panel.mustBeAllowed([...labelled, ...parts.flatMap(({ items }) => items)]);
  const progress = progressLine(context);
  try {
    if (labelled.length > 0) await calibratePanel(panel, labelled, progress, context);
    const { digest, judges } = panel;
    const calibration = readRecord<CalibrationScores>(calibrationPath(digest, context), calibrationSchema);
    const by: JudgedBy = { panel: digest, judges, ...(calibration && { calibration }) };
    for (const part of parts) await judgePart(resolve(dir!), part, panel, by, progress);
    progress.close();
    if (dir === undefined) context.result(by, panelText(by));
    else {
      const scores = readScores(dir);
      const names = parts.map(({ task }) => task);
      const where = `Verdicts and reasons are in ${dirname(runPaths.judgementsOf(resolve(dir), "", options.split))}.`;
      context.result({ dir: resolve(dir), ...scores }, `${scoresText(scores, names)}\n\n${where}`);
    }
  } finally {
    progress.close();
    context.note(describeSpending(panel.spent));
  }
  return EXIT_DONE;
}

async function humanVerdicts(list: string | undefined): Promise<HumanVerdict[]> {
  const files = list?.split(",") ?? [];
  return (await Promise.all(files.map((file) => readHumanVerdicts(file)))).flat();
}

async function calibratePanel(
  panel: OpenPanel,
  labelled: readonly HumanVerdict[],
  progress: ProgressLine,
  context: Context,
): Promise<void> {
  const opinions = await panel.ask(labelled, "calibration", progress);
  // Answers to one question are not independent: a judge errs on questions.
  const items = labelled.map(({ question, human }, i) => ({ human, group: question, votes: votesOf(opinions[i]!) }));
  const path = calibrationPath(panel.digest, context);
  makeFolder(dirname(path));
  writeJson(path, calibrate(items, { seed: SEED }));
}

/** A split of a task whose answers are to be judged. */
interface Part {
  task: string;
  split: "dev" | "test";
  predictions: Prediction[];
  items: ItemToJudge[];
}

async function judgePart(
  dir: string,
  { task, split, predictions, items }: Part,
  panel: OpenPanel,
  by: JudgedBy,
  progress: ProgressLine,
): Promise<void> {
  const opinions = await panel.ask(items, `${task} ${split}`, progress);
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

/** The stored answers with their questions, which predictions do not hold: they are the task's. */
async function partsOf(dir: string, options: JudgeOptions, context: Context): Promise<Part[]> {
  const { split } = options;
  const lock = findStudyLock(join(dir, "..", ".."));
  const study = options.study === undefined ? lock?.study : readStudy(options.study, []).study;
  const specs = tasksToJudge(dir, options, study && ingredientTasks(study), context);
  const dataRoot = study?.data_root ?? context.settings.dataRoot;
  const data = await fetchHubData(specs, dataRoot, context, lock?.hub);
  const scores = readScores(dir);
  const parts: Part[] = [];
  for (const [task, spec] of Object.entries(specs)) {
    if (scores.tasks[task]?.[split] === undefined) {
      throw new DataError({
        place: runPaths.scores(dir),
        expected: `scores of ${task} ${split}, to put the judges' beside`,
        got: "none",
        remedy: "Score it first: mixtune eval.",
      });
    }
    const { splits } = await loadTask(spec, { ...data, isOnlyEvaluated: true });
    const examples = new Map(splits[split].map((example) => [example.id, example]));
    const predictions = readPredictions(dir, task, split);
    const items = predictions.map((prediction, i): ItemToJudge => {
      const { id, gold, output } = prediction;
      const place = `${runPaths.predictionsOf(dir, task, split)}:${i + 1}: ${id}`;
      const example = examples.get(id);
      if (example?.answer !== gold) throw ofOtherData(place, example?.answer);
      if (gold.trim() === "") throw withoutReference(place);
      return { id: `${task}/${id}`, question: example.text ?? example.prompt, reference: gold, answer: output };
    });
    parts.push({ task, split, predictions, items });
  }
  return parts;
}

/** The tasks asked for; else those with predictions whose answers are texts, which other scorers say little of. */
function tasksToJudge(
  dir: string,
  { tasks, split }: JudgeOptions,
  described: Record<string, TaskSpec> | undefined,
  context: Context,
): Record<string, TaskSpec> {
  const predicted = listPredictions(dir).flatMap((one) => (one.split === split ? [one.task] : []));
  const asked = tasks?.split(",") ?? predicted;
  const missing = asked.find((name) => !predicted.includes(name));
  if (predicted.length === 0 || missing !== undefined) {
    throw new SpecError({
      place: runPaths.predictions(dir),
      expected: `predictions of ${missing ?? "a task"} on ${split}`,
      got: predicted.length === 0 ? "none" : predicted.join(", "),
      remedy: "Score the model first with mixtune eval, or name another directory, task or --split.",
    });
  }
  const specs = asked.map((name) => taskNamed(name, described));
  const isText = (spec: TaskSpec) => answerKind(spec) === "text" && !isInstruction(spec);
  const chosen = tasks === undefined ? specs.filter(isText) : specs;
  const others = specs.filter((spec) => !chosen.includes(spec)).map(({ name }) => name);
  if (chosen.length === 0) {
    throw new SpecError({
      place: runPaths.predictions(dir),
      expected: `a task whose answers are texts`,
      got: others.join(", "),
      remedy: "Other answers have exact scorers; to judge them all the same, name them with --tasks.",
    });
  }
  if (others.length > 0) context.note(`Not judged, as exact scorers read their answers: ${others.join(", ")}.`);
  return Object.fromEntries(chosen.map((spec) => [spec.name, spec]));
}

/** Instructions to follow have no reference answer. */
function isInstruction(spec: TaskSpec): boolean {
  const own = spec.data === undefined ? CATALOGUE[spec.catalogue ?? spec.name]?.metric : undefined;
  return (spec.metric ?? own) === "instruction_accuracy";
}

function ofOtherData(place: string, got: string | undefined): DataError {
  return new DataError({
    place,
    expected: "an answer to an example of the task as it is now",
    got: got === undefined ? "an example that the task does not have" : "another gold answer",
    remedy: "Name the study that it was scored with (--study), or score it again with mixtune eval.",
  });
}

function withoutReference(place: string): DataError {
  return new DataError({
    place,
    expected: "a reference to judge by",
    got: "an empty gold answer",
    remedy: "Leave the task out with --tasks.",
  });
}
