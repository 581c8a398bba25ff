/** @file What to do next: commands that can be copied as they stand. */

import { isAbsolute, join, relative } from "node:path";

import type { FormatName } from "../../app/export/formats.ts";
import { shellWord } from "../../base/shell-word.ts";
import type { ReportData } from "../../study/report-data.ts";

/** A command without the program's name, what it is for, and the program where it is not this one. */
export type NextCommand = readonly [words: readonly string[], why: string, program?: string];

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

/** What follows from an export. @param model  as it was named */
export function afterExport(
  model: string,
  { dir, name, to }: { dir: string; name: string; to: FormatName },
): NextCommand[] {
  const folder = shownDir(dir);
  if (to === "gguf")
    return [[["-m", join(folder, "model.gguf"), "--jinja"], "llama.cpp's server, with OpenAI's API", "llama-server"]];
  if (to === "ollama")
    return [[["create", name, "-f", join(folder, "Modelfile")], `then ollama run ${name}`, "ollama"]];
  const served = to === "hf" && !isAbsolute(folder) ? `./${folder}` : folder;
  return [[["serve", to === "hf" ? served : model], "the model behind OpenAI's API"]];
}

/** What follows from a comparison of two. @param words  those that made it. @param items  how many it has shown. @param study  that both are of */
export function afterComparison(words: readonly string[], items: number, study: string | undefined): NextCommand[] {
  return [
    ...(items > 0 ? [] : [[["compare", ...words, "--items", "5"], "examples on which the two differ"] as const]),
    ...(study === undefined ? [] : [[["recommend", shownDir(study)], "what to take, and how sure that is"] as const]),
  ];
}

/** The lines under "Next:"; none without commands. */
export function nextText(commands: readonly NextCommand[]): string[] {
  const written = commands.map(([words, , program = "mixtune"]) => `${program} ${words.map(shellWord).join(" ")}`);
  const width = Math.max(0, ...written.map(({ length }) => length));
  const lines = commands.map(([, why], i) => `  ${written[i]!.padEnd(width)}   # ${why}`);
  return lines.length === 0 ? [] : ["Next:", ...lines];
}

/** A directory as it is best written from where the command stands. */
export function shownDir(dir: string): string {
  const short = relative("", dir);
  return short === "" ? "." : short.startsWith("..") || isAbsolute(short) ? dir : short;
}
