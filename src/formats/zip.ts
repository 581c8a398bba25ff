/**
 * @file Zip archives read into memory: names to bytes, checked by CRC. Nothing is written to disk and no name becomes a path; what an archive
 * may unpack to is limited. Stored and deflated entries below 4 GB only.
 */

import { crc32, inflateRawSync } from "node:zlib";
import { DataError } from "../base/errors.ts";
import { readBytes } from "./files.ts";

/** What an archive may hold. */
export interface ZipLimits {
  entries: number;
  /** Unpacked, of one entry. */
  entryBytes: number;
  /** Unpacked, of all entries. */
  totalBytes: number;
  /** Unpacked to packed, of one entry of more than a megabyte. Deflate reaches 1,032; repetitive JSON about 50. */
  ratio: number;
}

/** Far above any dataset's archive, far below what would fill a memory. */
export const ZIP_LIMITS: ZipLimits = { entries: 10_000, entryBytes: 200e6, totalBytes: 500e6, ratio: 200 };

/**
 * The files of a zip archive by name, in the archive's order; folders are left out.
 * @throws {DataError} not a zip, truncated, a wrong checksum, encrypted, over a limit, a name that is absolute or climbs (`..`) or comes twice
 */
export function readZip(path: string, limits: ZipLimits = ZIP_LIMITS): Map<string, Buffer> {
  return unzip(readBytes(path), path, limits);
}

/** {@link readZip} for bytes. @param place  the file, for messages */
export function unzip(archive: Buffer, place: string, limits: ZipLimits = ZIP_LIMITS): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let total = 0;
  for (const entry of directoryOf(archive, place, limits)) {
    const at = `${place}: ${entry.name}`;
    if (files.has(entry.name)) throw bad(at, "each name once", "a name that comes twice");
    total += entry.size;
    refuseTooLarge(entry, total, at, limits);
    files.set(entry.name, contentOf(archive, entry, at));
  }
  return files;
}

interface Entry {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  /** Of its local header. */
  offset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** The central directory, which alone counts: local headers may say anything. */
function directoryOf(archive: Buffer, place: string, limits: ZipLimits): Entry[] {
  const end = endRecord(archive, place);
  const count = archive.readUInt16LE(end + 10);
  const size = archive.readUInt32LE(end + 12);
  const start = archive.readUInt32LE(end + 16);
  if (count === 0xffff || start === 0xffffffff) throw bad(place, "a zip below 4 GB", "the zip64 form");
  if (count > limits.entries) throw bad(place, `at most ${limits.entries} entries`, `${count}`);
  if (start + size > end) throw damaged(place, "a directory that lies outside the file");
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || archive.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw damaged(place, `a broken directory at entry ${i + 1}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) => archive.readUInt16LE(at + k)) as [
      number,
      number,
      number,
    ];
    const next = at + ENTRY_BYTES + nameLength + extraLength + commentLength;
    if (next > end) throw damaged(place, `a broken directory at entry ${i + 1}`);
    const name = archive.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
    if (archive.readUInt16LE(at + 8) & 1) throw bad(`${place}: ${name}`, "an entry without a password", "one with");
    refuseName(name, place, archive.readUInt32LE(at + 38));
    if (!name.endsWith("/")) {
      entries.push({
        name,
        method: archive.readUInt16LE(at + 10),
        crc: archive.readUInt32LE(at + 16),
        packed: archive.readUInt32LE(at + 20),
        size: archive.readUInt32LE(at + 24),
        offset: archive.readUInt32LE(at + 42),
      });
    }
    at = next;
  }
  return entries;
}

/** Where the end record starts: the last 22 bytes, or before a comment of at most 65,535. */
function endRecord(archive: Buffer, place: string): number {
  const lowest = Math.max(0, archive.length - END_BYTES - 0xffff);
  for (let at = archive.length - END_BYTES; at >= lowest; at--) {
    if (archive.readUInt32LE(at) === END_SIGNATURE && at + END_BYTES + archive.readUInt16LE(at + 20) === archive.length)
      return at;
  }
  throw damaged(place, "no end of the archive's directory");
}

/** Entries never become paths; a name that tries is still a reason to distrust the archive. */
function refuseName(name: string, place: string, attributes: number): void {
  const climbs = name.split(/[/\\]/).includes("..");
  const isAbsolute = /^([/\\]|[A-Za-z]:)/.test(name);
  if (name === "" || name.includes("\0") || climbs || isAbsolute) {
    throw bad(
      place,
      "names of files inside the archive",
      `an entry named ${JSON.stringify(name)}, which leads out of it`,
    );
  }
  const isLink = ((attributes >>> 16) & 0o170000) === 0o120000;
  if (isLink) throw bad(`${place}: ${name}`, "a file", "a link");
}

function refuseTooLarge(entry: Entry, total: number, at: string, limits: ZipLimits): void {
  if (entry.size > limits.entryBytes) throw bad(at, `at most ${limits.entryBytes} bytes unpacked`, `${entry.size}`);
  if (total > limits.totalBytes)
    throw bad(at, `at most ${limits.totalBytes} bytes unpacked in the whole archive`, "more");
  if (entry.size > 1e6 && entry.size > limits.ratio * entry.packed) {
    throw bad(
      at,
      `at most ${limits.ratio} bytes unpacked for one packed`,
      `${Math.round(entry.size / entry.packed)}, as a decompression bomb has`,
    );
  }
}

function contentOf(archive: Buffer, { method, crc, packed, size, offset }: Entry, at: string): Buffer {
  if (offset + LOCAL_BYTES > archive.length || archive.readUInt32LE(offset) !== LOCAL_SIGNATURE)
    throw damaged(at, "no entry where the directory says");
  const start = offset + LOCAL_BYTES + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  if (start + packed > archive.length) throw damaged(at, "an entry that is cut off");
  const bytes = archive.subarray(start, start + packed);
  if (method !== STORED && method !== DEFLATED) throw bad(at, "a stored or deflated entry", `method ${method}`);
  const content = method === STORED ? bytes : inflate(bytes, size, at);
  if (content.length !== size) throw damaged(at, `${content.length} bytes where the directory says ${size}`);
  if (crc32(content) !== crc) throw damaged(at, "bytes with another checksum");
  return content;
}

function inflate(bytes: Buffer, size: number, at: string): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw damaged(at, cause instanceof Error ? cause.message : String(cause));
  }
}

function damaged(place: string, got: string): DataError {
  return bad(place, "a whole zip archive", got);
}

function bad(place: string, expected: string, got: string): DataError {
  return new DataError({ place, expected, got, remedy: "Fetch the archive again, or unpack and check it by hand." });
}
