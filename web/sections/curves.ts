/** @file Scores along a dose or a size, the best of so many trials, and losses along a run. */

import type { EqualTrials, ReportTask, RunLosses } from "../../src/study/report-data.ts";
import { chosenModel, chosenTask, nameOf, type Section } from "../context.ts";
import { controls, pick, switcher } from "../controls.ts";
import { type Child, h } from "../dom.ts";
import { lineChart } from "../lines.ts";
import { score, signed, tickOf } from "../numbers.ts";
import { type Line, smoothed } from "../scales.ts";
import { dataTable } from "../table.ts";
import type { View } from "../view.ts";

const unitOf = (task: ReportTask): string => (task.unit === "points" ? `${task.metric}, points` : task.unit);

const limitsOf = (task: ReportTask): [number, number] | undefined =>
  task.unit === "points" ? [task.metric === "mcc" ? -1 : 0, 1] : undefined;

export const doses: Section = {
  id: "doses",
  title: "How much of it",
  how: "The chosen task's score along a quantity that varies between mixtures otherwise alike; each small dot is a run, the line joins their means, and the band is the 95 % interval over seeds on these test items.",
  missing: (data) =>
    data.curves.length === 0 ? "no dose, size or option varies between mixtures otherwise alike" : undefined,
  draw(context) {
    const { data } = context;
    const task = chosenTask(context);
    const shown = data.curves.filter((curve) => curve.task === task.name && curve.model === chosenModel(context));
    if (shown.length === 0) return { nodes: [h("p", { class: "quiet" }, `No quantity varies for ${task.name}.`)] };
    return {
      nodes: shown.flatMap(({ of, series, text }) => [
        h("h3", {}, of),
        lineChart({
          label: `${task.name} along ${of}`,
          xLabel: of,
          yLabel: unitOf(task),
          writeTick: tickOf(task),
          limits: limitsOf(task),
          mayBeLogarithmic: true,
          lines: series.map(({ name, points }) => ({
            name,
            points: points.map(({ x, mean, low, high }) => ({ x, y: mean, low, high })),
            dots: points.flatMap(({ x, values }) => values.map((y) => ({ x, y }))),
          })),
        }),
        h("p", {}, text),
      ]),
      table: {
        columns: ["task", "of", "series", "x", "mean", "low", "high", "values"],
        rows: shown.flatMap(({ of, series }) =>
          series.flatMap(({ name, points }) =>
            points.map(({ x, mean, low, high, values }) => [task.name, of, name, x, mean, low, high, values.join(" ")]),
          ),
        ),
      },
    };
  },
};

export const expectedMaximum: Section = {
  id: "trials",
  title: "What trying more would bring",
  how: "The score that the best of k runs is expected to reach. Whoever tries more runs finds a better one by luck alone, so methods are compared at the same number of runs.",
  missing: (data) =>
    data.expectedMaximum.length === 0 ? "too few runs for the best of several to be estimated" : undefined,
  draw(context) {
    const { data, view } = context;
    const task = chosenTask(context);
    const shown = data.expectedMaximum.find(
      (curve) => curve.task === task.name && curve.model === chosenModel(context),
    );
    if (shown === undefined) return { nodes: [h("p", { class: "quiet" }, `Too few runs on ${task.name}.`)] };
    return {
      nodes: [
        lineChart({
          label: `${task.name}: expected best score by number of runs tried`,
          xLabel: "runs tried",
          yLabel: unitOf(task),
          writeTick: tickOf(task),
          limits: limitsOf(task),
          lines: shown.curves.map(({ name, points }) => ({
            name,
            points: points.map(({ k, expected, low, high }) => ({ x: k, y: expected, low, high })),
          })),
        }),
        h("h3", {}, "The same number of runs on the task alone"),
        ...equalTrials(task, shown.equalTrials, view),
      ],
      table: {
        columns: ["task", "curve", "tries", "expected", "low", "high"],
        rows: shown.curves.flatMap(({ name, points }) =>
          points.map(({ k, expected, low, high }) => [task.name, name, k, expected, low, high]),
        ),
      },
    };
  },
};

/** So many tries are shown, and the most that there are. */
const SHOWN_TRIES = [1, 2, 3, 5, 10, 20, 50, 100];

