/** @file Every seed of every mixture on the chosen task, and all tasks together. */

import { counted } from "../../src/base/human-numbers.ts";
import type { ReportRow } from "../../src/study/report-data.ts";
import { cellOf, chosenModel, chosenSplit, chosenTask, nameOf, rowName, rowsOf, type Section } from "../context.ts";
import { controls, switcher } from "../controls.ts";
import { h } from "../dom.ts";
import { fixed, interval, plain, score, tickOf } from "../numbers.ts";
import { comesFirst } from "../order.ts";
import { seedsTold, told } from "../readout.ts";
import { stripTable } from "../strips.ts";

const KINDS: Readonly<Record<ReportRow["kind"], string>> = {
  majority: "baseline",
  ngram: "baseline",
  base: "baseline",
  hosted: "baseline",
  mixture: "",
  control: "control",
};

export const seeds: Section = {
  id: "seeds",
  title: "Every seed",
  how: "Each dot is one run, the upright line their mean; the wide line is the 95 % interval over test items, of what was run once. Where dots overlap, the mixtures may well be alike, which the next section tests.",
  missing: (data) => (data.rows.length === 0 || data.tasks.length === 0 ? "nothing is scored yet" : undefined),
  draw(context) {
    const { data, view } = context;
    const task = chosenTask(context);
    const split = chosenSplit(context);
    const order = view.choice("seeds-order", ["best", "design"], "best");
    const rows = rowsOf(data, chosenModel(context)).flatMap((index) => {
      const row = data.rows[index]!;
      const cell = cellOf(row, task.name, split);
      return cell === undefined || cell.mean === null ? [] : [{ row, cell }];
    });
    const ordered = order === "best" ? rows.toSorted((a, b) => comesFirst(a.cell.mean, b.cell.mean)) : rows;
    const chart = stripTable({
      caption: `${task.name}, ${task.metric}, ${split}`,
      columns: ["Mixture", "mean", "95 %", "seeds"],
      writeTick: tickOf(task),
      strips: ordered.map(({ row, cell }) => ({
        name: h("span", {}, rowName(row), KINDS[row.kind] === "" ? undefined : h("small", {}, ` ${KINDS[row.kind]}`)),
        value: cell.mean,
        low: cell.low,
        high: cell.high,
        dots: cell.values,
        texts: [
          score(task, cell.mean),
          interval(cell.low, cell.high, (value) => score(task, value)),
          String(cell.values.length),
        ],
        tell: told(
          `${rowName(row)} on ${task.name}`,
          `${score(task, cell.mean)} ${task.metric}, ${split}`,
          cell.low === null ? "" : `95 % ${interval(cell.low, cell.high, (value) => score(task, value))}`,
          `${cell.n} items`,
          seedsTold(cell.values, (value) => score(task, value)),
        ),
        isStrong: row.chosenFor.includes(task.name),
      })),
    });
    return {
      nodes: [
        controls(
          switcher(view, "seeds-order", "Order of rows", { best: "Best first", design: "In order of the design" }),
        ),
        chart ?? h("p", { class: "quiet" }, `Nothing is scored on ${task.name} yet.`),
        h("p", { class: "quiet" }, "Bold: chosen on dev."),
      ],
      table: {
        columns: ["mixture", "task", "metric", "split", "mean", "sd", "low", "high", "n", "values"],
        rows: ordered.map(({ row, cell }) => [
          rowName(row),
          task.name,
          task.metric,
          split,
          cell.mean,
          cell.sd,
          cell.low,
          cell.high,
          cell.n,
          cell.values.join(" "),
        ]),
      },
    };
  },
};

export const aggregate: Section = {
  id: "aggregate",
  title: "All tasks together",
  how: "The interquartile mean over tasks of each score's way from the majority answer (0) to perfect (1); tasks of different metrics are never simply averaged.",
  missing: (data) =>
    data.aggregate.length === 0 ? "no mixture is scored on enough tasks for an aggregate" : undefined,
  draw(context) {
    const { data } = context;
    const own = new Set(rowsOf(data, chosenModel(context)));
    const shown = data.aggregate.filter(({ row }) => own.has(row)).toSorted((a, b) => b.iqm - a.iqm);
    return {
      nodes: [
        stripTable({
          caption: "Interquartile mean of normalised scores",
          columns: ["Mixture", "mean", "95 %", "tasks"],
          writeTick: plain,
          strips: shown.map(({ row, iqm, low, high, numTasks }) => ({
            name: nameOf(data, row),
            value: iqm,
            low,
            high,
            texts: [fixed(iqm, 3), interval(low, high, (value) => fixed(value, 3)), String(numTasks)],
            tell: told(
              nameOf(data, row),
              fixed(iqm, 3),
              low === null ? "" : `95 % ${interval(low, high, (value) => fixed(value, 3))}`,
              counted(numTasks, "task"),
              counted(data.rows[row]!.runs.length, "seed"),
            ),
          })),
        }) ?? h("p", { class: "quiet" }, "Nothing of this model yet."),
      ],
      table: {
        columns: ["mixture", "iqm", "low", "high", "tasks"],
        rows: shown.map(({ row, iqm, low, high, numTasks }) => [nameOf(data, row), iqm, low, high, numTasks]),
      },
    };
  },
};
