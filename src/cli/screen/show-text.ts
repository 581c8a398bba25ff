/** @file Examples of a task as a person reads them, with what is trained on marked. */

import type { Shown, ShownExample } from "../../app/tasks/show-task.ts";
import { count } from "../../base/human-numbers.ts";
import { visible } from "../../base/visible.ts";

/** Stand around what is trained on. */
const TRAINED = { open: "⟦", close: "⟧" };

/** What the task is, and the examples; what is in them of the data cannot command the terminal. */
export function showText({ task, lossOn, texts }: Shown): string {
  const { name, answer, metric, licence, source, rows, notes, template, examples } = task;
  const sizes = Object.entries(rows).map(([key, n]) => `${count(n)} ${key}`);
  const head = [
    `${name}: ${answer.kind}, ranked by ${metric}`,
    `licence: ${licence}`,
    `source: ${source}`,
    ...(answer.kind === "label" ? [`labels: ${answer.labels.join(", ")}`] : []),
    `rows: ${sizes.join(", ")}`,
    ...notes,
  ];
  const body = examples.map((example, i) => {
    const runs = texts[i]!.map(({ text, trained }) => (trained ? `${TRAINED.open}${text}${TRAINED.close}` : text));
    return `--- ${headOf(example)}\n${runs.join("")}`;
  });
  const legend = `${TRAINED.open}…${TRAINED.close}: what is trained on (template: ${template}, loss_on: ${lossOn}).`;
  return visible([...head, "", ...body, "", legend].join("\n"));
}

function headOf({ id, num_tokens, tokens_left_out, too_long }: ShownExample): string {
  const fitted = tokens_left_out > 0 ? `, ${count(tokens_left_out)} left out to fit` : "";
  return `${id} (${count(num_tokens)} tokens${fitted}${too_long ? ", longer than train.cutoff_len" : ""})`;
}
