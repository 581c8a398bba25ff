/** @file Task by task: the mixture that dev chooses, and whether test can tell it from training on the task alone. */

import type { ReportData, TaskAnswer } from "../../src/study/report-data.ts";
import { chosenModel, nameOf, type Section } from "../context.ts";
import { type Child, h } from "../dom.ts";
import { interval, percent, pValue, signed } from "../numbers.ts";
import { intervalPicture } from "../strips.ts";

const VERDICTS: Readonly<Record<TaskAnswer["verdict"], string>> = {
  above: "better than the task alone",
  below: "worse than the task alone",
  "not distinguishable": "not distinguishable",
  same: "the task alone is best",
  "no reference": "no run on the task alone",
};

export const answers: Section = {
  id: "answers",
  title: "Which mixture helps which task",
  how: "For each task, the mixture that scores best on dev is compared once, on test, with training on that task alone; the line is the 95 % interval of the difference, and zero means no difference.",
  missing: (data) => (data.answers.length === 0 ? "no task has scored mixtures to compare yet" : undefined),
  draw(context) {
    const { data } = context;
    const model = chosenModel(context);
    const shown = data.answers.filter((answer) => answer.model === model);
    return {
      nodes: [h("div", { class: "cards" }, ...shown.map((answer) => card(data, answer)))],
      table: {
        columns: ["task", "model", "chosen", "reference", "difference", "low", "high", "p", "p_adjusted", "verdict"],
        rows: shown.map((a) => [
          a.task,
          a.model,
          nameOf(data, a.chosen),
          a.reference === null ? null : nameOf(data, a.reference),
          a.difference,
          a.low,
          a.high,
          a.pValue,
          a.pAdjusted,
          a.verdict,
        ]),
      },
    };
  },
};

function card(data: ReportData, answer: TaskAnswer): Child {
  const task = data.tasks.find(({ name }) => name === answer.task);
  if (task === undefined) return undefined;
  const { difference, low, high, pAdjusted, familySize, verdict, chanceOfBest, selected } = answer;
  const points = task.unit === "points" ? " points" : " nats";
  const isCompared = difference !== null && verdict !== "same";
  const mark = verdict === "above" || verdict === "below" ? verdict : "none";
  const own = chanceOfBest.find(({ row }) => row === answer.chosen);
  return h(
    "article",
    { class: `card ${mark}` },
    h("h3", {}, answer.task),
    h("p", { class: "verdict" }, VERDICTS[verdict]),
    h("p", { class: "mixture" }, nameOf(data, answer.chosen)),
    !isCompared
      ? undefined
      : h(
          "p",
          { class: "gain" },
          h("strong", {}, signed(task, difference)),
          h("span", {}, `${points}${task.itemMetric === task.metric ? "" : ` of ${task.itemMetric}`}`),
        ),
    !isCompared ? undefined : intervalPicture({ value: difference, low, high, mark }, 0),
    h(
      "p",
      { class: "quiet" },
      [
        interval(low, high, (value) => signed(task, value)),
        pAdjusted === null ? "" : `p ${pValue(pAdjusted)} after Holm over ${familySize}`,
        own === undefined ? "" : `chance of being the best: ${percent(own.chance)}`,
      ]
        .filter((text) => text !== "")
        .join(" · "),
    ),
    h(
      "details",
      {},
      h("summary", {}, "In words, and what could be best"),
      h("p", {}, answer.text),
      chanceOfBest.length === 0
        ? undefined
        : h(
            "ul",
            { class: "chances" },
            ...chanceOfBest.map(({ row, chance }) =>
              h("li", {}, h("span", {}, nameOf(data, row)), h("span", { class: "number" }, percent(chance))),
            ),
          ),
      selected === null || selected.estimate === null
        ? undefined
        : h(
            "p",
            { class: "quiet" },
            `Best on test, whatever dev says: ${nameOf(data, selected.row)}, ${signed(task, selected.estimate)}${
              selected.low === null ? "" : ` (${interval(selected.low, selected.high, (value) => signed(task, value))})`
            } against the task alone, after allowing for its having been picked among ${selected.candidates}.`,
          ),
    ),
  );
}
