/** @file Lists with commas on the command line, read where an option is declared. */

import { InvalidArgumentError } from "commander";

/** Words with commas between them. */
export function wordList(text: string): string[] {
  return text.split(",");
}

/** A study file by its ending, else names with commas. */
export function studyOrNames(text: string): string | string[] {
  return /\.ya?ml$/.test(text) ? text : wordList(text);
}

/** `dev`, `test` or both. */
export function splitList(text: string): ("dev" | "test")[] {
  return wordList(text).map((split) => {
    if (split === "dev" || split === "test") return split;
    throw new InvalidArgumentError("expected dev, test or dev,test.");
  });
}
