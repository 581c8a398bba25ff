/** @file The hub: a repository's files, brought into the cache once and found there ever after. */

import { mkdirSync, statfsSync } from "node:fs";
import { open } from "node:fs/promises";
import { SpecError, WorkerError } from "../base/errors.ts";
import {
  blobPath,
  filePath,
  filesOnDisk,
  guarded,
  isWhole,
  linkBlob,
  readRef,
  readTree,
  repoFolder,
  snapshotFolder,
  writeRef,
  writeTree,
} from "./cache.ts";
import { type Client, type ClientOptions, openClient, type Subject } from "./client.ts";
import { listFiles, lookUpCommit } from "./listing.ts";
import { COMMIT, checkRef, inAddress, nameOf } from "./names.ts";
import { download, downloadRange } from "./transfer.ts";
import type { FetchProgress, HubFile, HubRecord, RepoRef, Snapshot } from "./types.ts";

/** Access to the hub and its cache. Opening it touches neither. */
export interface Hub {
  /**
   * The commit and the files behind a name; asked of the hub once, a commit's list of files once and for all.
   * @throws {SpecError} a name that is none, refused or not there; offline and not in the cache
   */
  resolve(ref: RepoRef): Promise<Snapshot>;
  /**
   * Brings files into the cache, those that are not there yet.
   * @returns their local paths, in the order given
   * @throws {SpecError} a path that the snapshot has not; offline and not in the cache
   * @throws {WorkerError} out of tries, a wrong digest, a full disk
   */
  fetch(
    snapshot: Snapshot,
    paths: readonly string[],
    onProgress?: (progress: FetchProgress) => void,
  ): Promise<string[]>;
  /** True where all of these files are in the cache. */
  has(snapshot: Snapshot, paths: readonly string[]): boolean;
  /** Bytes [from, to) of a file, from the cache where it is there; fewer where it ends before. */
  range(snapshot: Snapshot, path: string, from: number, to: number): Promise<Buffer>;
}

/** Blobs on their way, by path: partial files are named by process, so one process fetches a blob once at a time. */
const coming = new Map<string, Promise<void>>();

/** Opens the hub. */
export function openHub(options: ClientOptions): Hub {
  const { settings } = options;
  let opened: Client | undefined;
  const client = (): Client => (opened ??= openClient(options));
  const resolved = new Map<string, Promise<Snapshot>>();

  const bring = async (snapshot: Snapshot, file: HubFile, onBytes: (bytes: number) => void): Promise<void> => {
    const blob = blobPath(snapshot, file);
    const subject = { kind: snapshot.kind, name: snapshot.id, path: file.path };
    if (!isWhole(blob, file)) {
      if (settings.isOffline) throw notCached(subject, snapshot.folder);
      await download(client(), addressOf(settings.endpoint, snapshot, file), file, blob, subject, onBytes);
    }
    linkBlob(snapshot, file);
  };

  return {
    resolve(ref) {
      const key = `${ref.kind} ${nameOf(ref)}`;
      const before = resolved.get(key);
      if (before !== undefined) return before;
      const now = lookUp(ref, settings, client);
      resolved.set(key, now);
      now.catch(() => resolved.delete(key));
      return now;
    },
    async fetch(snapshot, paths, onProgress) {
      const files = paths.map((path) => fileOf(snapshot, path));
      const missing = files
        .filter((file) => !isWhole(filePath(snapshot, file), file))
        .map((file) => ({ file, bytes: isWhole(blobPath(snapshot, file), file) ? 0 : file.bytes }));
      const totalBytes = missing.reduce((sum, { bytes }) => sum + bytes, 0);
      if (!settings.isOffline) refuseFullDisk(settings.cacheDir, snapshot, totalBytes);
      let before = 0;
      for (const { file, bytes } of missing) {
        const tell = (done: number) => onProgress?.({ path: file.path, doneBytes: before + done, totalBytes });
        const blob = blobPath(snapshot, file);
        const now = coming.get(blob)?.then(() => linkBlob(snapshot, file)) ?? bring(snapshot, file, tell);
        coming.set(blob, now);
        await now.finally(() => coming.delete(blob));
        tell(bytes);
        before += bytes;
      }
      return files.map((file) => filePath(snapshot, file));
    },
    has: (snapshot, paths) =>
      paths.every((path) => {
        const file = fileOf(snapshot, path);
        return isWhole(filePath(snapshot, file), file) || isWhole(blobPath(snapshot, file), file);
      }),
    async range(snapshot, path, from, to) {
      const file = fileOf(snapshot, path);
      const local = [filePath(snapshot, file), blobPath(snapshot, file)].find((place) => isWhole(place, file));
      if (local !== undefined) return readRange(local, from, Math.min(to, file.bytes));
      const subject = { kind: snapshot.kind, name: snapshot.id, path };
      if (settings.isOffline) throw notCached(subject, snapshot.folder);
      const address = addressOf(settings.endpoint, snapshot, file);
      return downloadRange(client(), address, from, Math.min(to, file.bytes), subject);
    },
  };
}

