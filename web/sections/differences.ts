/** @file Differences with their intervals, one a row: from the task alone, and from the untuned model where a task is only evaluated. */

import { counted } from "../../src/base/human-numbers.ts";
import type { MixtureDifference } from "../../src/study/report-data.ts";
import { type Context, chosenModel, chosenTask, type Drawn, nameOf, type Section } from "../context.ts";
import { controls, pick } from "../controls.ts";
import { h } from "../dom.ts";
import { DIFFERENCE_COLUMNS, differenceCells } from "../export.ts";
import { interval, pValue, signed, tickOf } from "../numbers.ts";
import { told } from "../readout.ts";
import { stripTable } from "../strips.ts";

export const forest: Section = {
  id: "differences",
  title: "Differences with their intervals",
  how: "Each mixture against training on the chosen task alone, on the same test items; an interval that crosses the line at zero leaves open which is better.",
  missing: (data) =>
    data.differences.length === 0 ? "no mixture has a run on the task alone to compare with" : undefined,
  draw: (context) => {
    const task = chosenTask(context);
    const shown = context.data.differences.filter(
      (difference) => difference.task === task.name && difference.model === chosenModel(context),
    );
    return drawn(context, shown, `${task.name}: difference from the task alone, ${task.metric}, test`);
  },
};

export const retention: Section = {
  id: "elsewhere",
  title: "What it costs elsewhere",
  how: "Tasks that no mixture trains on, against the untuned model: left of zero, tuning has cost general ability.",
  missing: (data) =>
    data.retention.length === 0 ? "no task is only evaluated, so nothing says what tuning costs elsewhere" : undefined,
  draw: (context) => {
    const { data, view } = context;
    const names = [...new Set(data.retention.map(({ task }) => task))];
    const name = view.choice("elsewhere", names, names[0]!);
    const own = data.retention.filter(({ task, model }) => task === name && model === chosenModel(context));
    const { nodes, table } = drawn(context, own, `${name}: difference from the untuned model, test`);
    const options = names.map((value) => ({ value, name: value }));
    return {
      nodes: [controls(pick(view, "elsewhere", "Task that is only evaluated", options, name)), ...nodes],
      table,
    };
  },
};

function drawn({ data }: Context, differences: readonly MixtureDifference[], caption: string): Required<Drawn> {
  const ordered = differences.toSorted((a, b) => b.difference - a.difference);
  const task = data.tasks.find(({ name }) => name === ordered[0]?.task);
  const chart =
    task === undefined
      ? undefined
      : stripTable({
          caption,
          columns: ["Mixture", "difference", "95 %", "corrected p"],
          reference: 0,
          writeTick: tickOf(task),
          strips: ordered.map(({ row, reference, difference, low, high, pValue: p, pAdjusted, mark }) => ({
            name: nameOf(data, row),
            value: difference,
            low,
            high,
            mark,
            texts: [signed(task, difference), interval(low, high, (value) => signed(task, value)), pValue(pAdjusted)],
            tell: told(
              `${nameOf(data, row)} on ${task.name}`,
              `${signed(task, difference)} from ${nameOf(data, reference)}`,
              low === null ? "no interval" : `95 % ${interval(low, high, (value) => signed(task, value))}`,
              `p ${pValue(p)}, corrected ${pValue(pAdjusted)}`,
              `${task.n.test} test items`,
              counted(data.rows[row]!.cells[task.name]?.test.values.length ?? 0, "seed"),
            ),
            isStrong: mark !== "none",
          })),
        });
  return {
    nodes: [chart ?? h("p", { class: "quiet" }, "Nothing to compare for this task and model.")],
    table: {
      columns: ["mixture", "reference", "task", ...DIFFERENCE_COLUMNS],
      rows: ordered.map((d) => [nameOf(data, d.row), nameOf(data, d.reference), d.task, ...differenceCells(d)]),
    },
  };
}
