/** @file Scores a model on tasks of the catalogue, and says how far chance reaches. */

import { evaluate, openWorkspace } from "mixtune";

const workspace = openWorkspace({ note: (text) => console.error(text) });
const { dir, scores } = await evaluate("mixtune/tiny", workspace, {
  tasks: ["gen-topic", "gen-entity"],
  splits: ["dev"],
  out: "out/tiny",
});

for (const [task, splits] of Object.entries(scores.tasks)) {
  const { n, scoring } = splits.dev!;
  const { value, low, high } = scoring.constrained!.accuracy!;
  console.log(`${task}: accuracy ${value} (95% interval ${low} to ${high}, n ${n})`);
}
console.log(`Predictions are in ${dir}.`);