/** The commit and the files behind a name, from the cache or the hub. */
async function lookUp(ref: RepoRef, settings: ClientOptions["settings"], client: () => Client): Promise<Snapshot> {
  checkRef(ref);
  const { kind, id, revision = "main" } = ref;
  const subject: Subject = { kind, name: nameOf(ref) };
  const folder = repoFolder(settings.cacheDir, ref);
  const isCommit = COMMIT.test(revision);
  const known = isCommit ? revision : settings.isOffline ? readRef(folder, revision) : undefined;
  if (known === undefined && settings.isOffline) throw notCached(subject, folder);
  const commit = known ?? (await lookUpCommit(client(), ref, subject));
  const snapshot = { kind, id, commit, folder: snapshotFolder(folder, commit) };
  const files = readTree(folder, commit);
  if (files === undefined && settings.isOffline) {
    const found = filesOnDisk(folder, commit);
    if (found.length === 0) throw notCached(subject, folder);
    return { ...snapshot, files: found };
  }
  if (!isCommit) writeRef(folder, revision, commit);
  if (files !== undefined) return { ...snapshot, files };
  const listed = await listFiles(client(), ref, commit, subject);
  writeTree(folder, commit, listed);
  return { ...snapshot, files: listed.map(({ path, bytes, digest }) => ({ path, bytes, digest })) };
}

/** What to keep of files that were used. */
export function recordOf({ id, commit, files }: Snapshot, paths: readonly string[]): HubRecord {
  const used = files.filter(({ path }) => paths.includes(path)).map(({ path, digest }) => [path, digest] as const);
  return { repo: id, revision: commit, files: Object.fromEntries(used) };
}

function fileOf(snapshot: Snapshot, path: string): HubFile {
  const file = snapshot.files.find((one) => one.path === path);
  if (file !== undefined) return file;
  throw new SpecError({
    place: snapshot.id,
    expected: `a file ${path}`,
    got: "none of that name",
    remedy: "Check the name on the repository's page.",
  });
}

function addressOf(endpoint: string, { kind, id, commit }: Snapshot, { path }: HubFile): string {
  return `${endpoint}/${kind === "model" ? "" : "datasets/"}${id}/resolve/${commit}/${inAddress(path)}`;
}

async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.alloc(Math.max(0, to - from));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function notCached({ kind, name, path }: Subject, folder: string): SpecError {
  return new SpecError({
    place: name,
    expected: `${path ?? `the ${kind}`} in the cache, as HF_HUB_OFFLINE is set`,
    got: `nothing in ${folder}`,
    remedy:
      "Unset HF_HUB_OFFLINE, or call mixtune fetch once where there is a network; HF_HUB_CACHE says where the cache is.",
  });
}

function refuseFullDisk(cacheDir: string, { id }: Snapshot, needed: number): void {
  if (needed === 0) return;
  const { bavail, bsize } = guarded(cacheDir, () => {
    mkdirSync(cacheDir, { recursive: true });
    return statfsSync(cacheDir);
  });
  if (needed <= bavail * bsize) return;
  throw new WorkerError({
    place: cacheDir,
    expected: `${(needed / 1e9).toFixed(1)} GB free for ${id}`,
    got: `${((bavail * bsize) / 1e9).toFixed(1)} GB`,
    remedy: "Free some space, or set HF_HUB_CACHE to a folder on another disk.",
  });
}
