/** @file Is a run directory what it says? Cheap enough to run on every run before its numbers are used. */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { sha256 } from "../base/digest.ts";
import { MixtuneError } from "../base/errors.ts";
import type { RunSpec } from "../specs/types.ts";
import { readCheckpoint } from "./checkpoints.ts";
import {
  listPredictions,
  readJudgements,
  readMetrics,
  readPredictions,
  readScores,
  readSpec,
  readStatus,
  runPaths,
} from "./run-dir.ts";
import type { Judgement, Prediction } from "./types.ts";

/**
 * Everything that is wrong with a run, in sentences; empty if nothing is.
 *
 * @param runIdOf  digest of a RunSpec: the directory must be named so
 */
export function verifyRun(dir: string, runIdOf: (spec: RunSpec) => string): string[] {
  const problems: string[] = [];
  const attempt = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      problems.push(error.message);
    }
  };
  attempt(() => {
    const id = runIdOf(readSpec(dir));
    if (id !== basename(dir)) problems.push(`${dir}: spec.json belongs to run ${id}`);
  });
  attempt(() => {
    const steps = readMetrics(dir).map(({ step }) => step);
    // A service may tell of some steps only.
    const isHosted = existsSync(runPaths.hostedJob(dir));
    const isNext = (step: number, i: number) => (isHosted ? step > (steps[i - 1] ?? 0) : step === i + 1);
    const gap = steps.findIndex((step, i) => !isNext(step, i));
    if (gap >= 0) problems.push(`${dir}: metrics.jsonl has step ${steps[gap]} where step ${gap + 1} belongs`);
    const last = readCheckpoint(dir, "last");
    if (last !== undefined && steps.length < last.step) {
      problems.push(`${dir}: metrics.jsonl ends at step ${steps.length}, before the checkpoint of step ${last.step}`);
    }
  });
  attempt(() => readCheckpoint(dir, "best"));
  attempt(() => {
    const { tasks } = readScores(dir);
    for (const { task, split } of listPredictions(dir)) {
      const predictions = readPredictions(dir, task, split);
      const scored = tasks[task]?.[split];
      if (scored === undefined) continue;
      if (scored.n !== predictions.length)
        problems.push(`${dir}: ${task}.${split} has ${predictions.length} predictions, scores.json counts ${scored.n}`);
      if (scored.judged !== undefined && !isJudged(predictions, readJudgements(dir, task, split)))
        problems.push(`${dir}: ${task}.${split} has other predictions than those that were judged`);
    }
  });
  attempt(() => readStatus(dir));
  return problems;
}

function isJudged(predictions: readonly Prediction[], judgements: readonly Judgement[]): boolean {
  const isOf = ({ id, output }: Prediction, judgement: Judgement | undefined) =>
    judgement?.id === id && judgement.output_digest === sha256(output);
  return predictions.length === judgements.length && predictions.every((one, i) => isOf(one, judgements[i]));
}
