/** @file Whole files in, whole files out: text read with limits, bytes written by temp + fsync + rename, so that a reader never sees half a file. */

import { isUtf8 } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CheckpointError, DataError, type MixtuneError, WorkerError } from "../base/errors.ts";

/** Largest text that is read at once, before and after unpacking: below the longest string that V8 can hold. */
const MAX_TEXT_BYTES = 500_000_000;

/**
 * The text of a file; `.gz` is unpacked, a leading byte order mark is dropped.
 *
 * @param encoding  of the text; utf8 is checked, because a wrong guess would change letters in silence
 * @throws {DataError} missing, unreadable, too large, not gzip, not UTF-8
 */
export function readText(path: string, encoding: "utf8" | "latin1" = "utf8"): string {
  const stored = readBytes(path);
  const bytes = path.endsWith(".gz") ? gunzip(stored, path) : stored;
  return encoding === "latin1" ? bytes.toString("latin1") : decodeUtf8(bytes, path);
}

/**
 * Bytes as text, without a leading byte order mark.
 * @throws {DataError} bytes that are not UTF-8
 */
export function decodeUtf8(bytes: Buffer, place: string): string {
  if (!isUtf8(bytes)) {
    throw new DataError({
      place,
      expected: "UTF-8 text",
      got: "bytes that are not UTF-8",
      remedy: "Save the file as UTF-8, or declare its encoding as latin1 where the task allows it.",
    });
  }
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * The bytes of a file.
 * @throws {DataError} missing, unreadable or larger than {@link MAX_TEXT_BYTES}
 */
export function readBytes(path: string): Buffer {
  let size: number;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
    size = stat.size;
  } catch (error) {
    throw readError(path, error);
  }
  if (size > MAX_TEXT_BYTES) throw tooLarge(path, `${size} bytes`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw readError(path, error);
  }
}

function gunzip(bytes: Buffer, path: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch (error) {
    if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(path, "more than that once unpacked");
    throw notGzip(path, error);
  }
}

/** The complaint about a .gz file that does not unpack. */
export function notGzip(path: string, cause: unknown): DataError {
  return new DataError({
    place: path,
    expected: "a whole gzip file, as its name ends in .gz",
    got: messageOf(cause),
    remedy: "Fetch or make the file again; if it is plain text, take .gz off its name.",
    cause,
  });
}

function tooLarge(path: string, got: string): DataError {
  return new DataError({
    place: path,
    expected: `at most ${MAX_TEXT_BYTES} bytes in one text file`,
    got,
    remedy: "Split the file into several.",
  });
}

/** A failed read as an error for people. */
export function readError(path: string, error: unknown): DataError {
  const code = codeOf(error);
  const got =
    code === "ENOENT" || code === "ENOTDIR"
      ? "no such file"
      : code === "EISDIR"
        ? "a folder"
        : code === "EACCES" || code === "EPERM"
          ? "no permission to read it"
          : messageOf(error);
  const remedy =
    code === "EACCES" || code === "EPERM"
      ? "Give this user permission to read the file."
      : "Check the path; paths in a file are relative to that file, paths on the command line to the current folder.";
  return new DataError({ place: path, expected: "a readable file", got, remedy, cause: error });
}

/**
 * Writes a file whole: temp file in the same folder, fsync, rename. The old content stays until the new one is complete.
 * @param setBy  what chooses the folder, for messages; default options.out
 * @throws {WorkerError} disk full or a failing device; {DataError} a folder that is missing or not writable. No temp file stays behind.
 */
export function writeWhole(path: string, content: Uint8Array | string, setBy?: string): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  writeWholeWith(path, (fd) => writeAll(fd, bytes), setBy);
}

/**
 * {@link writeWhole} for content that is produced piece by piece: `fill` writes to the descriptor; if it throws, nothing is left behind. Threads and
 * processes may write one file at a time, each by a temp file of its own: the last one stays.
 */
export function writeWholeWith<T>(path: string, fill: (fd: number) => T, setBy?: string): T {
  const temp = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const fd = openSync(temp, "w");
    let result: T;
    try {
      result = fill(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temp, path);
    syncFolder(dirname(path));
    return result;
  } catch (error) {
    removeQuietly(temp);
    throw writeError(path, error, setBy);
  }
}

/** Writes all bytes to a descriptor; `writeSync` alone may write fewer. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at);
}

/**
 * Appends to a file behind its first `size` bytes: what a killed writer left behind them is cut off. A file that is not there is made.
 * @throws {WorkerError|DataError} as {@link writeError}
 */
