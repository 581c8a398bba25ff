/** @file A study while it is put together from another tool's datasets, and the study file that it becomes. */

import { SpecError } from "../../base/errors.ts";
import type { EvalBlock, MixerBlock, StudyFile, TaskBlock } from "../schema.ts";
import type { TrainBlock } from "../train.ts";
import type { Amount } from "../types.ts";
import { type Recipe, studyOfPaper } from "./paper.ts";
import type { KeyReader } from "./reader.ts";
import type { ImportOptions } from "./types.ts";

/** How the rows of a file become examples. */
export type Rows =
  /** By the file's own shape, which mixtune knows. */
  | { shape: "alpaca" | "sharegpt" | "messages" }
  | { prompt: string; answer: string }
  /** Documents: every token trained on. */
  | { document: string };

export interface Draft {
  tasks: Record<string, TaskBlock>;
  mixers: Record<string, MixerBlock>;
  /** What the mixture holds. */
  amounts: Record<string, Amount>;
  /** Whether rows may have several answers. */
  hasConversations: boolean;
}

export function emptyDraft(): Draft {
  return { tasks: {}, mixers: {}, amounts: {}, hasConversations: false };
}

/** A dataset of one's own as a task; documents as a mixer, since they have no answer to score. */
export function addOwnData(
  draft: Draft,
  name: string,
  train: string,
  rows: Rows,
  extra: Pick<TaskBlock, "max_train" | "on_bad_row" | "evaluation_only">,
  amount: Amount | undefined,
): void {
  if ("document" in rows) {
    const { on_bad_row, max_train } = extra;
    draft.mixers[name] = {
      role: "ingredient",
      data: { train },
      answer: { kind: "document", field: rows.document },
      ...(on_bad_row === undefined ? {} : { on_bad_row }),
    };
    if (amount !== undefined)
      draft.amounts[name] =
        max_train === undefined || max_train === "paper" || Object.keys(amount).length > 0 ? amount : { max_train };
    return;
  }
  if ("shape" in rows && rows.shape !== "alpaca") draft.hasConversations = true;
  draft.tasks[name] = {
    data: { train },
    ...("prompt" in rows ? { prompt: rows.prompt, answer: { kind: "text" as const, field: rows.answer } } : {}),
    ...extra,
  };
  if (amount !== undefined) draft.amounts[name] = amount;
}

/** A name of the study's grammar that is not yet taken. */
export function freeName(text: string, draft: Draft): string {
  const base =
    text
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .replace(/^[-_]+|[-_]+$/g, "")
      .slice(0, 60) || "data";
  const isTaken = (name: string) => Object.hasOwn(draft.tasks, name) || Object.hasOwn(draft.mixers, name);
  let name = base;
  for (let i = 2; isTaken(name); i++) name = `${base}-${i}`;
  return name;
}

/** Shares that sum to 1; of a single ingredient none, as it is the whole epoch. */
export function sharesOf(numbers: readonly number[]): (number | undefined)[] {
  const sum = numbers.reduce((total, one) => total + one, 0);
  return numbers.length === 1 ? [undefined] : numbers.map((one) => one / sum);
}

/** A model as the study names it: a folder, or a name on the hub. Accounts for the key. */
export function modelOf(
  reader: KeyReader,
  key: string,
  revision: string | undefined,
  rebase: ImportOptions["rebase"],
): string {
  const written = reader.text(key);
  if (written === undefined) throw reader.refuse(key, "a model", "Name the model.");
  reader.carry(key, "models");
  const isPath = /^\.{0,2}\//.test(written);
  if (!isPath && /^[\w.-]+\/[\w.-]+$/.test(written))
    return revision === undefined || revision === "main" ? written : `${written}@${revision}`;
  if (!isPath) reader.say("deviation", key, "taken for a folder, as it is no org/name of the hub");
  const path = rebase(written);
  return /^\.{0,2}\//.test(path) ? path : `./${path}`;
}

/** The draft as a study file. @throws {SpecError} nothing that can be scored */
export function studyOf(
  draft: Draft,
  recipe: Recipe,
  evaluation: EvalBlock,
  place: string,
  options: ImportOptions,
): StudyFile {
  if (options.design === "paper-55") return studyOfPaper(recipe, options.name);
  if (!Object.values(draft.tasks).some((task) => task.evaluation_only !== true)) {
    throw new SpecError({
      place,
      expected: "at least one dataset with answers: a study scores what it trains",
      got: Object.keys(draft.mixers).length > 0 ? "documents alone" : "none that a study can hold",
      remedy: "Add a task of the catalogue (mixtune tasks list) by hand, or write a run file for mixtune train.",
    });
  }
  const { name } = options;
  return {
    name,
    models: [recipe.model],
    tasks: draft.tasks,
    ...(Object.keys(draft.mixers).length > 0 ? { mixers: draft.mixers } : {}),
    design: [{ name: "imported", tasks: draft.amounts }],
    seeds: recipe.seeds,
    train: recipe.train as TrainBlock as NonNullable<StudyFile["train"]>,
    ...(Object.keys(evaluation).length > 0 ? { eval: evaluation } : {}),
  };
}
