/** @file A study of your own files: columns become a task, the data is checked, one mixture is trained, and the model answers a new text. */

import { writeFileSync } from "node:fs";
import { checkTasks, defineStudy, openModel, openWorkspace, planStudy, runStudy } from "mixtune";

// Yours would be a real file; CSV, TSV, JSON and Parquet are read too.
const things = ["pump", "valve", "motor", "sensor", "cable", "filter", "fan", "belt", "switch", "lamp"];
const rows = things.flatMap((thing) => [
  { text: `The ${thing} stopped and the line is down.`, urgent: "yes" },
  { text: `Please order a spare ${thing} some day.`, urgent: "no" },
]);
writeFileSync("tickets.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

const study = defineStudy({
  name: "tickets",
  models: ["mixtune/tiny"],
  tasks: {
    tickets: {
      data: { train: "./tickets.jsonl" }, // dev and test are carved from it
      prompt: "Is this urgent?\n{text}",
      answer: { kind: "label", field: "urgent", labels: ["yes", "no"] },
    },
  },
  design: ["all"],
  train: { max_steps: 30 },
});
const workspace = openWorkspace();
const report = await checkTasks(study.study, workspace);
console.log("checked:", report.ok, report.tasks[0]!.splits.map(({ split, rows }) => `${rows} ${split}`).join(", "));

const { dir, done } = await runStudy(await planStudy(study, workspace, { out: "out/tickets" }), workspace);
const model = await openModel(`${dir}/runs/${done.at(-1)}`, workspace);
const [scores] = await model.scoreLabels(["Is this urgent?\nThe crane stopped."], ["yes", "no"]);
console.log("yes", scores![0], "no", scores![1]);
await model.close();
