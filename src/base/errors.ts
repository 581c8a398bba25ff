/** @file The errors that a person gets: place, expected, got, remedy. Bugs throw plain `assert` errors instead. */

/** What an error tells: where, what was expected, what was found, and how to put it right. */
export interface ErrorDetail {
  /** Where: a file and line, a key path, a row id. */
  place: string;
  expected: string;
  got: string;
  /** One sentence in the imperative. */
  remedy: string;
  cause?: unknown;
}

/** Base of all errors meant for people. The message reads `place: expected X, got Y.` + newline + remedy. */
export class MixtuneError extends Error {
  readonly place: string;
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;

  constructor(detail: ErrorDetail) {
    super(`${detail.place}: expected ${detail.expected}, got ${detail.got}.\n  ${detail.remedy}`, {
      cause: detail.cause,
    });
    this.name = new.target.name;
    this.place = detail.place;
    this.expected = detail.expected;
    this.got = detail.got;
    this.remedy = detail.remedy;
  }
}

/** A study, run or task file, or a command line, that asks for something wrong. Exit status 2. */
export class SpecError extends MixtuneError {}
/** Data that cannot be used as it is. Exit status 2 before work began, 1 after. */
export class DataError extends MixtuneError {}
/** A model folder or checkpoint that is damaged or disagrees with itself. */
export class CheckpointError extends MixtuneError {}
/** Tensor shapes that do not fit an operation. */
export class ShapeError extends MixtuneError {}
/** An operation that is unknown or used against its rule. */
export class OpError extends MixtuneError {}
/** A run that failed while it ran: non-finite loss, disk full, out of memory. Exit status 1. */
export class WorkerError extends MixtuneError {}
