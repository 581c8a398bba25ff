/** @file mixtune predict MODEL: labels new rows; rows that are in the output already are not done again. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { DataError, SpecError } from "../../base/errors.ts";
import { appendLog, readLog } from "../../formats/jsonl.ts";
import { readAllRows } from "../../formats/row-file.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { taskNamed } from "../named-tasks.ts";
import { count } from "../numbers.ts";
import { modelRef } from "../open-model.ts";
import { openScorer } from "../open-scorer.ts";
import { progressLine } from "../progress.ts";
import { readStudy } from "../read-study.ts";
import { labelsAndPrompt } from "../task-prompt.ts";

interface PredictOptions {
  task: string;
  input: string;
  out: string;
  study?: string;
}

/** Rows that are scored together; what is done is on disk after each. */
const BATCH = 64;

export function addPredict(program: Command, act: Act): void {
  program
    .command("predict <model>")
    .description("label new rows: answer and probability of each; may be stopped and started again")
    .requiredOption("--task <name>", "whose prompt and labels to use")
    .requiredOption("--input <file>", "rows: .jsonl, .json, .csv, .tsv, also .gz, or .parquet")
    .requiredOption("--out <file>", "rows with their answers, as .jsonl")
    .option("--study <file>", "where the task is described (default: the run's own study)")
    .addHelpText(
      "after",
      "\nExample: mixtune predict studies/demo/runs/<id> --task our-tickets --input new.csv --out answers.jsonl",
    )
    .action((model: string, options: PredictOptions) => act((context) => predict(model, options, context)));
}

async function predict(model: string, options: PredictOptions, context: Context): Promise<number> {
  const ref = await modelRef(model, context);
  const spec = taskSpec(model, options);
  const { labels, promptOf } = labelsAndPrompt(spec);
  const rows = (await readAllRows(resolve(options.input))).map(({ line, fields }) => ({
    fields,
    prompt: promptOf(fields, `${options.input}:${line}`),
  }));
  const numBefore = alreadyDone(options.out, rows);
  const scorer = await openScorer(ref, context);
  const progress = progressLine(context);
  try {
    for (let from = numBefore; from < rows.length && !context.signal.aborted; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      const scores = await scorer.scoreLabels(
        batch.map(({ prompt }) => prompt),
        labels,
      );
      batch.forEach(({ fields }, i) => {
        appendLog(options.out, { ...fields, ...answered(labels, scores[i]!) });
      });
      progress.update(
        { label: options.task, index: 1, total: 1, secondsAfter: 0 },
        { id: "predict", phase: "eval", done: from + batch.length, total: rows.length, unit: "examples" },
      );
    }
  } finally {
    progress.close();
    await scorer.close();
  }
  const numDone = numberOfLines(options.out);
  context.result(
    { out: options.out, rows: numDone, before: numBefore },
    `${count(numDone)} of ${count(rows.length)} rows are in ${options.out}.`,
  );
  return numDone < rows.length ? EXIT_INTERRUPTED : EXIT_DONE;
}

/** The likeliest label (ties to the earlier) and probabilities among the labels. */
export function answered(
  labels: readonly string[],
  logprobs: readonly number[],
): { answer: string; probability: number; probabilities: Record<string, number> } {
  const highest = Math.max(...logprobs);
  const weights = logprobs.map((logprob) => Math.exp(logprob - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const best = logprobs.indexOf(highest);
  const probabilities = Object.fromEntries(labels.map((label, i) => [label, weights[i]! / sum]));
  return { answer: labels[best]!, probability: weights[best]! / sum, probabilities };
}

function taskSpec(model: string, { task, study }: PredictOptions): TaskSpec {
  const described = study !== undefined ? readStudy(study, []).study : findStudyLock(resolve(model, "..", ".."))?.study;
  return taskNamed(task, described && ingredientTasks(described));
}

function numberOfLines(out: string): number {
  return existsSync(out) ? readLog(out).length : 0;
}

/**
 * Rows of the output that an earlier call has written.
 * @throws {DataError} an output that belongs to other rows
 */
function alreadyDone(out: string, rows: readonly { fields: Record<string, unknown> }[]): number {
  if (!/\.jsonl$/.test(out)) {
    throw new SpecError({
      place: "--out",
      expected: "a name that ends in .jsonl",
      got: out,
      remedy: "Rename it: rows are appended one by one.",
    });
  }
  const done = existsSync(out) ? readLog(out) : [];
  done.forEach(({ line, value }, i) => {
    const written = value as Record<string, unknown>;
    const fields = rows[i]?.fields;
    if (
      fields !== undefined &&
      Object.entries(fields).every(([key, field]) => JSON.stringify(written[key]) === JSON.stringify(field))
    )
      return;
    throw new DataError({
      place: `${out}:${line}`,
      expected: "the answers to the first rows of the input, from an earlier call",
      got: "another row",
      remedy: "Give another --out, or remove the file.",
    });
  });
  return done.length;
}
