/**
 * @file The Hugging Face cache on disk, as the Python tools lay it out:
 *
 *     models--org--name/
 *       refs/main                 the commit that the branch stood at
 *       trees/<commit>.json       the list of files, which of a commit never changes
 *       snapshots/<commit>/…      links to blobs, by the files' own names
 *       blobs/<digest>            bytes; <digest>.….incomplete while they come
 */

import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { z } from "zod";
import { WorkerError } from "../base/errors.ts";
import { COMMIT, checkedPath, DIGEST } from "./names.ts";
import type { HubFile, RepoRef, Snapshot } from "./types.ts";

/** The folder of a repository. */
export function repoFolder(cacheDir: string, { kind, id }: Pick<RepoRef, "kind" | "id">): string {
  return join(cacheDir, `${kind}s--${id.replace("/", "--")}`);
}

/** The commit that a branch or tag stood at when it was last looked up. */
export function readRef(folder: string, revision: string): string | undefined {
  const commit = readIfThere(join(folder, "refs", revision))?.trim() ?? "";
  return COMMIT.test(commit) ? commit : undefined;
}

/** @throws {WorkerError} the cache cannot be written */
export function writeRef(folder: string, revision: string, commit: string): void {
  if (readRef(folder, revision) !== commit) writeWhole(join(folder, "refs", revision), commit);
}

const treeSchema = z.object({
  format_version: z.literal(1),
  files: z.record(
    z.string(),
    z.object({ size: z.int().nonnegative(), blob_id: z.string(), lfs_sha256: z.string().nullish() }),
  ),
});

/** The list of a commit's files, if it was ever fetched, by us or by the Python tools. */
export function readTree(folder: string, commit: string): HubFile[] | undefined {
  const path = treePath(folder, commit);
  const tree = treeSchema.safeParse(parseJson(readIfThere(path)));
  if (!tree.success) return undefined;
  const files = Object.entries(tree.data.files).map(([name, { size, blob_id, lfs_sha256 }]) => ({
    path: checkedPath(name, path),
    bytes: size,
    digest: lfs_sha256 ?? blob_id,
  }));
  return files.every(({ digest }) => DIGEST.test(digest)) ? files : undefined;
}

/** @param files  with git's own id of each, as a listing has them @throws {WorkerError} the cache cannot be written */
export function writeTree(folder: string, commit: string, files: readonly (HubFile & { gitId: string })[]): void {
  const entries = files.map(({ path, bytes, digest, gitId }) => [
    path,
    { size: bytes, blob_id: gitId, ...(digest === gitId ? {} : { lfs_sha256: digest, lfs_size: bytes }) },
  ]);
  writeWhole(
    treePath(folder, commit),
    JSON.stringify({ format_version: 1, files: Object.fromEntries(entries) }, null, 1),
  );
}

/** The files of a snapshot that are on disk, for a cache whose list of files was never kept. Names of blobs tell the digests. */
export function filesOnDisk(folder: string, commit: string): HubFile[] {
  const root = snapshotFolder(folder, commit);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const place = join(entry.parentPath, entry.name);
    const stat = statSync(place, { throwIfNoEntry: false });
    const digest = entry.isSymbolicLink() ? basename(readlinkSync(place)) : "";
    if (stat === undefined || !stat.isFile() || !DIGEST.test(digest)) return [];
    const path = relative(root, place).split(sep).join("/");
    return [{ path, bytes: stat.size, digest }];
  });
}

export function snapshotFolder(folder: string, commit: string): string {
  return join(folder, "snapshots", commit);
}

/** Where a file of a snapshot lies, or would. */
export function filePath(snapshot: Snapshot, file: HubFile): string {
  return join(snapshot.folder, ...file.path.split("/"));
}

/** The blob of a file: two levels above its snapshot. */
export function blobPath(snapshot: Snapshot, file: HubFile): string {
  return join(snapshot.folder, "..", "..", "blobs", file.digest);
}

/** True where a file is there with the size it should have; its digest was checked when it came. */
export function isWhole(path: string, file: HubFile): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === file.bytes;
}

/** Makes a file of a snapshot a link to its blob, or a copy where the disk has no links. */
export function linkBlob(snapshot: Snapshot, file: HubFile): void {
  const [target, blob] = [filePath(snapshot, file), blobPath(snapshot, file)];
  guarded(target, () => {
    mkdirSync(dirname(target), { recursive: true });
    const made = `${target}.${randomUUID()}.tmp`;
    try {
      symlinkSync(relative(dirname(target), blob), made);
    } catch {
      copyFileSync(blob, made);
    }
    renameSync(made, target);
  });
}

/** Runs a change on disk. @throws {WorkerError} instead of what the system says */
export function guarded<T>(path: string, change: () => T): T {
  try {
    return change();
  } catch (cause) {
    throw cacheError(path, cause);
  }
}

export function cacheError(path: string, cause: unknown): WorkerError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new WorkerError({
    place: path,
    expected: "a cache that can be written",
    got: code === "ENOSPC" ? "a full disk" : String(code ?? cause),
    remedy: "Free space, mend the permissions, or set HF_HUB_CACHE to another folder.",
    cause,
  });
}

function treePath(folder: string, commit: string): string {
  return join(folder, "trees", `${commit}.json`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Temp file and rename, so that no other process reads half of it. */
function writeWhole(path: string, text: string): void {
  guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    const made = `${path}.${randomUUID()}.tmp`;
    try {
      writeFileSync(made, text);
      renameSync(made, path);
    } finally {
      rmSync(made, { force: true });
    }
  });
}
