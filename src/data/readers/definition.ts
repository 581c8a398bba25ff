/** @file What a task file of the catalogue says: where the data is from, how a row of it becomes an example, how it is scored. */

import type { Gold } from "../../specs/gold.ts";
import type { AnswerSpec, MetricName, Split } from "../../specs/types.ts";

/** A row in the task's own terms. `number` is its row in the source (`12`, or `12.3` for the third question on it) and becomes part of its id. */
export interface Numbered<R> {
  number: number | string;
  record: R;
}

/** The splits that a source has. What it lacks is carved (splits.ts); rows whose training text is held out elsewhere are left out by the task. */
export type SplitRecords<R> = Partial<Record<Split, Numbered<R>[]>>;

export interface ReadContext {
  /** One of the task's `variants`; empty where it has none. */
  variant: string;
  /** Sentences for people about what was counted, joined or left out. */
  notes: string[];
}

/** The publication's own files, in a folder of datasets. */
export interface LocalSource<R> {
  /** Paths below the data root; all must be there. */
  files: readonly string[];
  /** Reads them; `root` is the data root. @throws {DataError} damaged files, rows that are not what was published */
  read(root: string, context: ReadContext): SplitRecords<R> | Promise<SplitRecords<R>>;
}

/** A dataset of the Hugging Face hub. Its revision is never written here: it is recorded when the data is fetched. */
export interface HubSource<R> {
  id: string;
  /** Configuration (subset), where the dataset has several; a function where the variant says which. */
  config?: string | ((variant: string) => string);
  /** The hub's name of each split. */
  splits: Partial<Record<Split, string>>;
  /** Splits that copies of the dataset may lack: carved then, which is said. */
  mayLack?: readonly Split[];
  /** Columns that are read; a list holds the names that one goes by, the first being what `records` is given. Case does not matter. */
  columns: readonly (string | readonly [string, ...string[]])[];
  /** Public code that reads or makes the dataset with these splits and columns, or its own card: `owner/repository path`. */
  seenIn: string;
  /** The source asks the same thing in several rows that stand together, in other words each time: such rows are one. */
  isRepetitive?: boolean;
  /** A sentence about this copy of the data, said whenever it is read. */
  caveat?: string;
  /** The records of a row: usually one. @param place for messages @throws {DataError} a row of another form */
  records(row: Readonly<Record<string, unknown>>, place: string, context: ReadContext): readonly R[];
}

/** What of a record makes it an example, whatever the wording of its prompt. */
export interface Shaped {
  /** Text of the answer; for kind `label` one of the labels. */
  answer: string;
  /** Rows of one group stay in one split and are resampled together. */
  group: string;
  /** The row's own words without instruction: what is compared between splits. */
  text: string;
  /** What scoring needs beyond the answer's text. */
  gold?: Gold;
}

/** Published number of rows of splits, in all or of each label. */
export type PublishedRows = Partial<Record<Split, number | Readonly<Record<string, number>>>>;

/** A dataset of the catalogue. */
export interface TaskDefinition<R = unknown> {
  /** By which study files call it. */
  name: string;
  /** One line for people. */
  title: string;
  /** Authors, year, title. */
  publication: string;
  /** As its source states it; `not stated` where it states none. */
  licence: string;
  answer: AnswerSpec;
  /** The metric that ranks models on it; absent: that of the answer's kind. */
  metric?: MetricName;
  /** What one group is: the unit of splitting and of resampling. */
  unit: string;
  /** Cap on training examples where the person asks for none. */
  maxTrain?: number;
  /** What `max_train: paper` (or, for a mixer, `share_of_caps: paper`) means: as arXiv 2410.01109's code has it. */
  paper?: { cap: number } | { shareOfCaps: number };
  /** A benchmark that is only evaluated: training on it is refused. */
  isEvaluationOnly?: boolean;
  /**
   * What the publication says of its first variant, checked by `tasks check`: dev and test exactly, train as the most there can be, as dev is
   * carved from it and rows that repeat a held-out text are left out. Absent where the original's numbers are not in the source.
   */
  published?: PublishedRows;
  /** Forms of the data by name, with what they are; the first is the default. */
  variants?: Readonly<Record<string, string>>;
  /** Wordings of the prompt by name; the first is the default. */
  prompts: Readonly<Record<string, (record: R) => string>>;
  example(record: R): Shaped;
  /** The part of the prompt that is shortened, by whole lines or words, where an example is longer than cutoff_len; it stands in every prompt as it is. */
  fit?: { text(record: R): string; keep: "start" | "end" };
  /** Made by mixtune itself. */
  generate?(): SplitRecords<R>;
  local?: LocalSource<R>;
  hub?: HubSource<R>;
  /** Said where a source has no training rows: why, and which other name to use. */
  withoutTrain?: string;
}

/** Checks a definition's own types and forgets what its records are. */
export function defineTask<R>(definition: TaskDefinition<R>): TaskDefinition {
  return definition as unknown as TaskDefinition;
}
