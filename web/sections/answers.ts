/** @file Task by task: the mixture that dev chooses, and whether test can tell it from training on the task alone. */

import { counted } from "../../src/base/human-numbers.ts";
import type { ReportData, ReportTask, TaskAnswer } from "../../src/study/report-data.ts";
import { chosenModel, nameOf, type Section } from "../context.ts";
import { type Child, h } from "../dom.ts";
import { interval, NOTHING, percent, pValue, signed, tickOf } from "../numbers.ts";
import { told } from "../readout.ts";
import { type Strip, stripTable } from "../strips.ts";

const VERDICTS: Readonly<Record<TaskAnswer["verdict"], string>> = {
  above: "▲ yes, better",
  below: "▼ yes, worse",
  "not distinguishable": "not significantly different",
  same: "the task alone is best",
  "no reference": "no run on the task alone",
};

/** A run on the task alone may be there and not have been scored. */
const verdictOf = ({ verdict, reference }: TaskAnswer): string =>
  verdict === "no reference" && reference !== null ? "not scored yet" : VERDICTS[verdict];

export const answers: Section = {
  id: "answers",
  title: "Which mixture helps which task",
  how: "For each task: the mixture that scores best on dev against training on that task alone, on test. The line is the 95 % interval, and zero is no difference; real is what stays below 5 % after correction for all tasks.",
  missing: (data) => (data.answers.length === 0 ? "no task has scored mixtures to compare yet" : undefined),
  draw(context) {
    const { data } = context;
    const model = chosenModel(context);
    const shown = data.answers.filter((answer) => answer.model === model);
    const taskOf = (answer: TaskAnswer) => data.tasks.find(({ name }) => name === answer.task)!;
    const units = [...new Set(shown.map((answer) => taskOf(answer).unit))];
    const charts = units.map((unit) => {
      const own = shown.filter((answer) => taskOf(answer).unit === unit);
      return stripTable({
        caption: `Mixture chosen on dev less the task alone, on test, ${unit}`,
        columns: ["Task, and the mixture", "difference", "95 %", "corrected p", "is it real?"],
        reference: 0,
        writeTick: tickOf(taskOf(own[0]!)),
        strips: own.map((answer) => strip(data, taskOf(answer), answer)),
      });
    });
    return {
      nodes: [
        ...charts,
        h(
          "details",
          { id: "in-words", class: "in-words" },
          h("summary", {}, "In words, and what else could be best"),
          ...shown.map((answer) => inWords(data, taskOf(answer), answer)),
        ),
      ],
      table: {
        columns: [
          "task",
          "model",
          "chosen",
          "reference",
          "difference",
          "low",
          "high",
          "p",
          "p_adjusted",
          "verdict",
          "offer",
        ],
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
          a.offer.verdict,
        ]),
      },
    };
  },
};

function strip(data: ReportData, task: ReportTask, answer: TaskAnswer): Strip {
  const { difference, low, high, pAdjusted, familySize, verdict, chosen } = answer;
  const isCompared = difference !== null && verdict !== "same";
  const ends = isCompared ? interval(low, high, (value) => signed(task, value)) : "";
  const mixture = nameOf(data, chosen);
  return {
    name: h("span", { class: "answer" }, answer.task, h("small", {}, verdict === "same" ? "alone" : mixture)),
    value: isCompared ? difference : null,
    low: isCompared ? low : null,
    high: isCompared ? high : null,
    mark: verdict === "above" || verdict === "below" ? verdict : "none",
    texts: [isCompared ? signed(task, difference) : NOTHING, ends, pValue(pAdjusted), verdictOf(answer)],
    ...(isCompared && {
      tell: told(
        `${mixture} on ${answer.task}`,
        `${signed(task, difference)} from ${nameOf(data, answer.reference!)}, ${task.metric}`,
        ends === "" ? "no interval" : `95 % ${ends}`,
        pAdjusted === null ? "" : `p ${pValue(pAdjusted)} after Holm over ${familySize}`,
        `${task.n.test} test items`,
        counted(data.rows[chosen]!.cells[answer.task]?.test.values.length ?? 0, "seed"),
      ),
    }),
  };
}

function inWords(data: ReportData, task: ReportTask, answer: TaskAnswer): Child {
  const { chanceOfBest, selected } = answer;
  const write = (value: number) => signed(task, value);
  return h(
    "div",
    {},
    h("p", {}, h("strong", {}, `${answer.task}. `), answer.text),
    chanceOfBest.length === 0
      ? undefined
      : h(
          "ul",
          { class: "chances" },
          ...chanceOfBest.map(({ row, chance }) =>
            h(
              "li",
              {},
              h("span", { class: "number" }, percent(chance)),
              h("span", {}, `${nameOf(data, row)} is the best`),
            ),
          ),
        ),
    selected === null
      ? undefined
      : h(
          "p",
          { class: "quiet" },
          `Best on test, whatever dev says: ${nameOf(data, selected.row)}, ${signed(task, selected.estimate)}${
            selected.low === null ? "" : ` (${interval(selected.low, selected.high, write)})`
          } against the task alone, after allowing for its having been picked among ${selected.candidates}.`,
        ),
  );
}
