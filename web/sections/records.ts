/** @file What was run and what it cost: runs and how they differ, the ledger, cost, tasks, methods. */

import { counted } from "../../src/base/human-numbers.ts";
import type { ReportRun } from "../../src/study/report-data.ts";
import { nameOf, type Section } from "../context.ts";
import { controls, pick } from "../controls.ts";
import { h } from "../dom.ts";
import { duration, large, NOTHING, score } from "../numbers.ts";
import { type Column, dataTable } from "../table.ts";
import { explained } from "../words.ts";

export const runs: Section = {
  id: "runs",
  title: "Runs",
  how: "Every run of the study; press a heading to sort. Beneath, choose two to see only the settings in which they differ.",
  missing: (data) => (data.runs.length === 0 ? "nothing was planned" : undefined),
  draw({ data, view }) {
    const models = (run: ReportRun) => data.rows[run.row]?.model ?? "";
    const columns: Column<ReportRun>[] = [
      { name: "run", text: ({ id }) => id },
      { name: "mixture", text: ({ row }) => nameOf(data, row) },
      ...(data.models.length > 1 ? [{ name: "model", text: models }] : []),
      { name: "seed", text: ({ seed }) => String(seed), number: ({ seed }) => seed },
      { name: "state", text: ({ state, reason }) => (reason === null ? state : `${state}: ${reason}`) },
      { name: "time", text: ({ cost }) => duration(cost?.seconds), number: ({ cost }) => cost?.seconds ?? null },
      { name: "tokens", text: ({ cost }) => large(cost?.tokens), number: ({ cost }) => cost?.tokens ?? null },
      { name: "FLOPs", text: ({ cost }) => large(cost?.flops), number: ({ cost }) => cost?.flops ?? null },
      {
        name: "memory",
        text: ({ cost }) => large(cost?.peak_memory_bytes, "B"),
        number: ({ cost }) => cost?.peak_memory_bytes ?? null,
      },
    ];
    const keys = [...new Set(data.runs.flatMap(({ differs }) => Object.keys(differs)))].sort();
    const settingOf = (run: ReportRun, key: string) => (Object.hasOwn(run.differs, key) ? run.differs[key]! : NOTHING);
    const options = data.runs.map((run) => ({
      value: run.id,
      name: `${nameOf(data, run.row)}, seed ${run.seed} (${run.id.slice(0, 8)})`,
    }));
    const ids = options.map(({ value }) => value);
    const [firstId, secondId] = [ids[0]!, ids[1] ?? ids[0]!];
    const runOf = (id: string) => data.runs.find((run) => run.id === id)!;
    const [a, b] = [runOf(view.choice("run-a", ids, firstId)), runOf(view.choice("run-b", ids, secondId))];
    const different = keys.filter((key) => settingOf(a, key) !== settingOf(b, key));
    return {
      nodes: [
        dataTable(view, { key: "runs", caption: counted(data.runs.length, "run"), columns, rows: data.runs }),
        h("h3", {}, "What differs between two runs"),
        controls(pick(view, "run-a", "Run A", options, firstId), pick(view, "run-b", "Run B", options, secondId)),
        different.length === 0
          ? h("p", { class: "quiet" }, "Nothing that is recorded in their settings.")
          : dataTable(view, {
              key: "diff",
              caption: "Settings that differ",
              columns: [
                { name: "setting", text: (key: string) => key },
                { name: "run A", text: (key) => settingOf(a, key) },
                { name: "run B", text: (key) => settingOf(b, key) },
              ],
              rows: different,
            }),
      ],
      table: {
        columns: [
          "run",
          "mixture",
          "model",
          "seed",
          "state",
          "reason",
          "seconds",
          "tokens",
          "flops",
          "peak_memory_bytes",
          ...keys,
        ],
        rows: data.runs.map((run) => [
          run.id,
          nameOf(data, run.row),
          models(run),
          run.seed,
          run.state,
          run.reason,
          run.cost?.seconds ?? null,
          run.cost?.tokens ?? null,
          run.cost?.flops ?? null,
          run.cost?.peak_memory_bytes ?? null,
          ...keys.map((key) => (Object.hasOwn(run.differs, key) ? run.differs[key]! : null)),
        ]),
      },
    };
  },
};

