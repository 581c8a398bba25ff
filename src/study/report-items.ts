/** @file A report's items: those that the chosen mixture and training on the task alone answer with different success. */

import type { Prediction } from "../runs/types.ts";
import { aloneRows } from "./analyse.ts";
import { itemScoreName } from "./item-parts.ts";
import { sourcesOf } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { type ItemDisagreements, orNull, type Questions } from "./report-data.ts";
import type { ReadScored, StudyTable } from "./study-table.ts";

/** Items of the disagreement browser in a whole report. */
const MAX_ITEMS = 200;

/**
 * For each task the chosen mixture against training on the task alone, their first seeds; where that is the chosen one or was not trained, against
 * the best other mixture on dev.
 */
export function disagreementsOf(
  lock: StudyLock,
  table: StudyTable,
  read: ReadScored,
  questions: Questions,
): ItemDisagreements[] {
  const pairs = Object.values(table.chosen).flatMap((byTask) =>
    Object.entries(byTask).flatMap(([task, a]) => {
      const [alone] = aloneRows(table.rows, table.rows[a]!, task, lock);
      const b = alone === undefined || alone === a ? nextOnDev(table, a, task) : alone;
      return b === undefined ? [] : [{ task, a, b }];
    }),
  );
  let left = MAX_ITEMS;
  return pairs.flatMap(({ task, a, b }, at): ItemDisagreements[] => {
    const share = Math.floor(left / (pairs.length - at));
    const { metric } = table.tasks.find(({ name }) => name === task)!;
    const name = itemScoreName(metric, table.scoring);
    const answersOf = (row: number) => sourcesOf(table.rows[row]!, read)[0]?.predictions(task, "test") ?? [];
    const others = new Map(answersOf(b).map((one) => [one.id, one]));
    const differing = answersOf(a).flatMap((one) => {
      const other = others.get(one.id);
      return other !== undefined && one.scores[name] !== other.scores[name] ? [{ one, other }] : [];
    });
    if (differing.length === 0) return [];
    const isBetter = ({ one, other }: { one: Prediction; other: Prediction }) =>
      one.scores[name]! > other.scores[name]!;
    const sides = [differing.filter(isBetter), differing.filter((pair) => !isBetter(pair))] as const;
    // half of either side, and more of one where the other has fewer
    const numFirst = Math.min(sides[0].length, Math.max(Math.ceil(share / 2), share - sides[1].length));
    const shown = [...sides[0].slice(0, numFirst), ...sides[1].slice(0, share - numFirst)];
    left -= shown.length;
    const asked = questions.get(lock.tasks[task]!.digests.test);
    return [
      {
        task,
        a,
        b,
        onlyA: sides[0].length,
        onlyB: sides[1].length,
        items: shown.map((pair) => shownItem(pair, isBetter(pair), asked?.get(pair.one.id))),
        leftOut: differing.length - shown.length,
      },
    ];
  });
}

/** The best mixture on dev but one, of the same model. */
function nextOnDev({ rows }: StudyTable, but: number, task: string): number | undefined {
  const dev = (index: number) => rows[index]!.cells[task]!.dev.mean;
  const others = rows.flatMap(({ kind, model }, index) =>
    kind === "mixture" && model === rows[but]!.model && index !== but && !Number.isNaN(dev(index)) ? [index] : [],
  );
  return others.sort((a, b) => dev(b) - dev(a))[0];
}

/** Longest text of a question or an answer in the report. */
const MAX_TEXT = 600;

function shownItem(
  { one, other }: { one: Prediction; other: Prediction },
  aRight: boolean,
  question: string | undefined,
): ItemDisagreements["items"][number] {
  const cut = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
  const names = [...new Set([...Object.keys(one.scores), ...Object.keys(other.scores)])];
  return {
    id: one.id,
    question: question === undefined ? null : cut(question),
    gold: cut(one.gold),
    a: cut(one.output),
    b: cut(other.output),
    aRight,
    scores: Object.fromEntries(names.map((key) => [key, [orNull(one.scores[key]), orNull(other.scores[key])]])),
  };
}
