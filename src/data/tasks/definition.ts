/** @file What a task file of the catalogue says. */

import type { AnswerSpec, MetricName } from "../../specs/types.ts";
import type { SourceSplits } from "../splits.ts";

/** A dataset of the catalogue: where it is from, how a row becomes an example, how it is scored. */
export interface TaskDefinition {
  name: string;
  /** One line for people. */
  title: string;
  /** Who made it and where the local copy is read from. */
  source: string;
  /** As stated by its source; `not stated` where it states none. */
  licence: string;
  answer: AnswerSpec;
  /** The metric that ranks models on it. */
  metric: MetricName;
  /** What one group is: the unit of splitting and of resampling. */
  unit: string;
  /** Cap on training examples where the person asks for none. */
  maxTrain?: number;
  /** Whether it reads files below the data root; generated tasks do not. */
  needsRoot: boolean;
  /** Reads the rows; `root` is the data root. Sentences for people about what was counted or left out go to `notes`. */
  load(root: string, notes: string[]): SourceSplits;
}
