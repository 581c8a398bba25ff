/** @file mixtune tasks: the catalogue, real rendered examples, and a check of a study's data. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { SpecError } from "../../base/errors.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { openTemplate, type PromptTemplate } from "../../data/chat-template.ts";
import { loadTask } from "../../data/load-task.ts";
import { openTokenizer } from "../../data/tokenizers.ts";
import type { Example, LoadedTask } from "../../data/types.ts";
import { aligned } from "../../report/tables.ts";
import { didYouMean } from "../../specs/nearest.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { ingredientsOf, loadTasks } from "../ingredients.ts";
import { modelDir } from "../models.ts";
import { count } from "../numbers.ts";
import { readStudy } from "../read-study.ts";
import { assignmentsOf } from "../words.ts";

/** Stand around what is trained on. */
const TRAINED = { open: "⟦", close: "⟧" };
const NUM_SHOWN = 3;

export function addTasks(program: Command, act: Act): void {
  const tasks = program
    .command("tasks")
    .description("the catalogue; rendered examples; a check of a study's data")
    .addHelpText("after", "\nExample: mixtune tasks show gen-sentiment");
  tasks
    .command("list", { isDefault: true })
    .description("the tasks that mixtune knows by name")
    .addHelpText("after", "\nExample: mixtune tasks list --json")
    .action(() => act((context) => list(context)));
  tasks
    .command("show <name>")
    .description("real rendered examples, with what is trained on marked")
    .option("--study <file>", "where the task is described, for one that is not in the catalogue")
    .option("--model <name>", "whose template to use", "mixtune/tiny")
    .addHelpText("after", "\nExample: mixtune tasks show our-tickets --study study.yaml")
    .action((name: string, options: { study?: string; model: string }) =>
      act((context) => show(name, options, context)),
    );
  tasks
    .command("check <study> [key=value...]")
    .description("load a study's data as a run would: splits, label counts, lengths, test texts found in train")
    .addHelpText("after", "\nExample: mixtune tasks check study.yaml")
    .action((study: string, words: string[]) => act((context) => check(study, words, context)));
}

function list(context: Context): number {
  const entries = Object.values(CATALOGUE).map(({ name, title, answer, metric, licence, generate }) => ({
    name,
    title,
    kind: answer.kind,
    metric,
    licence,
    needs_data: generate === undefined,
  }));
  const rows = entries.map(({ name, title, kind, licence, needs_data }) => [
    name,
    title,
    kind,
    licence,
    needs_data ? "MIXTUNE_DATA" : "nothing",
  ]);
  context.result(entries, aligned([["name", "what", "answer", "licence", "needs"], ...rows], "left"));
  return EXIT_DONE;
}

async function show(
  name: string,
  { study, model }: { study?: string; model: string },
  context: Context,
): Promise<number> {
  const described = study === undefined ? undefined : readStudy(study, []).study;
  const task = await loadTask(taskNamed(name, described && ingredientTasks(described)), {
    dataRoot: described?.data_root ?? context.settings.dataRoot,
  });
  const folder = modelDir(model, "--model");
  const template = openTemplate(folder, openTokenizer(folder));
  const shown = task.splits.train
    .slice(0, NUM_SHOWN)
    .map((example) => ({ id: example.id, ...rendered(example, task, template) }));
  const { metric, licence, source, notes } = task;
  const labels = task.answer.kind === "label" ? `\nlabels: ${task.answer.labels.join(", ")}` : "";
  const head = `${name}: ${task.answer.kind}, ranked by ${metric}\nlicence: ${licence}\nsource: ${source}${labels}\n${notes.join("\n")}`;
  const body = shown.map(({ id, prompt, trained }) => `--- ${id}\n${prompt}${TRAINED.open}${trained}${TRAINED.close}`);
  const legend = `${TRAINED.open}…${TRAINED.close}: what is trained on, followed by the end-of-turn token (template: ${template.name}).`;
  context.result(
    { name, metric, licence, source, notes, answer: task.answer, examples: shown },
    [head, "", ...body, "", legend].join("\n"),
  );
  return EXIT_DONE;
}

function rendered(example: Example, task: LoadedTask, template: PromptTemplate): { prompt: string; trained: string } {
  if (task.answer.kind === "document") return { prompt: "", trained: example.answer.slice(0, 2000) };
  return { prompt: template.render(example.prompt), trained: template.answerText(example.answer) };
}

/** A task of a study, or of the catalogue. */
export function taskNamed(name: string, described: Record<string, TaskSpec> | undefined): TaskSpec {
  const spec = described?.[name] ?? (CATALOGUE[name] === undefined ? undefined : { name, catalogue: name });
  if (spec !== undefined) return spec;
  const known = [...Object.keys(described ?? {}), ...Object.keys(CATALOGUE)];
  throw new SpecError({
    place: "command line",
    expected: described === undefined ? "a task of the catalogue" : "a task of the study or the catalogue",
    got: name,
    remedy: `${didYouMean(name, known)}${described === undefined ? " A task of your own is found with --study FILE." : ""}`,
  });
}

async function check(path: string, words: string[], context: Context): Promise<number> {
  const { study } = readStudy(path, assignmentsOf(words));
  const specs = ingredientTasks(study);
  const tasks = await loadTasks(specs, study.data_root ?? context.settings.dataRoot);
  const modelDirs = Object.fromEntries(study.models.map((model) => [model, modelDir(model, "models")]));
  const ingredients = ingredientsOf(specs, tasks, modelDirs);
  const records = study.models.flatMap((model) =>
    Object.entries(ingredients(model, study.train)).flatMap(([name, { task, split }]) =>
      (["train", "dev", "test"] as const).map((which) => {
        const { examples, lengths, notes } = split(which);
        for (const note of notes) context.note(note);
        return {
          model,
          task: name,
          split: which,
          n: examples.length,
          longest: Math.max(0, ...lengths.tokens),
          labels: labelCounts(task, examples),
        };
      }),
    ),
  );
  for (const task of Object.values(tasks)) for (const note of task.notes) context.note(note);
  const rows = records.map(({ task, split, n, longest, labels }) => [task, split, count(n), count(longest), labels]);
  const text = `${aligned([["task", "split", "n", "longest (tokens)", "answers"], ...rows], "left")}\n\nNo test text is trained on. ${resolve(path)} is good to run.`;
  context.result(records, text);
  return EXIT_DONE;
}

function labelCounts(task: LoadedTask, examples: readonly Example[]): string {
  if (task.answer.kind !== "label") return task.answer.kind;
  const counts = new Map(task.answer.labels.map((label) => [label, 0]));
  for (const { answer } of examples) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].map(([label, n]) => `${label} ${count(n)}`).join(", ");
}
