/** @file What each ingredient, and each pair of ingredients, does to each task: of the factorial model over all mixtures. */

import { counted } from "../../src/base/human-numbers.ts";
import type { IngredientEffects, ReportData, ReportTask } from "../../src/study/report-data.ts";
import { chosenModel, chosenTask, type Section } from "../context.ts";
import { h } from "../dom.ts";
import { type MatrixCell, matrixLegend, matrixTable, scaleEnd, shadeOf } from "../matrix.ts";
import { interval, NOTHING, pValue, signed } from "../numbers.ts";
import { told } from "../readout.ts";

type Effect = IngredientEffects["effects"][number];

const BETWEEN = " x ";

export const effects: Section = {
  id: "ingredients",
  title: "Which ingredient helps which task",
  how: "What having an ingredient (row) in the mixture does to a task's score (column), all else equal, estimated over all mixtures; colored where it is significant after correction.",
  missing: (data) =>
    mainTerms(data.effects).length === 0 ? "the mixtures do not vary enough to tell ingredients apart" : undefined,
  draw(context) {
    const { data } = context;
    const shown = data.effects.filter(({ model }) => model === chosenModel(context));
    const tasks = data.tasks.filter(({ name }) => shown.some(({ task }) => task === name));
    const ends = endsByUnit(shown, tasks, mainTerms(shown));
    return {
      nodes: [
        matrixTable({
          caption: "Effect of each ingredient on each task",
          corner: "Ingredient",
          columns: tasks.map(({ name }) => name),
          groups: [
            {
              rows: mainTerms(shown).map((term) => ({
                name: term,
                cells: tasks.map((task) => effectCell(task, find(shown, task.name, term), ends.get(task.unit)!)),
              })),
            },
          ],
        }),
        matrixLegend(
          "hurts",
          "helps",
          "diverging",
          "by the size of the effect. Color: corrected p below 5 %. No color: not significantly different from no effect.",
        ),
        ...shown.flatMap(({ task, text, numRuns, notEstimable }) => [
          h("p", {}, h("strong", {}, task), ` (${counted(numRuns, "run")}): ${text}`),
          notEstimable.length === 0
            ? undefined
            : h("p", { class: "quiet" }, `Not estimable: ${notEstimable.join(", ")}.`),
        ]),
      ],
      table: exported(shown, mainTerms(shown)),
    };
  },
};

export const synergies: Section = {
  id: "synergies",
  title: "Which ingredients work together",
  how: "What two ingredients do to the chosen task together, beyond the sum of what each does alone: blue is significantly more than the sum, orange significantly less.",
  missing: (data) => (pairTerms(data).length === 0 ? "no effects of pairs could be estimated" : undefined),
  draw(context) {
    const { data } = context;
    const task = chosenTask(context);
    const own = data.effects.filter((effect) => effect.model === chosenModel(context) && effect.task === task.name);
    const pairs = pairTerms({ ...data, effects: own });
    const names = mainTerms(data.effects).filter((name) => pairs.some(({ a, b }) => a === name || b === name));
    const end = endsByUnit(
      own,
      [task],
      pairs.map(({ term }) => term),
    ).get(task.unit)!;
    const cell = (a: string, b: string): MatrixCell => {
      const pair = pairs.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a));
      return a === b ? { text: "", shade: null } : effectCell(task, pair && find(own, task.name, pair.term), end);
    };
    if (pairs.length === 0)
      return { nodes: [h("p", { class: "quiet" }, `No pairs could be estimated for ${task.name}.`)] };
    return {
      nodes: [
        matrixTable({
          caption: `${task.name}: effect of each pair beyond the sum`,
          corner: "with",
          columns: names,
          groups: [{ rows: names.map((a) => ({ name: a, cells: names.map((b) => cell(a, b)) })) }],
        }),
        matrixLegend("less than the sum", "more than the sum", "diverging", "color: corrected p below 5 %."),
      ],
      table: exported(
        own,
        pairs.map(({ term }) => term),
      ),
    };
  },
};

function mainTerms(shown: readonly IngredientEffects[]): string[] {
  return [...new Set(shown.flatMap((of) => of.effects.map(({ term }) => term)))].filter(
    (term) => !term.includes(BETWEEN),
  );
}

/** The two halves of a pair's name are ingredients; a name may itself hold what stands between. */
function pairTerms({ effects: all }: Pick<ReportData, "effects">): { term: string; a: string; b: string }[] {
  const terms = [...new Set(all.flatMap((of) => of.effects.map(({ term }) => term)))].filter((term) =>
    term.includes(BETWEEN),
  );
  return terms.map((term) => {
    const [a, ...rest] = term.split(BETWEEN);
    return { term, a: a!, b: rest.join(BETWEEN) };
  });
}

function find(shown: readonly IngredientEffects[], task: string, term: string): Effect | undefined {
  return shown.find((of) => of.task === task)?.effects.find((effect) => effect.term === term);
}

function isSignificant({ pAdjusted }: Effect): boolean {
  return pAdjusted !== null && pAdjusted < 0.05;
}

function endsByUnit(
  shown: readonly IngredientEffects[],
  tasks: readonly ReportTask[],
  terms: readonly string[],
): Map<string, number> {
  const inUnit = (unit: string) =>
    tasks
      .filter((task) => task.unit === unit)
      .flatMap(({ name }) => terms.flatMap((term) => find(shown, name, term) ?? []))
      .filter(isSignificant);
  return new Map(tasks.map(({ unit }) => [unit, scaleEnd(inUnit(unit).map(({ effect }) => effect))]));
}

function effectCell(task: ReportTask, found: Effect | undefined, end: number): MatrixCell {
  if (found === undefined) return { text: NOTHING, shade: null };
  const ends = interval(found.low, found.high, (value) => signed(task, value));
  const isStrong = isSignificant(found);
  return {
    text: `${isStrong ? (found.effect > 0 ? "▲ " : "▼ ") : ""}${signed(task, found.effect)}`,
    shade: shadeOf(found.effect, isStrong, end),
    tell: told(
      `${found.term} on ${task.name}`,
      signed(task, found.effect),
      ends === "" ? "no interval" : `95 % ${ends}`,
      `p ${pValue(found.pValue)}, corrected ${pValue(found.pAdjusted)}`,
      `${task.n.test} test items`,
    ),
    isStrong,
  };
}

function exported(shown: readonly IngredientEffects[], terms: readonly string[]) {
  return {
    columns: ["task", "model", "term", "effect", "low", "high", "p", "p_adjusted"],
    rows: shown.flatMap(({ task, model, effects: all }) =>
      all
        .filter(({ term }) => terms.includes(term))
        .map((e) => [task, model, e.term, e.effect, e.low, e.high, e.pValue, e.pAdjusted]),
    ),
  };
}
