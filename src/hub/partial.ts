/**
 * @file A file that is still coming: appended to, digested as it grows, and left on disk when its process dies, for the next one to go on with.
 * Every process writes to a file of its own name and takes over only those of dead processes, so that two that fetch the same never meet.
 */

import { createHash, type Hash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { cacheError, guarded } from "./cache.ts";
import type { HubFile } from "./types.ts";

const PIECE_BYTES = 1 << 20;

/** An open partial file. */
export interface Partial {
  /** Bytes that are there. */
  readonly bytes: number;
  append(piece: Uint8Array): Promise<void>;
  /** Back to nothing. */
  restart(): Promise<void>;
  /** Digest of what is there, in the kind of the file's own. */
  digest(): string;
  /** Puts it in the blob's place. */
  finish(blob: string): Promise<void>;
  /** Leaves it for later. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Opens the partial file of a blob: this process's own, or that of a dead process of this machine, or a new one.
 * @throws {WorkerError} the cache cannot be written
 */
export async function openPartial(blob: string, file: HubFile): Promise<Partial> {
  const path = guarded(blob, () => {
    mkdirSync(dirname(blob), { recursive: true });
    return claim(blob);
  });
  const handle = await changed(path, open(path, "a+"));
  let bytes = (await handle.stat()).size;
  let hash = startHash(file);
  const restart = async () => {
    await changed(path, handle.truncate(0));
    bytes = 0;
    hash = startHash(file);
  };
  if (bytes > file.bytes) await restart();
  await digestPrefix(handle, bytes, hash);
  return {
    get bytes() {
      return bytes;
    },
    async append(piece) {
      await changed(path, writeAll(handle, piece));
      hash.update(piece);
      bytes += piece.length;
    },
    restart,
    digest: () => hash.copy().digest("hex"),
    async finish(target) {
      await handle.close();
      guarded(target, () => renameSync(path, target));
    },
    close: () => handle.close(),
    async remove() {
      await handle.close();
      rmSync(path, { force: true });
    },
  };
}

/** The digest that the hub names a file by: SHA-256, or git's SHA-1 over a header and the bytes. */
function startHash({ digest, bytes }: HubFile): Hash {
  return digest.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}

async function digestPrefix(handle: FileHandle, bytes: number, hash: Hash): Promise<void> {
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, bytes - at), at);
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** A write may take less than it was given. */
async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) done += (await handle.write(piece, done)).bytesWritten;
}

const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** The longest that a dead process left becomes ours; the others are removed. */
function claim(blob: string): string {
  const own = ownName(blob, process.pid);
  const dead = readdirSync(dirname(blob))
    .filter((name) => isLeftBehind(name, basename(blob)))
    .map((name) => join(dirname(blob), name))
    .map((path) => ({ path, size: statSync(path, { throwIfNoEntry: false })?.size ?? -1 }))
    .sort((a, b) => b.size - a.size);
  for (const { path } of dead) {
    if (statSync(own, { throwIfNoEntry: false }) === undefined) renameIfThere(path, own);
    else rmSync(path, { force: true });
  }
  return own;
}

function ownName(blob: string, pid: number): string {
  return `${blob}.mixtune-${HOST}-${pid}.incomplete`;
}

function isLeftBehind(name: string, blob: string): boolean {
  const match = /^([0-9a-f]+)\.mixtune-([0-9a-f]{8})-(\d+)\.incomplete$/.exec(name);
  return match !== null && match[1] === blob && match[2] === HOST && !isAlive(Number(match[3]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Another process may have been quicker. */
function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

async function changed<T>(path: string, change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (cause) {
    throw cacheError(path, cause);
  }
}
