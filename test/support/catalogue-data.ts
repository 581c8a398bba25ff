/** @file The made-up rows of test/fixtures/catalogue as a folder of datasets, packed as the publications pack their files. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import { zipOf } from "./zip.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/catalogue", import.meta.url));

/** Writes the folder. A file `x` that the catalogue reads as `x.gz` is compressed; a folder that it reads as `x.zip` becomes an archive. */
export function writeCatalogueData(root: string): void {
  const read = new Set(Object.values(CATALOGUE).flatMap(({ local }) => local?.files ?? []));
  const archives = new Map<string, { name: string; content: Buffer }[]>();
  for (const path of pathsBelow(FIXTURES)) {
    const content = readFileSync(join(FIXTURES, path));
    const archive = [...read].find((file) => file.endsWith(".zip") && path.startsWith(`${file.slice(0, -4)}/`));
    if (archive !== undefined) {
      const entries = archives.get(archive) ?? [];
      archives.set(archive, [...entries, { name: path.slice(archive.length - 3), content }]);
    } else if (read.has(`${path}.gz`)) put(join(root, `${path}.gz`), gzipSync(content));
    else put(join(root, path), content);
  }
  for (const [archive, entries] of archives) put(join(root, archive), zipOf(entries));
}

/** Sorted, with slashes on every system. */
function pathsBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/")).sort();
}

function put(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
