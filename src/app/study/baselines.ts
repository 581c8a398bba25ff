/** @file The reference rows of a study: majority, n-grams, untuned and hosted models. */

import { digestOf } from "../../base/digest.ts";
import type { Example, LoadedTask } from "../../data/types.ts";
import { numericsOf } from "../../specs/train.ts";
import type { StudySpec } from "../../specs/types.ts";
import type { LockedBaseline, StudyLock } from "../../study/lock-file.ts";
import type { HostedChoice } from "../hosted/choice.ts";

/** Reference rows. Their ids hold a digest of what they are scored on, so that changed data is a new baseline. */
export function baselinesOf(
  study: StudySpec,
  tasks: Record<string, LoadedTask>,
  models: StudyLock["models"],
  hosted: Record<string, HostedChoice>,
): LockedBaseline[] {
  if (Object.keys(study.tasks).length === 0) return [];
  const scoredOn = Object.keys(study.tasks).map((name) => [name, tasks[name]!.digests]);
  const { max_dev, max_test, splits } = study.eval;
  const idOf = (kind: string, extra: unknown) =>
    `${kind}-${digestOf([scoredOn, max_dev, max_test, splits, extra]).slice(0, 8)}`;
  const others = study.eval.baselines.map((name): LockedBaseline => {
    const choice = hosted[name];
    if (choice === undefined) return { id: idOf(name, null), kind: name as "majority" | "ngram" };
    const where = { base_url: choice.baseUrl, api: choice.api };
    return { id: idOf("hosted", { model: name, ...where }), kind: "hosted", model: name, ...where };
  });
  // Shortened prompts are others under another limit.
  const isFitted = Object.keys(study.tasks).some((name) => Object.values(tasks[name]!.splits).some(mayBeShortened));
  const limit = isFitted ? { cutoff_len: study.train.cutoff_len } : {};
  const untuned = study.controls.flatMap((control) => {
    const [kind, shotsAsked = 0] = control.split(":");
    if (kind !== "base" && kind !== "few_shot") return []; // these are runs
    const few_shot = Number(shotsAsked);
    const shots = few_shot > 0 ? { few_shot } : {};
    // Before 0.2 all shots stood in one turn of the user.
    const asTurns = few_shot > 0 ? { shots: "turns" } : {};
    return study.models.map((model) => ({
      id: idOf("base", { ...models[model], name: "", ...limit, ...shots, ...asTurns, ...numericsOf(study.train) }),
      kind: "base" as const,
      model,
      ...shots,
    }));
  });
  return [...others, ...untuned];
}

function mayBeShortened(examples: readonly Example[]): boolean {
  return examples.some(({ fit }) => fit !== undefined);
}
