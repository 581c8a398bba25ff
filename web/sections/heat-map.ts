/** @file Every mixture on every task: its score, or its difference from training on the task alone. */

import { counted } from "../../src/base/human-numbers.ts";
import type { ReportData, ReportTask } from "../../src/study/report-data.ts";
import {
  type Context,
  cellOf,
  chosenModel,
  chosenSplit,
  type Drawn,
  nameOf,
  rowName,
  rowsOf,
  type Section,
} from "../context.ts";
import { controls, switcher } from "../controls.ts";
import { h } from "../dom.ts";
import { DIFFERENCE_COLUMNS, differenceCells } from "../export.ts";
import { type Matrix, type MatrixCell, matrixLegend, matrixTable, scaleEnd, shadeOf } from "../matrix.ts";
import { interval, NOTHING, pValue, score, signed } from "../numbers.ts";
import { comesFirst } from "../order.ts";
import { seedsTold, told } from "../readout.ts";

export const heatMap: Section = {
  id: "mixtures",
  title: "Every mixture on every task",
  how: "A row is a mixture, a column a task; blue is significantly better, orange significantly worse than training on the task alone, after correction for having looked at all of them. A number without color is not significantly different. Press a task's name to choose it everywhere.",
  missing: (data) => (data.rows.length === 0 || data.tasks.length === 0 ? "nothing is scored yet" : undefined),
  draw(context) {
    const { data, view } = context;
    const model = chosenModel(context);
    const hasDifferences = data.differences.some((difference) => difference.model === model);
    const kinds = hasDifferences ? ["difference", "score"] : ["score"];
    const kind = view.choice("heat", kinds, kinds[0]!);
    const order = view.choice("heat-order", ["design", "best"], "design");
    const drawn = kind === "difference" ? differenceMap(context, model, order) : scoreMap(context, model, order);
    return {
      ...drawn,
      nodes: [
        controls(
          hasDifferences
            ? switcher(view, "heat", "What is shown", { difference: "Difference from the task alone", score: "Score" })
            : undefined,
          switcher(view, "heat-order", "Order of rows", {
            design: "In order of the design",
            best: "Best on the chosen task first",
          }),
        ),
        ...drawn.nodes,
      ],
    };
  },
};

function differenceMap(context: Context, model: string, order: string): Drawn {
  const { data } = context;
  const differences = data.differences.filter((difference) => difference.model === model);
  // the first of a cell: where the task alone comes in several sizes, the one that dev finds best
  const at = new Map(
    differences.toReversed().map((difference) => [`${difference.row} ${difference.task}`, difference]),
  );
  const references = new Set(differences.map(({ reference, task }) => `${reference} ${task}`));
  const compared = data.tasks.filter(({ name }) => differences.some(({ task }) => task === name));
  const ends = endsByUnit(compared, differences);
  const rows = rowsOf(data, model).filter((row) =>
    differences.some((difference) => difference.row === row || difference.reference === row),
  );
  const cell = (row: number, task: ReportTask): MatrixCell => {
    if (references.has(`${row} ${task.name}`)) return { text: "reference", shade: null };
    const found = at.get(`${row} ${task.name}`);
    if (found === undefined) return { text: NOTHING, shade: null };
    const { difference, low, high, pAdjusted, mark } = found;
    const bounds = interval(low, high, (value) => signed(task, value));
    return {
      text: `${mark === "above" ? "▲ " : mark === "below" ? "▼ " : ""}${signed(task, difference)}`,
      shade: shadeOf(difference, mark !== "none", ends.get(task.unit)!),
      tell: told(
        `${nameOf(data, row)} on ${task.name}`,
        `${signed(task, difference)} from the task alone`,
        bounds === "" ? "no interval" : `95 % ${bounds}`,
        `corrected p ${pValue(pAdjusted)}`,
        `${task.n.test} test items`,
        counted(data.rows[row]!.cells[task.name]?.test.values.length ?? 0, "seed"),
      ),
      isStrong: mark !== "none",
    };
  };
  const value = (row: number, task: string) => at.get(`${row} ${task}`)?.difference ?? null;
  const size = differences[0]?.familySize;
  const most = ends.get("points");
  return {
    nodes: [
      map(context, compared, rows, order, cell, value, `Difference from training on the task alone, on test: ${model}`),
      matrixLegend(
        most === undefined ? "worse" : `−${(100 * most).toFixed(1)}`,
        most === undefined ? "better" : `+${(100 * most).toFixed(1)}`,
        "diverging",
        `points, test. ▲ ▼ and color: corrected p below 5 %${!size ? "" : `, Benjamini-Hochberg over ${size}`}. No color: not significantly different. Baselines without a difference stand in the score view.`,
      ),
    ],
    table: {
      columns: ["mixture", "reference", "task", ...DIFFERENCE_COLUMNS],
      rows: differences.map((d) => [
        rowName(data.rows[d.row]),
        rowName(data.rows[d.reference]),
        d.task,
        ...differenceCells(d),
      ]),
    },
  };
}

