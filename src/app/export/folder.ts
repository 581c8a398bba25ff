/** @file The folder of an export: there whole or not at all, and never in place of anything else. */

import { existsSync, mkdirSync, readdirSync, renameSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { bytes } from "../../base/human-numbers.ts";
import { type MadeBy, refuseOtherMaker } from "../../base/made-by.ts";
import {
  makeFolder,
  readText,
  removeQuietly,
  sha256OfFile,
  syncFolder,
  writeError,
  writeWhole,
} from "../../formats/files.ts";
import { isPidAlive } from "../../runs/run-dir.ts";

const RECORD = "export.json";

/** What was exported, as export.json says: equal for equal exports. */
export interface ExportSubject {
  mixtune: string;
  format: string;
  /** As the format understands them. */
  options: Readonly<Record<string, string | number>>;
  model: Readonly<Record<string, unknown>>;
}

/**
 * Fills a new folder and puts it in its place; an earlier export of the same goes.
 * @param bytesNeeded  about what will be written
 * @param pid          of this process, so that what a killed one left can be told
 * @param fill         writes the files; `notes` of its result go into export.json
 * @throws {SpecError} something else in that place, too little room
 */
export async function writeExport<T extends { notes: readonly string[] }>(
  out: string,
  { subject, bytesNeeded, pid }: { subject: ExportSubject; bytesNeeded: number; pid: number },
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  refuseTaken(out, subject);
  makeFolder(dirname(out));
  const { bavail, bsize } = statfsSync(dirname(out));
  if (bytesNeeded > bavail * bsize) throw noRoom(out, bytesNeeded, bavail * bsize);
  const begin = `.${basename(out)}.`;
  for (const name of readdirSync(dirname(out))) {
    const [, writer] = name.startsWith(begin) ? (/\.(\d+)\.tmp$/.exec(name) ?? []) : [];
    if (writer !== undefined && !isPidAlive(Number(writer))) removeQuietly(join(dirname(out), name));
  }
  const temp = join(dirname(out), `${begin}${pid}.tmp`);
  try {
    removeQuietly(temp);
    mkdirSync(temp);
    const result = await fill(temp);
    const names = readdirSync(temp).sort();
    const files = Object.fromEntries(names.map((name) => [name, sha256OfFile(join(temp, name))]));
    writeWhole(join(temp, RECORD), `${JSON.stringify({ ...subject, notes: result.notes, files }, null, 2)}\n`);
    syncFolder(temp);
    removeQuietly(out);
    renameSync(temp, out);
    syncFolder(dirname(out));
    return result;
  } catch (error) {
    removeQuietly(temp);
    throw writeError(out, error);
  }
}

/** @throws {SpecError} a file, or a folder with anything but an earlier export of the same, as it was written */
export function refuseTaken(out: string, subject: ExportSubject): void {
  if (!existsSync(out)) return;
  const isFolder = statSync(out).isDirectory();
  const names = isFolder ? readdirSync(out) : [];
  if (isFolder && names.length === 0) return;
  const record = readRecord(join(out, RECORD));
  const isOwn = (name: string) =>
    record !== undefined && statSync(join(out, name)).isFile() && record.files[name] === sha256OfFile(join(out, name));
  const other = names.find((name) => name !== RECORD && !isOwn(name));
  const remedy = "Name another folder with options.out, or remove this one.";
  if (other === undefined && record !== undefined) {
    refuseOtherMaker(`${out}, which holds another export`, record.subject, { ...subject }, remedy);
    return;
  }
  throw new SpecError({
    place: out,
    expected: "no folder, an empty one, or an earlier export of the same",
    got: isFolder ? `a folder with other files (${other ?? RECORD})` : "a file",
    remedy,
  });
}

/** What an export.json says was exported, and digests of the files that are its own. Undefined: it is none. */
function readRecord(path: string): { subject: MadeBy; files: Readonly<Record<string, unknown>> } | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { mixtune, format, options, model, files } = JSON.parse(readText(path));
    return { subject: { mixtune, format, options, model }, files: Object(files) };
  } catch {
    return undefined;
  }
}

function noRoom(out: string, needed: number, free: number): SpecError {
  return new SpecError({
    place: out,
    expected: `${bytes(needed)} free for the export and its check`,
    got: bytes(free),
    remedy: "Free some space, or name a folder on another disk with options.out.",
  });
}
