/** @file The text of a first study: commented, with what was counted beside each key that leaves rows out. */

import { count } from "../../base/human-numbers.ts";
import { EQUALITY_RULE } from "../../data/checks/leakage.ts";
import type { ProposedAnswer } from "../../data/own/propose.ts";
import { metricsOfKind } from "../../specs/metrics.ts";
import type { ProposedTask } from "./first-look.ts";

/** The file. The instruction stands before the row's text: what all prompts begin with is computed once. Without data it is a study of two generated tasks, so that it runs at once. */
export function studyText(name: string, tasks: readonly ProposedTask[]): string {
  const scored = tasks.filter(({ proposal }) => proposal.answer?.kind !== "document");
  const documents = tasks.filter((task) => !scored.includes(task));
  const design = scored.length === 1 ? "[all]" : "[singles, all]";
  return `# A study: which mixture of these tasks trains the best model for each of them?
# mixtune tasks check study.yaml   looks at the data
# mixtune plan study.yaml          says what it will cost
# mixtune run study.yaml           does it; may be stopped and started again
name: ${name}
models: [mixtune/tiny]          # the model that ships; or a folder in Hugging Face's layout: ./my-model
tasks:
${scored.length === 0 ? EXAMPLE_TASKS : scored.map(taskText).join("")}${mixersText(documents)}design: ${design}${" ".repeat(Math.max(1, 24 - design.length))}# singles, pairs, leave-one-out, all
seeds: [1, 2]                   # every mixture once per seed: two say something about luck, five say more
train:
  method: full                  # full | lora. A model as small as mixtune/tiny learns best in full
  learning_rate: 5.0e-4
  num_train_epochs: 3
  train_batch_size: 32
  evaluate: best                # the checkpoint with the lowest loss on dev
  eval_steps: 50
  save_steps: 50
`;
}

const EXAMPLE_TASKS = `  # Generated tasks, to have something that runs. Your own look like this:
  #   our-tickets:
  #     data: {train: tickets.jsonl, test: tickets-test.jsonl}
  #     prompt: "Which team should answer this?\\n{text}"
  #     answer: {kind: label, field: team, labels: [cards, loans, fraud]}
  gen-sentiment: {}
  gen-topic: {}
`;

function mixersText(documents: readonly ProposedTask[]): string {
  if (documents.length === 0) return "";
  return `mixers:                         # only mixed in: documents have no answer to score\n${documents.map(taskText).join("")}`;
}

function taskText({ name, train, dev, test, quotes, numRows, proposal, found }: ProposedTask): string {
  const { shape, text, answer, group, longest, remarks } = proposal;
  const { numUnusable, numTooLong, numOverlapping, numContradicting, isFitted } = found;
  const files = Object.entries({ train, dev, test, quotes }).filter(([, value]) => value !== undefined);
  const written = files.map(([split, file]) => `${split}: ${JSON.stringify(file)}`).join(", ");
  const skipped = [
    ...(numUnusable > 0 ? [`${count(numUnusable)} rows that lack a text or an answer`] : []),
    ...(numTooLong > 0 ? [`${count(numTooLong)} rows that are longer than train.cutoff_len`] : []),
  ];
  const lines = [
    `  ${name}:   # ${numRows} rows${shape === undefined ? "" : ` of the ${shape} shape, which needs no prompt`}`,
    `    data: {${written}}${carvedText(dev, test)}`,
    ...(quotes === false ? ["    # quotes: characters like any other here, as they would take in other rows"] : []),
    ...remarks.map((remark) => `    # ${commented(remark)}`),
    ...(text.length > 0 && answer !== undefined ? [`    prompt: ${JSON.stringify(promptText(text, answer))}`] : []),
    ...(answer === undefined ? [] : answerText(answer)),
    ...(group === undefined ? [] : [`    group: ${JSON.stringify(group.field)}   # ${commented(group.reason)}`]),
    ...(isFitted
      ? [
          `    fit: {field: ${JSON.stringify(longest)}, keep: start}   # some rows are long: this field is cut to train.cutoff_len, counted`,
        ]
      : []),
    ...(skipped.length > 0 ? [`    on_bad_row: skip   # left out, counted and listed: ${skipped.join(", ")}`] : []),
    ...(numOverlapping > 0
      ? [
          `    on_overlap: drop   # left out and counted: ${count(numOverlapping)} rows of train that dev or test have too.`,
          `    # ${EQUALITY_RULE}`,
        ]
      : []),
    ...(numContradicting > 0
      ? [
          `    # ${count(numContradicting)} rows have a prompt that other rows answer otherwise: no model can answer all of them`,
        ]
      : []),
    ...(answer === undefined || answer.kind === "document" ? [] : [metricText(answer.kind)]),
    "",
  ];
  return lines.join("\n");
}

