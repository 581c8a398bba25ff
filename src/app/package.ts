/** @file Where this package lies and which version it is: the same from sources, from dist/ and installed. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, sha256 } from "../base/digest.ts";

/** Folder of our package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/**
 * Digest of the program's own files beside this one: what it computes may change with any of them. Undefined where it runs from sources, which
 * lie in many folders.
 */
export function codeDigest(): string | undefined {
  const folder = dirname(fileURLToPath(import.meta.url));
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .sort();
  if (files.length === 0) return undefined;
  return digestOf(files.map((name) => [name, sha256(readFileSync(join(folder, name)))]));
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;
}
