/** @file A model out of a GGUF file: read once, into the cache, as a folder in Hugging Face's layout. */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { CACHE_SETTING, makeFolder, sha256OfFile } from "../../formats/files.ts";
import { writeFolderOfGguf } from "../../models/import/gguf.ts";
import type { Workspace } from "../workspace.ts";

/**
 * The folder of the file's model.
 * @throws {CheckpointError} a damaged file, or a model that cannot be reproduced
 */
export function folderOfGguf(path: string, { settings, note }: Workspace): string {
  const parent = join(settings.cacheDir, "gguf");
  const folder = join(parent, sha256OfFile(path));
  if (existsSync(join(folder, "config.json"))) return folder;
  makeFolder(parent, CACHE_SETTING);
  note(`${basename(path)} is read once, and kept as float32 in ${folder}.`);
  writeFolderOfGguf(path, folder);
  return folder;
}