function carvedText(dev: string | undefined, test: string | undefined): string {
  if (test !== undefined) return dev === undefined ? "   # dev: 10 % of train" : "";
  return dev === undefined ? "   # test: 20 % of the rows, dev: 10 % of the rest" : "   # test: 20 % of train";
}

function promptText(text: readonly string[], answer: ProposedAnswer): string {
  const fields = text.length === 1 ? `{${text[0]}}` : text.map((field) => `${field}: {${field}}`).join("\n");
  if (answer.kind === "label") return `${bracesDoubled(instruction(answer))}\n${fields}`;
  if (answer.kind === "number") return `Answer with a number.\n${fields}`;
  if (answer.kind === "spans")
    return `List what is named here, as type: text; type: text, or none. Types: ${bracesDoubled(answer.types.join(", "))}.\n${fields}`;
  return fields;
}

/** Of more labels than this the prompt says how many there are: it would be longer than the texts. */
const MAX_LABELS_IN_PROMPT = 50;

function instruction({ field, labels }: Extract<ProposedAnswer, { kind: "label" }>): string {
  if (labels.length <= MAX_LABELS_IN_PROMPT) return `Answer with one of: ${labels.join(", ")}.`;
  return `Answer with the ${field}: one of ${labels.length} labels.`;
}

/** Words of a file inside a prompt, where a brace opens the name of a field. */
function bracesDoubled(text: string): string {
  return text.replace(/[{}]/g, "$&$&");
}

function answerText(answer: ProposedAnswer): string[] {
  const { kind } = answer;
  const field = JSON.stringify(answer.field);
  if (kind === "number" && answer.decimal === ",")
    return [
      `    answer: {kind: number, field: ${field}, decimal: ","}   # as the file has it: 3,5 is three and a half`,
    ];
  if (kind !== "label") return [`    answer: {kind: ${kind}, field: ${field}}`];
  const labels = answer.labels.map((label) => JSON.stringify(label));
  return [
    ...wrapped(`    answer: {kind: label, field: ${field}, labels: [${labels.join(", ")}]}`, labels, field),
    `    # rows: ${commented(countsText(answer))}`,
  ];
}

/** Characters of a line of the file before a list is put on lines of its own. */
const MAX_LINE = 120;

/** A key on one line, or a long list on several. */
function wrapped(line: string, labels: readonly string[], field: string): string[] {
  if (line.length <= MAX_LINE) return [line];
  const rows: string[] = [];
  for (const label of labels) {
    const last = rows.at(-1);
    if (last === undefined || last.length + label.length + 2 > MAX_LINE - 8) rows.push(label);
    else rows[rows.length - 1] = `${last}, ${label}`;
  }
  return [
    "    answer:",
    "      kind: label",
    `      field: ${field}`,
    "      labels: [",
    ...rows.map((row, i) => `        ${row}${i < rows.length - 1 ? "," : ""}`),
    "      ]",
  ];
}

/** Rows of each label; of many labels of the rarest and the commonest. */
function countsText({ labels, counts }: Extract<ProposedAnswer, { kind: "label" }>): string {
  const all = labels.map((label, i) => `${label} ${counts[i]}`);
  if (all.join(", ").length <= MAX_LINE) return all.join(", ");
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const range =
    least === most
      ? `${least}`
      : `${least} (${labels[counts.indexOf(least)]}) to ${most} (${labels[counts.indexOf(most)]})`;
  return `${range} of each of ${labels.length} labels`;
}

/** The default among the metrics of the kind. */
function metricText(kind: ProposedAnswer["kind"]): string {
  const names = metricsOfKind(kind);
  return `    metric: ${names[0]}   # ${names.join(" | ")}`;
}

/** Words of a file inside a comment: on one line. */
function commented(text: string): string {
  return text.replace(/\s+/g, " ");
}
