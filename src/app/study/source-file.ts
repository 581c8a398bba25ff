/** @file A file that a person names, read whole. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { SpecError } from "../../base/errors.ts";

/**
 * Reads a file as text.
 * @param remedy  what to do where there is none
 * @throws {SpecError} no such file, or none that can be read
 */
export function readSourceFile(path: string, remedy: string): { text: string; path: string } {
  try {
    return { text: readFileSync(path, "utf8"), path: resolve(path) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const got = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder" : String(code);
    throw new SpecError({ place: path, expected: "a file", got, remedy, cause });
  }
}