function equalTrials(task: ReportTask, { numAlone, numMixtures, tries }: EqualTrials, view: View): readonly Child[] {
  const there = `Scored: ${numAlone} ${numAlone === 1 ? "run" : "runs"} of ${task.name} alone (over seeds and factors) and ${numMixtures} of mixtures that hold more.`;
  if (tries.length < 2) {
    return [
      h(
        "p",
        {},
        `${there} That is too few to compare a search of the one with a search of the other: more seeds, or a factor that varies, would give the task alone its chances too.`,
      ),
    ];
  }
  return [
    h(
      "p",
      {},
      `${there} When some of these runs are tried and the best of them on dev is kept, this is its test score, averaged over all ways to choose them:`,
    ),
    dataTable(view, {
      key: "trials",
      caption: `${task.name}, ${task.metric}, test score of the run that is best on dev, by runs tried`,
      columns: [
        { name: "runs tried", text: ({ k }) => String(k), number: ({ k }) => k },
        { name: "the task alone", text: ({ alone }) => score(task, alone), number: ({ alone }) => alone },
        { name: "mixtures", text: ({ mixtures }) => score(task, mixtures), number: ({ mixtures }) => mixtures },
        {
          name: "difference",
          text: ({ alone, mixtures }) => signed(task, mixtures - alone),
          number: ({ alone, mixtures }) => mixtures - alone,
        },
      ],
      rows: tries.filter(({ k }) => SHOWN_TRIES.includes(k) || k === tries.length),
    }),
  ];
}

export const losses: Section = {
  id: "losses",
  title: "Inside a run",
  how: "Training loss of each ingredient within one mixed run, and the loss on each task's dev split where it was measured: which task is still learning, and which is forgotten. Thick training lines are means over neighbouring points, pale ones the points themselves.",
  missing: (data) => (data.losses.length === 0 ? "no run has written its losses" : undefined),
  draw({ data, view }) {
    const runs = new Map(data.runs.map((run) => [run.id, run]));
    const options = data.losses.map(({ run }) => {
      const known = runs.get(run);
      return {
        value: run,
        name: known === undefined ? run : `${nameOf(data, known.row)}, seed ${known.seed} (${run.slice(0, 8)})`,
      };
    });
    const id = view.choice(
      "run",
      options.map(({ value }) => value),
      mostMixed(data.losses).run,
    );
    const hasDev = data.losses.some(({ dev }) => dev.length > 0);
    const kind = view.choice("losses", hasDev ? ["train", "dev"] : ["train"], "train");
    const shown = data.losses.find(({ run }) => run === id)!;
    const lines = kind === "dev" ? devLines(shown) : trainLines(shown);
    return {
      nodes: [
        controls(
          pick(view, "run", "Run", options, mostMixed(data.losses).run),
          hasDev ? switcher(view, "losses", "Which losses", { train: "Training", dev: "Dev" }) : undefined,
        ),
        lineChart({ label: `Loss by ingredient along run ${id}`, xLabel: "step", yLabel: "nats a token", lines }) ??
          h("p", { class: "quiet" }, "This run has no such losses."),
      ],
      table: {
        columns: ["run", "of", "step", "loss"],
        rows: lines.flatMap(({ name, points, behind = points }) =>
          behind.flatMap(({ x, y }) => (y === null ? [] : [[id, name, x, y]])),
        ),
      },
    };
  },
};

/** The run with the most ingredients: the one with most to see. */
function mostMixed(all: readonly RunLosses[]): RunLosses {
  const numTasks = ({ perTask }: RunLosses) => Object.keys(perTask).length;
  return all.reduce((best, run) => (numTasks(run) > numTasks(best) ? run : best));
}

function trainLines({ steps, loss, perTask }: RunLosses): Line[] {
  const line = (name: string, values: readonly (number | null)[]): Line => {
    const behind = steps.map((x, i) => ({ x, y: values[i] ?? null }));
    return { name, points: smoothed(behind), behind };
  };
  const tasks = Object.entries(perTask).map(([name, values]) => line(name, values));
  return tasks.length === 1 ? tasks : [...tasks, line("all together", loss)];
}

function devLines({ dev }: RunLosses): Line[] {
  const names = [...new Set(dev.flatMap((at) => Object.keys(at.losses)))];
  return names.map((name) => ({ name, points: dev.map(({ step, losses: at }) => ({ x: step, y: at[name] ?? null })) }));
}
