/** @file Scores a model with and without examples in its prompt, and tests whether the difference is more than noise. */

import { compare, evaluate, openWorkspace } from "mixtune";

const workspace = openWorkspace();
const tasks = ["gen-topic"];
const splits = ["dev"] as const;
const plain = await evaluate("mixtune/tiny", workspace, { tasks, splits, out: "out/plain" });
const shown = await evaluate("mixtune/tiny", workspace, { tasks, splits, fewShot: 2, out: "out/two-shot" });

const comparison = compare(shown.dir, plain.dir, workspace, { split: "dev" });
for (const { task, metric, difference, low, high, pValue } of comparison.tasks) {
  console.log(`${task}: ${metric} differs by ${difference} (95% interval ${low} to ${high}, p ${pValue})`);
}
