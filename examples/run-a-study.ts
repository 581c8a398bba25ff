/** @file Plans a small study, runs it, and reads what it found. Run it again: what is done is not done twice. */

import {
  defineStudy,
  formatStudyTable,
  openWorkspace,
  planStudy,
  runStudy,
  studyResults,
  testQuestions,
  writeReport,
} from "mixtune";

const workspace = openWorkspace({ note: (text) => console.error(text) });
const study = defineStudy({
  name: "first",
  models: ["mixtune/tiny"],
  tasks: { "gen-sentiment": { max_train: 64 }, "gen-topic": { max_train: 64 } },
  design: ["singles", "all"],
  train: { max_steps: 6 },
  eval: { max_dev: 40, max_test: 40 },
});

const planned = await planStudy(study, workspace, { out: "out/first" });
for (const { mixture, estimate } of planned.plan) console.log(mixture.name, estimate.steps, "steps");

const outcome = await runStudy(planned, workspace, {
  onEvent: (event) => {
    if (event.kind === "done") console.error(`done: ${event.job.label}`);
  },
});
if (outcome.failed.length > 0) throw new Error(outcome.failed[0]!.reason);

const results = studyResults(outcome.dir);
console.log(formatStudyTable(results.table, "md"));
writeReport(results, await testQuestions(results.lock, workspace)); // report.html and report.json beside the runs
