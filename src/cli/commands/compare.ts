/** @file mixtune compare A B: a paired test of two scored models, task by task. */

import { type Command, Option } from "commander";
import { compare } from "../../app/study/compare.ts";
import { visible, visibleLine } from "../../base/visible.ts";
import { withoutNonFinite } from "../../formats/jsonl.ts";
import { type CompareFormat, compareCsv, compareMarkdown, compareText } from "../../report/compare-text.ts";
import type { SideComparison } from "../../study/compare.ts";
import { sideNamed } from "../../study/sides.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { wordList } from "../options/lists.ts";
import { wholeNumber } from "../options/numbers.ts";
import { afterComparison, nextText } from "../screen/next-text.ts";

interface CompareCommandOptions {
  tasks?: string[];
  split: "dev" | "test";
  format: CompareFormat | "json";
  items: number;
}

export function addCompare(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--tasks <list>", "tasks to compare, separated by commas (default: all that both have)", wordList)
    .addOption(
      new Option("--split <split>", "split whose answers are compared").choices(["dev", "test"]).default("test"),
    )
    .optionsGroup("Output:")
    .addOption(
      new Option("--format <format>", "form of the result").choices(["text", "md", "csv", "json"]).default("text"),
    )
    .option(
      "--items <n>",
      "number of examples to list per task on which the two differ, with outputs",
      wholeNumber(0, 100_000),
      0,
    )
    .addHelpText(
      "after",
      "\nBaselines of a study: majority, ngram, untuned, openai:NAME. If several rows share a name: NAME,model=…,train.learning_rate=…\n\nExample: mixtune compare studies/demo:all studies/demo:gen-topic --items 5",
    )
    .action((a: string, b: string, options: CompareCommandOptions) =>
      act((context) => compareTwo(a, b, options, context)),
    );
}

function compareTwo(a: string, b: string, options: CompareCommandOptions, context: Context): number {
  const { tasks, split, format, items } = options;
  const comparison = compare(a, b, context, { split, tasks });
  const next = format === "text" ? nextText(afterComparison([a, b, ...dataFlags(options)], items, studyOf(a, b))) : [];
  const person = [written(comparison, format, items), ...next].join("\n");
  context.result(machineForm(comparison, items), person);
  return EXIT_DONE;
}

function dataFlags({ tasks, split }: CompareCommandOptions): string[] {
  return [
    ...(tasks === undefined ? [] : ["--tasks", tasks.join(",")]),
    ...(split === "test" ? [] : ["--split", split]),
  ];
}

/** The directory of the study that both are of. */
function studyOf(a: string, b: string): string | undefined {
  const [dir, other] = [a, b].map((one) => sideNamed(one).study?.dir);
  return dir === other ? dir : undefined;
}

/** As asked for by `--items`: the counts are there in any case. */
function machineForm(comparison: SideComparison, items: number): SideComparison {
  const tasks = comparison.tasks.map((one) => ({ ...one, disagreeing: one.disagreeing.slice(0, items) }));
  return { ...comparison, tasks };
}

function written(comparison: SideComparison, format: CompareCommandOptions["format"], items: number): string {
  if (format === "csv") return compareCsv(comparison);
  if (format === "md") return visible(compareMarkdown(comparison));
  if (format === "json") {
    return JSON.stringify(machineForm(comparison, items), withoutNonFinite, 2);
  }
  return visible(compareText(comparison, items, visibleLine));
}
