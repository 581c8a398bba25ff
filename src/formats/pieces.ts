/** @file Files of any size read piece by piece, unpacked where their name ends in .gz: what streaming readers stand on. */

import { isUtf8 } from "node:buffer";
import { createReadStream, statSync } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "../base/errors.ts";
import { notGzip, readError } from "./files.ts";

/** Longest row: a document of 64 MiB is more than any model reads; a longer one is a file without line breaks. */
export const MAX_ROW_BYTES = 64 << 20;

const PIECE_BYTES = 1 << 20;

/** A line's number from 1 and its bytes without the line break; `null` for one longer than asked, whose bytes are not kept. */
export interface ByteLine {
  line: number;
  bytes: Buffer | null;
}

/**
 * The bytes of a file in pieces; .gz is unpacked, a leading byte order mark is dropped.
 * @throws {DataError} missing, unreadable, not gzip, cut off
 */
async function* readPiecesOf(path: string): AsyncGenerator<Buffer> {
  refuseFolder(path);
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const isPacked = /\.gz$/i.test(path);
  // pipeline rather than pipe: an error of the file must reach whoever reads the unpacked side.
  const pieces = isPacked ? pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), () => {}) : file;
  let isFirst = true;
  try {
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      yield isFirst && piece.subarray(0, 3).equals(BYTE_ORDER_MARK) ? piece.subarray(3) : piece;
      isFirst = false;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code?.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE"
      ? notGzip(path, error)
      : readError(path, error);
  } finally {
    file.destroy();
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function refuseFolder(path: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw readError(path, error);
  }
  if (isFolder) throw readError(path, Object.assign(new Error("is a folder"), { code: "EISDIR" }));
}

/**
 * The lines of a file, in batches of about a piece. The last line needs no line break.
 * @throws {DataError} as {@link readPiecesOf}
 */
export async function* readLines(path: string, maxBytes = MAX_ROW_BYTES): AsyncGenerator<ByteLine[]> {
  let line = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const take = (end: Buffer): ByteLine => {
    const isKept = restBytes + end.length <= maxBytes;
    const bytes = isKept ? (rest.length === 0 ? end : Buffer.concat([...rest, end])) : null;
    rest = [];
    restBytes = 0;
    return { line: line++, bytes };
  };
  for await (const piece of readPiecesOf(path)) {
    const lines: ByteLine[] = [];
    let from = 0;
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, from)) {
      lines.push(take(piece.subarray(from, at)));
      from = at + 1;
    }
    const left = piece.subarray(from);
    restBytes += left.length;
    if (restBytes > maxBytes) rest = [];
    else if (left.length > 0) rest.push(left);
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [take(Buffer.alloc(0))];
}

/**
 * Text of a file in pieces that end between characters.
 * @throws {DataError} bytes that are not UTF-8, with their line; as {@link readPiecesOf}
 */
export async function* readTextPieces(path: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  let line = 1;
  for await (const piece of readPiecesOf(path)) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = endOfCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) throw notUtf8(`${path}:${line + linesBeforeFault(whole)}`);
    line += numLineBreaks(whole);
    rest = Buffer.from(bytes.subarray(end));
    yield whole.toString("utf8");
  }
  if (rest.length > 0) throw notUtf8(`${path}:${line}`);
}

/** Where the last character that may go on in the next piece begins; the end if none does. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function linesBeforeFault(bytes: Buffer): number {
  let from = 0;
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0 && isUtf8(bytes.subarray(from, at)); at = bytes.indexOf(10, from)) {
    from = at + 1;
    count++;
  }
  return count;
}

function numLineBreaks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

/** The complaint about bytes that are no text. */
export function notUtf8(place: string): DataError {
  return new DataError({
    place,
    expected: "UTF-8 text",
    got: "bytes that are not UTF-8",
    remedy: "Save the file as UTF-8 (in Excel: CSV UTF-8).",
  });
}

/** The complaint about a row longer than {@link MAX_ROW_BYTES}. */
export function tooLongRow(place: string): DataError {
  return new DataError({
    place,
    expected: `at most ${MAX_ROW_BYTES} bytes in a row`,
    got: "more",
    remedy: "Check that each row ends with a line break, or cut the document.",
  });
}
