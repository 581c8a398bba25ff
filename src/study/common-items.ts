/** @file The items that two sides of a comparison both have answered, and the mixtures that their spread over seeds is estimated from. */

import type { Prediction } from "../runs/types.ts";
import type { ScoredAnswers, SideAnswers } from "./side-answers.ts";

/** Items that were not compared, and why. */
export interface LeftOut {
  reason: string;
  ids: string[];
}

/** A model's answers by the id of their item. */
function byId({ answers }: ScoredAnswers): Map<string, Prediction> {
  return new Map(answers.map((one) => [one.id, one]));
}

/** The same with its answers to these items only, in their order; all must be there. */
export function alignedTo(items: readonly string[], scored: ScoredAnswers): ScoredAnswers {
  const known = byId(scored);
  return { ...scored, answers: items.map((id) => known.get(id)!) };
}

/** Ids of the items that every model of both sides has answered, in the order of A's file, and what is not among them. */
export function commonItems(
  a: readonly ScoredAnswers[],
  b: readonly ScoredAnswers[],
  itemScore: string,
  names: { a: string; b: string },
  remark: (text: string) => void,
): { items: string[]; leftOut: LeftOut[] } {
  const [ofA, ofB] = [a.map(byId), b.map(byId)];
  const idsOf = (side: readonly Map<string, Prediction>[]) => [...new Set(side.flatMap((one) => [...one.keys()]))];
  const inAll = (side: readonly Map<string, Prediction>[], id: string) => side.every((one) => one.has(id));
  const [first, ...rest] = [...ofA, ...ofB] as [Map<string, Prediction>, ...Map<string, Prediction>[]];
  const agree = (id: string, key: "gold" | "prompt_digest") =>
    rest.every((one) => one.get(id)![key] === first.get(id)![key]);
  const all = [...new Set([...idsOf(ofA), ...idsOf(ofB)])];
  const shared = all.filter((id) => inAll(ofA, id) && inAll(ofB, id));
  const sameGold = shared.filter((id) => agree(id, "gold"));
  const samePrompt = sameGold.filter((id) => agree(id, "prompt_digest"));
  // a template or shown examples change every prompt; where only some differ, or gold too, these are other questions under the same id
  const isOtherWording = samePrompt.length === 0 && sameGold.length === shared.length && shared.length > 0;
  if (isOtherWording) {
    remark(
      `all ${sameGold.length} prompts differ (another template, wording or number of shown examples): compared as answers to the same questions`,
    );
  }
  const asked = isOtherWording ? sameGold : samePrompt;
  const isScored = (id: string) => [...ofA, ...ofB].every((one) => one.get(id)!.scores[itemScore] !== undefined);
  const only = (mine: readonly Map<string, Prediction>[], other: readonly Map<string, Prediction>[]) =>
    all.filter((id) => inAll(mine, id) && !other.some((one) => one.has(id)));
  const [onlyA, onlyB] = [only(ofA, ofB), only(ofB, ofA)];
  const oneSided = new Set([...shared, ...onlyA, ...onlyB]);
  const leftOut: LeftOut[] = [
    { reason: `only in ${names.a}`, ids: onlyA },
    { reason: `only in ${names.b}`, ids: onlyB },
    { reason: "missing under some seed", ids: all.filter((id) => !oneSided.has(id)) },
    { reason: "with another gold answer", ids: shared.filter((id) => !agree(id, "gold")) },
    { reason: "with another prompt", ids: isOtherWording ? [] : sameGold.filter((id) => !agree(id, "prompt_digest")) },
    { reason: `without a ${itemScore} score`, ids: asked.filter((id) => !isScored(id)) },
  ].filter(({ ids }) => ids.length > 0);
  return { items: asked.filter(isScored), leftOut };
}

/** The mixtures that the spread over seeds is pooled over, on the same items: those of the studies that mixtures among the sides belong to. */
export function poolOf(
  task: string,
  split: "dev" | "test",
  items: readonly string[],
  itemScore: string,
  sides: readonly SideAnswers[],
  remark: (text: string) => void,
): ScoredAnswers[][] {
  const mixtures = sides.filter(({ kind }) => kind === "mixture");
  const once = (all: readonly ScoredAnswers[][]) =>
    [...new Map(all.map((runs) => [runs.map(({ dir }) => dir).join(), runs])).values()].filter(
      (runs) => runs.length > 1,
    );
  const isSame = ({ answers }: ScoredAnswers) => {
    const known = new Map(answers.map((one) => [one.id, one]));
    return items.every((id) => known.get(id)?.scores[itemScore] !== undefined);
  };
  const repeated = once(mixtures.flatMap((side) => side.alike(task, split)));
  const usable = repeated.filter((runs) => runs.every(isSame));
  if (usable.length < repeated.length) {
    const left = repeated.length - usable.length;
    remark(`${left} mixtures of the study have answered other items: the spread over seeds is not of them`);
  }
  // mixtures without the task vary otherwise, and stand in only where none with it can tell
  const pooled = usable.length > 0 ? usable : once(mixtures.map((side) => side.of(task, split)));
  return pooled.map((runs) => runs.map((one) => alignedTo(items, one)));
}
