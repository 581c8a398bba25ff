/** @file How far two runs of one spec are apart that different engines did. */

import { join } from "node:path";
import { WorkerError } from "../base/errors.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { readCheckpoint } from "../runs/checkpoints.ts";
import { listPredictions, readMetrics, readPredictions } from "../runs/run-dir.ts";
import type { TrainSpec } from "../specs/types.ts";
import { weightFile } from "../train/checkpoint.ts";

/** Largest differences of two runs; 0 is the same to the last bit. */
export interface Parity {
  steps: number;
  /** Of any step's training loss, nats a token. */
  loss: number;
  /** Of any task's dev loss, nats a token. */
  dev_loss: number;
  /** Of any trained weight at the end. */
  weight: number;
  /** Answers compared. */
  items: number;
  /** Of any label's log-probability, nats. */
  logprob: number;
  /** Answers that another score or text came out for. */
  other_answers: { task: string; split: string; id: string }[];
}

/**
 * Compares two run directories.
 * @throws {WorkerError} they are not runs of the same spec: other steps, learning rates, items or prompts
 */
export function parityOf(a: string, b: string, train: Pick<TrainSpec, "method">): Parity {
  const [first, second] = [readMetrics(a), readMetrics(b)];
  same("steps", first.length, second.length);
  let loss = 0;
  let dev = 0;
  for (const [i, line] of first.entries()) {
    const other = second[i]!;
    for (const key of ["step", "tokens", "learning_rate"] as const)
      same(`step ${i + 1}: ${key}`, line[key], other[key]);
    loss = Math.max(loss, apart(line.loss, other.loss));
    for (const [task, value] of Object.entries(line.dev_loss ?? {}))
      dev = Math.max(dev, apart(value, other.dev_loss?.[task]));
  }
  const parity: Parity = {
    ...{ steps: first.length, loss, dev_loss: dev, weight: weightsApart(a, b, weightFile(train)) },
    ...{ items: 0, logprob: 0, other_answers: [] },
  };
  for (const { task, split } of listPredictions(a)) {
    const [ours, theirs] = [readPredictions(a, task, split), readPredictions(b, task, split)];
    same(`items of ${task} ${split}`, ours.length, theirs.length);
    for (const [i, one] of ours.entries()) {
      const other = theirs[i]!;
      same(`item ${i} of ${task} ${split}`, `${one.id} ${one.prompt_digest}`, `${other.id} ${other.prompt_digest}`);
      for (const [label, value] of Object.entries(one.label_logprobs ?? {}))
        parity.logprob = Math.max(parity.logprob, apart(value, other.label_logprobs?.[label]));
      const keys = Object.keys(one.scores);
      const isSame = one.output === other.output && keys.every((key) => Object.is(one.scores[key], other.scores[key]));
      if (!isSame) parity.other_answers.push({ task, split, id: one.id });
      parity.items++;
    }
  }
  return parity;
}

/** Infinite where one of them is no number. */
function apart(a: number, b: number | undefined): number {
  const difference = Math.abs(a - (b ?? Number.NaN));
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

function weightsApart(a: string, b: string, file: string): number {
  const open = (dir: string) => openSafetensors(join(readCheckpoint(dir)!.path, file));
  const [first, second] = [open(a), open(b)];
  same("trained tensors", [...first.tensors.keys()].sort().join(" "), [...second.tensors.keys()].sort().join(" "));
  let most = 0;
  for (const name of first.tensors.keys()) {
    const [ours, theirs] = [first.readFloat32(name), second.readFloat32(name)];
    same(`size of ${name}`, ours.length, theirs.length);
    for (const [i, value] of ours.entries()) most = Math.max(most, apart(value, theirs[i]));
  }
  return most;
}

function same(what: string, expected: unknown, got: unknown): void {
  if (Object.is(expected, got)) return;
  throw new WorkerError({
    place: what,
    expected: String(expected),
    got: String(got),
    remedy: "Both runs must be of one spec: the worker that came with this version, the same model and data.",
  });
}
