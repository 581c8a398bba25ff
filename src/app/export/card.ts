/** @file README.md of an exported folder: what the model is, how it is asked, how good it is, and whose terms it is under. */

import type { MetricValue } from "../../runs/types.ts";
import { howToAsk } from "./card-commands.ts";
import { type CardFacts, type CardTask, QUESTION } from "./card-facts.ts";
import { block, code, words } from "./markdown.ts";

/** The file's text. */
export function modelCard(facts: CardFacts): string {
  const sections: [title: string, paragraphs: string[]][] = [
    ["What it answers", facts.tasks.map(taskText)],
    ["What it reads", [readsText(facts)]],
    ["How to ask", howToAsk(facts)],
    ["Scores", scoresText(facts)],
    ["Where it comes from", [[...originText(facts), ...facts.notes.map((note) => `- ${words(note)}`)].join("\n")]],
  ];
  const written = sections
    .filter(([, paragraphs]) => paragraphs.length > 0)
    .map(([title, paragraphs]) => `## ${title}\n\n${paragraphs.join("\n\n")}`);
  return `${[`# ${words(facts.name)}`, ledeText(facts), ...written].join("\n\n")}\n`;
}

function ledeText({ base, run }: CardFacts): string {
  if (run === undefined) return `${code(base.name)} in another format, made by mixtune. Nothing was trained.`;
  return `${code(base.name)}, fine-tuned with mixtune on the mixture ${code(run.mixture)}.`;
}

function taskText({ name, prompt, isOfCatalogue, answer }: CardTask): string {
  const head = `### ${words(name)}`;
  if (answer?.kind === "document") return `${head}\n\nTexts to continue: they have no prompt.`;
  const asked =
    prompt !== undefined
      ? `The prompt, with the fields of a row in braces:\n\n${block(prompt)}`
      : isOfCatalogue
        ? `The prompt is worded by mixtune's catalogue: ${code(`mixtune tasks show ${name}`)} prints it.`
        : "Each row of the training file has its own prompt.";
  const labels = answer?.kind === "label" ? `The answer is one of: ${answer.labels.map(code).join(", ")}.` : undefined;
  return [head, asked, labels ?? `The answer is written text${answer?.kind === "number" ? ", a number" : ""}.`].join(
    "\n\n",
  );
}

function readsText({ template, conversation: { prompt, answer } }: CardFacts): string {
  const said =
    template === "plain"
      ? "The chat template is mixtune's own, as the base model has none: the prompt, a new line with `Answer:`, a blank and the answer, which the end-of-text token ends."
      : "The chat template is the base model's own: the prompt is one turn of the user, with no system turn, and the answer is the turn behind it.";
  return `${said} The whole text for the prompt ${code(QUESTION)}, with its answer:\n\n${block(prompt + answer)}`;
}

function scoresText({ run, scores }: CardFacts): string[] {
  if (scores.length === 0) return run === undefined ? [] : ["No scores of its test splits are known here."];
  const header = ["task", "metric", "test rows", "this model", "majority", "n-gram"];
  const rows = scores.map(({ task, metric, n, model, majority, ngram }) => [
    words(task),
    words(metric),
    `${n}`,
    ...[model, majority, ngram].map(valueText),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const table = [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
  return [
    "On test splits, with 95 % intervals. Majority always gives the most frequent training answer; n-gram is a logistic regression on words and characters.",
    table,
    "They are of the run itself. `parity.json` says how far the files here are from it.",
  ];
}

function valueText(value: MetricValue | undefined): string {
  if (value === undefined) return "-";
  const [mean, low, high] = [value.value, value.low, value.high].map((one) => one?.toFixed(3));
  return low === undefined || high === undefined ? mean! : `${mean} (${low} to ${high})`;
}

function originText({ base, run, tasks, mixtune, to }: CardFacts): string[] {
  const licence = base.licence === undefined ? "its licence is not recorded here" : `licence ${words(base.licence)}`;
  const from = {
    hub: "a model of huggingface.co",
    shipped: "the model in mixtune's npm package, folder `assets/tiny`",
    gguf: "a GGUF file; the weights were dequantised from it",
    folder: "a folder of the machine that trained it",
  }[base.kind];
  const made = run && [
    `run ${code(run.id)}`,
    `seed ${run.seed}`,
    ...(run.study === undefined ? [] : [`study ${code(run.study)}`]),
  ];
  return [
    `- Base model: ${code(base.name)}, ${from}; ${licence}.`,
    ...tasks.map(
      ({ name, licence, source }) => `- Training data ${words(name)}: licence ${words(licence)}; from ${code(source)}.`,
    ),
    `- Made by mixtune ${words(mixtune)} as ${to}${made === undefined ? "" : `: ${made.join(", ")}`}. \`export.json\` has digests of every file.`,
  ];
}
