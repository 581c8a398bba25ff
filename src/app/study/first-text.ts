/** @file The text of a first study: commented, with what was counted beside each key that leaves rows out. */

import { count, counted } from "../../base/human-numbers.ts";
import { EQUALITY_RULE } from "../../data/checks/leakage.ts";
import type { ProposedAnswer } from "../../data/own/propose.ts";
import { metricsOfKind } from "../../specs/metrics.ts";
import { suitedTrain } from "../../study/learning.ts";
import { CHECK_MODEL } from "../tasks/check-tasks.ts";
import type { ProposedTask } from "./first-look.ts";
import { PRESETS, type Preset, presetOf } from "./first-questions.ts";

/** The file. The instruction stands before the row's text: what all prompts begin with is computed once. Without data it is a study of two generated tasks, so that it runs at once. */
export function studyText(
  name: string,
  tasks: readonly ProposedTask[],
  { model, parameters, preset }: FirstModel,
): string {
  const scored = tasks.filter(({ proposal }) => proposal.answer?.kind !== "document");
  const documents = tasks.filter((task) => !scored.includes(task));
  const numTasks = scored.length || NUM_EXAMPLES;
  const { design, seeds } = keysOf(preset, numTasks);
  return `# A study: which mixture of these tasks trains the best model for each of them?
# mixtune tasks check study.yaml   looks at the data
# mixtune plan study.yaml          says what it will cost
# mixtune run study.yaml           does it; may be stopped and started again
${PRESETS.filter((one) => one !== preset)
  .map((one) => presetText(one, numTasks))
  .join("")}name: ${name}
models: ${padded(`[${model}]`, 24)}# ${model === CHECK_MODEL ? "the model that ships; or a folder in Hugging Face's layout: ./my-model" : "mixtune/tiny ships and is quick"}
tasks:
${scored.length === 0 ? EXAMPLE_TASKS : scored.map(taskText).join("")}${mixersText(documents)}design: ${padded(design, 24)}# singles, pairs, leave-one-out, all
seeds: ${padded(seeds, 25)}# every mixture once per seed: two say something about luck, five say more
${trainText(parameters, Math.min(...scored.map(({ found }) => found.numTrain || Number.POSITIVE_INFINITY)))}`;
}

/** The model that is trained, its weights, and how much is trained. */
export interface FirstModel {
  /** As the file names it. */
  model: string;
  parameters: number;
  preset: Preset;
}

/** Settings that suit model and rows (study/learning.ts), so that the smallest task alone takes enough steps. */
function trainText(parameters: number, numRows: number): string {
  const { method, learning_rate: rate, num_train_epochs, train_batch_size } = suitedTrain(parameters, numRows);
  const steps = (numRows * num_train_epochs) / train_batch_size;
  const between = Math.min(50, 10 * Math.max(1, Math.round(steps / 50)));
  const why =
    method === "full"
      ? "full | lora. A model as small as this learns best in full"
      : "full | lora. An adapter: less memory than training all weights";
  return `train:
  method: ${padded(method, 22)}# ${why}
  learning_rate: ${padded(rateText(rate), 15)}# suits the method and the size of the model
  num_train_epochs: ${num_train_epochs}
  train_batch_size: ${padded(`${train_batch_size}`, 12)}# rows of a step: a small batch where there are few rows, for enough steps
  evaluate: best                # the checkpoint with the lowest loss on dev
  eval_steps: ${between}
  save_steps: ${between}
`;
}

/** 5.0e-4: YAML 1.1 readers take 5e-4 for text. */
function rateText(rate: number): string {
  const [digits, power] = rate.toExponential().split("e");
  return `${digits!.includes(".") ? digits : `${digits}.0`}e${Number(power)}`;
}

function padded(text: string, width: number): string {
  return text.padEnd(Math.max(width, text.length + 1));
}

function keysOf(preset: Preset, numTasks: number): { design: string; seeds: string } {
  const { design, seeds } = presetOf(preset, numTasks);
  return { design: `[${design.join(", ")}]`, seeds: `[${seeds.join(", ")}]` };
}

/** Another preset as words behind the command. */
function presetText(preset: Preset, numTasks: number): string {
  const { design, seeds } = keysOf(preset, numTasks);
  const words = `'design=${design.replaceAll(" ", "")}' 'seeds=${seeds.replaceAll(" ", "")}'`;
  return `# ${padded(`${preset}:`, 9)}mixtune run study.yaml ${words}   ${PRESET_WORDS[preset]}\n`;
}

const PRESET_WORDS: Record<Preset, string> = {
  quick: "does it work at all?",
  normal: "a first comparison",
  careful: "differences that are more than luck",
};

/** Generated tasks of {@link EXAMPLE_TASKS}. */
const NUM_EXAMPLES = 2;

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
    ...(numUnusable > 0 ? [`${counted(numUnusable, "row")} without a text or an answer`] : []),
    ...(numTooLong > 0 ? [`${counted(numTooLong, "row")} longer than train.cutoff_len`] : []),
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
          `    on_overlap: drop   # left out and counted: ${counted(numOverlapping, "row")} of train that dev or test have too.`,
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