export function appendBehind(path: string, size: number, bytes: Uint8Array): void {
  try {
    const fd = openSync(path, "a");
    try {
      if (fstatSync(fd).size > size) ftruncateSync(fd, size);
      writeAll(fd, bytes);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

/** What chooses the folder of what can be made again (app/settings.ts). */
export const CACHE_SETTING = "MIXTUNE_CACHE";

/**
 * Makes a folder and its parents; an existing one is fine.
 * @param setBy  what chooses the folder, for messages; default options.out
 * @throws {DataError} when it cannot be made or is a file
 */
export function makeFolder(path: string, setBy?: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw writeError(path, error, setBy);
  }
}

/** Makes a rename in this folder survive a power cut. Windows cannot open folders and keeps its own order. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

type Complaint = { Kind: typeof DataError | typeof WorkerError; expected: string; got: string; remedy: string };

/** What goes wrong with a write, by the system's code. @param setBy  what chooses the folder */
function complaintOf(code: string, cause: unknown, setBy: string): Complaint {
  const full: Complaint = {
    Kind: WorkerError,
    expected: "room on the disk",
    got: "a full disk",
    remedy: `Free some space or choose another folder with ${setBy}, then start the same command again: it goes on.`,
  };
  const forbidden: Complaint = {
    Kind: DataError,
    expected: "a folder that this user may write to",
    got: "no permission to write",
    remedy: `Choose another folder with ${setBy}, or give this user permission to write there.`,
  };
  const noFolder: Complaint = {
    Kind: DataError,
    expected: "a folder to write in",
    got: "no such folder",
    remedy: `Make the folder, or choose another one with ${setBy}.`,
  };
  const inTheWay: Complaint = { ...noFolder, got: "a file where the folder should be" };
  const complaints: Readonly<Record<string, Complaint>> = {
    ENOSPC: full,
    EDQUOT: { ...full, got: "a used-up quota" },
    EFBIG: { ...full, got: "a limit on the size of files" },
    EACCES: forbidden,
    EPERM: forbidden,
    EROFS: { ...forbidden, got: "a read-only file system" },
    ENOENT: noFolder,
    ENOTDIR: inTheWay,
    EEXIST: inTheWay,
  };
  return (
    complaints[code] ?? {
      Kind: WorkerError,
      expected: "a file that can be written",
      got: messageOf(cause),
      remedy: `Check the disk, or choose another folder with ${setBy}.`,
    }
  );
}

/** Turns a failed write into an error for people; errors that already are pass through, and so do bugs. @param setBy  what chooses the folder */
export function writeError(path: string, error: unknown, setBy = "options.out"): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const { Kind, ...complaint } = complaintOf(code, error, setBy);
  return new Kind({ place: path, ...complaint, cause: error });
}

/**
 * Hexadecimal SHA-256 of a file of any size, or of `length` bytes of it from `offset` on; read in pieces.
 * @throws {DataError} missing or unreadable
 */
export function sha256OfFile(path: string, offset = 0, length = Number.POSITIVE_INFINITY): string {
  const hash = createHash("sha256");
  readPieces(path, offset, length, (piece) => hash.update(piece));
  return hash.digest("hex");
}

/**
 * Hands `length` bytes from `offset` on to `take`, in pieces of at most 4 MiB that are only valid during the call; stops at the file's end.
 * @returns bytes handed over
 * @throws {DataError} missing or unreadable
 */
export function readPieces(path: string, offset: number, length: number, take: (piece: Buffer) => void): number {
  const piece = Buffer.allocUnsafeSlow(Math.min(4 << 20, Math.max(8, length)));
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw readError(path, error);
  }
  try {
    let done = 0;
    while (done < length) {
      const got = readSync(fd, piece, 0, Math.min(piece.length, length - done), offset + done);
      if (got === 0) break;
      take(piece.subarray(0, got));
      done += got;
    }
    return done;
  } finally {
    closeSync(fd);
  }
}

/** A file open for reads anywhere in it. */
export interface OpenBytes {
  size: number;
  /** Bytes [start, end), fewer where the file ends before. */
  read(start: number, end: number): ArrayBuffer;
  close(): void;
}

/**
 * Opens a file of any size for reads anywhere in it.
 * @throws {DataError} missing, unreadable, a folder
 */
export function openBytes(path: string): OpenBytes {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw readError(path, error);
  }
  const stat = fstatSync(fd);
  if (stat.isDirectory()) {
    closeSync(fd);
    throw readError(path, Object.assign(new Error("is a folder"), { code: "EISDIR" }));
  }
  return {
    size: stat.size,
    read(start, end) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, stat.size) - Math.max(0, start)));
      let done = 0;
      while (done < bytes.length) {
        const got = readSync(fd, bytes, done, bytes.length - done, start + done);
        if (got === 0) break;
        done += got;
      }
      return done === bytes.length ? bytes.buffer : bytes.buffer.slice(0, done);
    },
    close: () => closeSync(fd),
  };
}

/** The same complaint about a file, said of a model folder or checkpoint. */
export function asCheckpointError(error: MixtuneError, remedy: string): CheckpointError {
  return new CheckpointError({ place: error.place, expected: error.expected, got: error.got, remedy, cause: error });
}

/** Removes a file or folder if it is there; a failure to clean up must not hide the error that led here. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
