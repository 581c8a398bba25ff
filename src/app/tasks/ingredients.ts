/** @file Tasks loaded for a study, and what they come to under each model's tokenizer and each way to train. */

import { digestOf } from "../../base/digest.ts";
import { refuseLeaks } from "../../data/checks/leakage.ts";
import { type LoadSettings, loadTask } from "../../data/load-task.ts";
import { withShuffledAnswers } from "../../data/shuffled-answers.ts";
import { openTemplate, type PromptTemplate } from "../../data/tokens/chat-template.ts";
import { drawShots, lengthWithShots, SHOT_SEED, withShots } from "../../data/tokens/few-shot.ts";
import { type PreparedTask, prepareTask } from "../../data/tokens/prepare.ts";
import type { TokenCache } from "../../data/tokens/token-cache.ts";
import { openTokenizer, type Tokenizer } from "../../data/tokens/tokenizers.ts";
import type { LoadedTask } from "../../data/types.ts";
import { maxPositions } from "../../models/tuning.ts";
import { readModelConfig } from "../../models/weights.ts";
import type { Split, StudySpec, TaskSpec, TrainSpec } from "../../specs/types.ts";
import { capsAsked, withCap } from "../../study/factors.ts";
import { type IngredientFacts, ingredientTasks, type RowChoice } from "../../study/plan.ts";

/**
 * Loads every task of a study, and what its factors make of them. Overlaps that the study allows are noted with the task that is trained on.
 * @throws {DataError} a test text or group that is also trained on
 */
export async function loadTasks(
  study: StudySpec,
  settings: LoadSettings,
): Promise<{ tasks: Record<string, LoadedTask>; capped: CappedTasks }> {
  const tasks: Record<string, LoadedTask> = {};
  const specs = ingredientTasks(study);
  const kept = { ...settings, heldOut: new Map() };
  for (const [name, spec] of Object.entries(specs)) tasks[name] = await loadTask(spec, kept);
  const allowed = study.allow_overlap ?? [];
  const capped = await loadCapped(capsAsked(study), specs, tasks, kept);
  const widest = Object.entries(tasks).map(([name, task]) =>
    [...(capped[name]?.values() ?? [])].reduce((a, b) => (b.splits.train.length > a.splits.train.length ? b : a), task),
  );
  const overlaps = refuseLeaks(widest, { scored: Object.keys(study.tasks), allowed });
  for (const { task, sentence } of overlaps) tasks[task]!.notes.push(sentence);
  return { tasks, capped };
}

/** Tasks with other caps than their own, by task and cap. */
export type CappedTasks = Record<string, Map<number | null, LoadedTask>>;

/** Loads what the study's factors make of its tasks; dev and test are the tasks' own, and in memory once. */
async function loadCapped(
  asked: ReturnType<typeof capsAsked>,
  specs: Record<string, TaskSpec>,
  tasks: Record<string, LoadedTask>,
  settings: LoadSettings,
): Promise<CappedTasks> {
  const all: CappedTasks = {};
  for (const [name, caps] of Object.entries(asked)) {
    const { splits, digests } = tasks[name]!;
    all[name] = new Map();
    for (const cap of caps) {
      const { splits: its, digests: itsDigests, ...task } = await loadTask(withCap(specs[name]!, cap), settings);
      const train = { splits: { ...splits, train: its.train }, digests: { ...digests, train: itsDigests.train } };
      all[name].set(cap, { ...task, ...train });
    }
  }
  return all;
}

/** What makes token ids of a model's text. */
export interface ModelText {
  tokenizer: Tokenizer;
  template: PromptTemplate;
  /** Tokens that the model reads where no example is longer than `cutoffLen`. Absent: no limit. */
  positions?(cutoffLen: number): number;
}

/** Of a model folder. */
export function textOfFolder(folder: string): ModelText {
  const tokenizer = openTokenizer(folder);
  const { config } = readModelConfig(folder);
  return {
    tokenizer,
    template: openTemplate(folder, tokenizer),
    positions: (cutoffLen) => maxPositions(config, cutoffLen),
  };
}

/** Tasks under a model's tokenizer and template. */
/** @param rows  `shown`: tasks whose scored questions stand behind so many training examples */
export type Ingredients = (
  model: string,
  train: TrainSpec,
  rows?: RowChoice & { shown?: { tasks: readonly string[]; shots: number } },
) => Record<string, PreparedTask>;

/**
 * Prepares tasks when first asked for; models and ways to train that tokenise alike share the work.
 * @param note  told what was shortened or left out of a split, each sentence once
 */
export function ingredientsOf(
  specs: Record<string, TaskSpec>,
  tasks: Record<string, LoadedTask>,
  capped: CappedTasks,
  textOf: (model: string) => ModelText,
  cache: TokenCache | undefined,
  note: (sentence: string) => void,
): Ingredients {
  const opened = new Map<string, ModelText>();
  const open = (model: string) => {
    const known = opened.get(model) ?? textOf(model);
    opened.set(model, known);
    return known;
  };
  const said = new Set<string>();
  const sayOnce = (sentence: string) => {
    if (!said.has(sentence)) note(sentence);
    said.add(sentence);
  };
  const made = new Map<string, PreparedTask>();
  return (model, { cutoff_len, loss_on }, { caps = {}, shuffled, shown } = {}) =>
    Object.fromEntries(
      Object.entries(tasks).map(([name, task]) => {
        const seed = shuffled?.tasks.includes(name) ? shuffled.seed : undefined;
        const cap = caps[name];
        const shots = shown?.tasks.includes(name) ? shown.shots : 0;
        const key = JSON.stringify([model, cutoff_len, loss_on, name, seed, cap, shots]);
        const known = made.get(key);
        if (known !== undefined) return [name, known];
        const { tokenizer, template, positions } = open(model);
        const sized = cap === undefined ? task : capped[name]!.get(cap)!;
        const dealt = seed === undefined ? sized : withShuffledAnswers(sized, seed);
        const used = shots === 0 ? dealt : withShots(dealt, drawShots(dealt, shots, SHOT_SEED));
        const cutoffLen = lengthWithShots(cutoff_len, shots);
        const options = {
          ...{ cutoffLen, lossOn: loss_on, onBadRow: specs[name]?.on_bad_row ?? "stop" },
          ...(positions && { positions: positions(cutoffLen) }),
        };
        const prepared = noted(prepareTask(used, tokenizer, template, options, cache), sayOnce);
        made.set(key, prepared);
        return [name, prepared];
      }),
    );
}

function noted(prepared: PreparedTask, note: (sentence: string) => void): PreparedTask {
  const split = (name: Split) => {
    const made = prepared.split(name);
    made.notes.forEach(note);
    return made;
  };
  return { ...prepared, split };
}

/** What planning needs to know of prepared tasks. @param maxDev  eval.max_dev: dev decides by that many examples */
export function ingredientFacts(
  prepared: Record<string, PreparedTask>,
  maxDev: number | null,
): Record<string, IngredientFacts> {
  return Object.fromEntries(
    Object.entries(prepared).map(([name, { task, split }]) => {
      const { rowsDigest, tokenized } = split("train");
      const dev_digest = digestOf([task.digests.dev, maxDev]);
      const has_labels = task.answer.kind === "label";
      return [name, { rows_digest: rowsDigest, num_train: tokenized.length, dev_digest, has_labels }];
    }),
  );
}