function endsByUnit(tasks: readonly ReportTask[], differences: ReportData["differences"]): Map<string, number> {
  const found = differences.filter(({ mark }) => mark !== "none");
  return new Map(
    tasks.map(({ unit }) => {
      const inUnit = new Set(tasks.filter((task) => task.unit === unit).map(({ name }) => name));
      return [unit, scaleEnd(found.filter(({ task }) => inUnit.has(task)).map(({ difference }) => difference))];
    }),
  );
}

function scoreMap(context: Context, model: string, order: string): Drawn {
  const { data } = context;
  const split = chosenSplit(context);
  const rows = rowsOf(data, model);
  const mean = (row: number, task: string) => cellOf(data.rows[row]!, task, split)?.mean ?? null;
  const ranges = new Map(
    data.tasks.map(({ name }) => {
      const values = rows.map((row) => mean(row, name)).filter((value) => value !== null);
      return [name, { low: Math.min(...values), high: Math.max(...values) }];
    }),
  );
  const cell = (row: number, task: ReportTask): MatrixCell => {
    const value = mean(row, task.name);
    if (value === null) return { text: NOTHING, shade: null };
    const { low, high } = ranges.get(task.name)!;
    const there = cellOf(data.rows[row]!, task.name, split)!;
    const isChosen = data.rows[row]!.chosenFor.includes(task.name);
    const ends = interval(there.low, there.high, (end) => score(task, end));
    return {
      text: `${isChosen ? "* " : ""}${score(task, value)}`,
      shade: high > low ? (value - low) / (high - low) : 0,
      tell: told(
        `${nameOf(data, row)} on ${task.name}`,
        `${score(task, value)} ${task.metric}, ${split}`,
        ends === "" ? "" : `95 % ${ends}`,
        `${there.n} items`,
        seedsTold(there.values, (one) => score(task, one)),
      ),
      isStrong: isChosen,
    };
  };
  return {
    nodes: [
      map(context, data.tasks, rows, order, cell, mean, `Scores on ${split}: ${model}`),
      matrixLegend("worst of the task", "best of the task", "rising", `${split}, mean over seeds. * chosen on dev.`),
    ],
    table: {
      columns: ["kind", "mixture", "task", "metric", "split", "mean", "sd", "low", "high", "n", "seeds"],
      rows: rows.flatMap((index) =>
        data.tasks.flatMap(({ name, metric }): (string | number | null)[][] => {
          const row = data.rows[index]!;
          const there = cellOf(row, name, split);
          if (there === undefined) return [];
          return [
            [
              row.kind,
              rowName(row),
              name,
              metric,
              split,
              there.mean,
              there.sd,
              there.low,
              there.high,
              there.n,
              there.values.length,
            ],
          ];
        }),
      ),
    },
  };
}

function map(
  { data, view }: Context,
  tasks: readonly ReportTask[],
  rows: readonly number[],
  order: string,
  cell: (row: number, task: ReportTask) => MatrixCell,
  value: (row: number, task: string) => number | null,
  caption: string,
): HTMLElement {
  const chosen = view.choice(
    "task",
    data.tasks.map(({ name }) => name),
    data.tasks[0]!.name,
  );
  const isBaseline = (row: number) => data.rows[row]!.kind !== "mixture" && data.rows[row]!.kind !== "control";
  const isMixture = (row: number) => data.rows[row]!.kind === "mixture";
  const group = (name: string, members: readonly number[]): Matrix["groups"] => {
    const ordered =
      order === "best" ? members.toSorted((a, b) => comesFirst(value(a, chosen), value(b, chosen))) : members;
    if (members.length === 0) return [];
    return [
      {
        name,
        rows: ordered.map((row) => ({
          name: rowName(data.rows[row]),
          cells: tasks.map((task) => cell(row, task)),
        })),
      },
    ];
  };
  return matrixTable({
    caption,
    corner: "Mixture",
    columns: tasks.map(({ name }, i) =>
      h(
        "button",
        {
          id: `heat-task-${i}`,
          type: "button",
          "aria-pressed": String(name === chosen),
          click: () => view.set({ task: name }),
        },
        name,
      ),
    ),
    groups: [
      ...group("Baselines", rows.filter(isBaseline)),
      ...group("Mixtures", rows.filter(isMixture)),
      ...group(
        "Controls",
        rows.filter((row) => !isBaseline(row) && !isMixture(row)),
      ),
    ],
  });
}
