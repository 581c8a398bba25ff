/** @file Stored answers with what they are judged by. Predictions do not hold their questions: those are the task's. */

import { join } from "node:path";
import { DataError, SpecError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { loadTask } from "../../data/load-task.ts";
import { listPredictions, readPredictions, readScores, runPaths } from "../../runs/run-dir.ts";
import type { Prediction } from "../../runs/types.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock } from "../../study/lock-file.ts";
import { tasksOfFolder } from "../../study/subject.ts";
import { answerKind } from "../study/read-study.ts";
import { fetchHubData } from "../tasks/hub-data.ts";
import { taskNamed } from "../tasks/named-task.ts";
import type { Workspace } from "../workspace.ts";
import type { ItemToJudge } from "./open-panel.ts";

/** Which answers of a directory. */
export interface AnswersAsked {
  /** Default: all whose answers are texts. */
  tasks?: readonly string[] | undefined;
  /** Default test. */
  split?: "dev" | "test" | undefined;
}

/** A split of a task whose answers are to be judged. */
export interface JudgedSplit {
  task: string;
  split: "dev" | "test";
  predictions: Prediction[];
  items: ItemToJudge[];
}

/**
 * The stored answers of a directory, with their questions.
 *
 * @throws {SpecError} no such predictions, none with free answers, a task that nothing describes
 * @throws {DataError} no scores beside them, an answer to an example that the task does not have, or not with this gold answer
 */
export async function answersToJudge(dir: string, options: AnswersAsked, workspace: Workspace): Promise<JudgedSplit[]> {
  const { split = "test" } = options;
  const lock = findStudyLock(join(dir, "..", ".."));
  const specs = tasksToJudge(dir, options.tasks, split, tasksOfFolder(dir, lock), workspace);
  const dataRoot = lock?.study.data_root ?? workspace.settings.dataRoot;
  const data = await fetchHubData(specs, dataRoot, workspace, lock?.hub);
  const scores = readScores(dir);
  const parts: JudgedSplit[] = [];
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
      return {
        id: `${task}/${id}`,
        question: example.turns === undefined ? (example.text ?? example.prompt) : example.prompt,
        reference: gold,
        answer: output,
        skipsTooLong: spec.on_bad_row === "skip",
      };
    });
    parts.push({ task, split, predictions, items });
  }
  return parts;
}

/** The tasks asked for; else those with predictions whose answers are texts, which other scorers say little of. */
function tasksToJudge(
  dir: string,
  tasks: readonly string[] | undefined,
  split: "dev" | "test",
  described: Record<string, TaskSpec>,
  workspace: Workspace,
): Record<string, TaskSpec> {
  const predicted = listPredictions(dir).flatMap((one) => (one.split === split ? [one.task] : []));
  const asked = tasks ?? predicted;
  const missing = asked.find((name) => !predicted.includes(name));
  if (predicted.length === 0 || missing !== undefined) {
    throw new SpecError({
      place: runPaths.predictions(dir),
      expected: `predictions of ${missing ?? "a task"} on ${split}`,
      got: predicted.length === 0 ? "none" : predicted.join(", "),
      remedy: "Score the model first with mixtune eval, or name another directory, task or options.split.",
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
      remedy: "Other answers have exact scorers; to judge them all the same, name them with options.tasks.",
    });
  }
  if (others.length > 0) workspace.note(`Not judged, as exact scorers read their answers: ${others.join(", ")}.`);
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
    remedy: "The data changed since the model was asked: evaluate it again with mixtune eval.",
  });
}

function withoutReference(place: string): DataError {
  return new DataError({
    place,
    expected: "a reference to judge by",
    got: "an empty gold answer",
    remedy: "Leave the task out with options.tasks.",
  });
}
