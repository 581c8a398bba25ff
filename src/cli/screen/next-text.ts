/** @file What to do next: commands that can be copied as they stand. */

import { isAbsolute, relative } from "node:path";

import { shellWord } from "../../base/shell-word.ts";
import type { ReportData } from "../../study/report-data.ts";

/** A command, without the program's name, and what it is for. */
export type NextCommand = readonly [words: readonly string[], why: string];

/** What follows from a study's results. @param isAdvice  of mixtune recommend, which then need not be named */
export function afterResults(dir: string, { take }: Pick<ReportData, "take">, isAdvice = false): NextCommand[] {
  const study = shownDir(dir);
  const taken = take.find(({ isOffered }) => isOffered);
  const advice: NextCommand = [["recommend", study], "what to take, how sure that is, and which runs would tell more"];
  if (taken === undefined) return isAdvice ? [] : [advice];
  const model = `${study}:${taken.name}`;
  const predict = ["predict", model, "--task", taken.task, "--input", "NEW.csv", "--out", "answers.csv"];
  const toExport: NextCommand = [["export", model, "--to", "gguf"], "for llama.cpp and LM Studio; or hf, onnx, ollama"];
  return [...(isAdvice ? [] : [advice]), [predict, "answers rows of your own file"], ...(isAdvice ? [toExport] : [])];
}

/** The lines under "Next:"; none without commands. */
export function nextText(commands: readonly NextCommand[]): string[] {
  const written = commands.map(([words]) => `mixtune ${words.map(shellWord).join(" ")}`);
  const width = Math.max(0, ...written.map(({ length }) => length));
  const lines = commands.map(([, why], i) => `  ${written[i]!.padEnd(width)}   # ${why}`);
  return lines.length === 0 ? [] : ["Next:", ...lines];
}

/** A directory as it is best written from where the command stands. */
export function shownDir(dir: string): string {
  const short = relative("", dir);
  return short === "" ? "." : short.startsWith("..") || isAbsolute(short) ? dir : short;
}