export const ledger: Section = {
  id: "ledger",
  title: "Ledger",
  how: "What happened when; each look at a test split is on record, since a test set that is looked at often stops being one.",
  missing: ({ ledger: { events, testOpened } }) =>
    events.length === 0 && testOpened === 0 ? "the ledger is empty" : undefined,
  draw({ data: { ledger }, view }) {
    return {
      nodes: [
        h(
          "p",
          {},
          `Test splits were opened ${counted(ledger.testOpened, "time")}; compared: ${counted(ledger.candidates, "candidate")}.`,
        ),
        dataTable(view, {
          key: "ledger",
          caption: `${counted(ledger.events.length, "event")}${ledger.leftOut === 0 ? "" : `; ${ledger.leftOut} more are in ledger.jsonl only`}`,
          columns: [
            { name: "time", text: ({ time }) => time.replace("T", " ").replace(/\.\d+Z$|Z$/, "") },
            { name: "event", text: ({ event }) => event },
            { name: "run", text: ({ run }) => run },
            { name: "detail", text: ({ detail }) => detail },
          ],
          rows: ledger.events,
        }),
      ],
      table: {
        columns: ["time", "event", "run", "detail"],
        rows: ledger.events.map(({ time, event, run, detail }) => [time, event, run, detail]),
      },
    };
  },
};

export const cost: Section = {
  id: "cost",
  title: "What it cost",
  how: "Summed over finished runs; time counts each run alone, also where several ran at once, and memory is the largest of any run.",
  missing: ({ cost: { seconds } }) => (seconds === 0 ? "no run has finished" : undefined),
  draw({ data: { cost } }) {
    const facts = [
      ["time", duration(cost.seconds)],
      ["training tokens", large(cost.tokens)],
      ["FLOPs", large(cost.flops)],
      ["peak memory", large(cost.peakMemoryBytes, "B")],
    ] as const;
    return {
      nodes: [
        h(
          "dl",
          { class: "tiles" },
          ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
        ),
      ],
      table: {
        columns: ["seconds", "tokens", "flops", "peak_memory_bytes"],
        rows: [[cost.seconds, cost.tokens, cost.flops, cost.peakMemoryBytes]],
      },
    };
  },
};

export const tasks: Section = {
  id: "tasks",
  title: "Tasks",
  how: "What is measured on how many items; the smallest difference between two mixtures is what this test set would find in four of five studies.",
  missing: (data) => (data.tasks.length === 0 ? "the study has no tasks" : undefined),
  draw({ data, view }) {
    return {
      nodes: [
        dataTable(view, {
          key: "tasks",
          caption: counted(data.tasks.length, "task"),
          columns: [
            { name: "task", text: ({ name }) => name },
            { name: "role", text: ({ role }) => role },
            { name: "metric", text: ({ metric }) => metric },
            { name: "dev", text: ({ n }) => String(n.dev), number: ({ n }) => n.dev },
            { name: "test", text: ({ n }) => String(n.test), number: ({ n }) => n.test },
            { name: "test groups", text: ({ groups }) => String(groups.test), number: ({ groups }) => groups.test },
            {
              name: "smallest difference",
              text: (task) => score(task, task.detectable),
              number: ({ detectable }) => detectable,
            },
            { name: "licence", text: ({ licence }) => licence },
            { name: "source", text: ({ source }) => source },
          ],
          rows: data.tasks,
        }),
      ],
      table: {
        columns: [
          "task",
          "role",
          "metric",
          "n_dev",
          "n_test",
          "groups_dev",
          "groups_test",
          "detectable",
          "licence",
          "source",
        ],
        rows: data.tasks.map((t) => [
          t.name,
          t.role,
          t.metric,
          t.n.dev,
          t.n.test,
          t.groups.dev,
          t.groups.test,
          t.detectable,
          t.licence,
          t.source,
        ]),
      },
    };
  },
};

export const methods: Section = {
  id: "methods",
  title: "Methods",
  how: "How each number on this page came to be.",
  missing: (data) => (data.methods.length === 0 ? "no methods were written down" : undefined),
  draw: ({ data }) => ({
    nodes: data.methods.flatMap(({ title, text }) => [
      h("h3", {}, title),
      ...text.split("\n\n").map((part) => h("p", { class: "prose" }, ...explained(part))),
    ]),
  }),
};
