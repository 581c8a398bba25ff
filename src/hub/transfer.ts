/** @file One file from the hub to its blob: resumed where it broke off, checked by its digest before it gets its name. */

import { DataError, WorkerError } from "../base/errors.ts";
import { type Answer, type Client, Dropped, MAX_TRIES, placeOf, type Subject, unreachable } from "./client.ts";
import { openPartial, type Partial } from "./partial.ts";
import type { HubFile } from "./types.ts";

/** A try that brought this much counts as a fresh start. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Downloads a file.
 * @param onBytes  told how many bytes of the file are there
 * @throws {WorkerError} out of tries, a wrong digest (the bytes are then removed), a cache that cannot be written
 */
export async function download(
  client: Client,
  url: string,
  file: HubFile,
  blob: string,
  subject: Subject,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const partial = await openPartial(blob, file);
  const resumed = partial.bytes;
  let isOpen = true;
  try {
    await fill(client, url, file, partial, subject, onBytes);
    if (partial.digest() !== file.digest && resumed > 0) {
      // What an earlier process left may have been damaged since: once more from the beginning.
      await partial.restart();
      await fill(client, url, file, partial, subject, onBytes);
    }
    isOpen = false;
    const digest = partial.digest();
    if (digest === file.digest) return await partial.finish(blob);
    await partial.remove();
    throw new WorkerError({
      place: placeOf(subject),
      expected: `bytes with the digest ${file.digest}, as the hub's list of files says`,
      got: `${digest}; what had arrived was removed`,
      remedy: "Call again; if it happens again, what stands between you and the hub changes files: check HF_ENDPOINT.",
    });
  } finally {
    if (isOpen) await partial.close();
  }
}

async function fill(
  client: Client,
  url: string,
  file: HubFile,
  partial: Partial,
  subject: Subject,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let tries = 0;
  onBytes(partial.bytes);
  while (partial.bytes < file.bytes) {
    const before = partial.bytes;
    try {
      const range = before > 0 ? { Range: `bytes=${before}-` } : undefined;
      const answer = await client.get(url, subject, { "Accept-Encoding": "identity", ...range });
      if (before > 0 && !continues(answer, before)) await partial.restart();
      for await (const piece of answer.chunks()) {
        if (partial.bytes + piece.length > file.bytes) throw tooLong(file, subject);
        await partial.append(piece);
        onBytes(partial.bytes);
      }
      if (partial.bytes < file.bytes) throw new Dropped(`the end after ${partial.bytes} of ${file.bytes} bytes`);
    } catch (error) {
      if (!(error instanceof Dropped)) throw error;
      tries = partial.bytes - before >= PROGRESS_BYTES ? 1 : tries + 1;
      if (tries >= MAX_TRIES) throw unreachable(error, subject, new URL(url));
      await client.sleepBeforeTry(tries);
    }
  }
}

/** True where the answer begins at the byte asked for; a server may send the whole file instead. */
function continues({ status, headers }: Answer, from: number): boolean {
  return status === 206 && headers.get("Content-Range")?.startsWith(`bytes ${from}-`) === true;
}

function tooLong(file: HubFile, subject: Subject): DataError {
  return new DataError({
    place: placeOf(subject),
    expected: `${file.bytes} bytes, as the hub's list of files says`,
    got: "more",
    remedy: "Call again; if it happens again, check HF_ENDPOINT.",
  });
}

/**
 * Bytes [from, to) of a file; fewer where it ends before.
 * @throws {WorkerError} out of tries @throws {DataError} other bytes than those asked for
 */
export async function downloadRange(
  client: Client,
  url: string,
  from: number,
  to: number,
  subject: Subject,
): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    const answer = await client.get(url, subject, { "Accept-Encoding": "identity", Range: `bytes=${from}-${to - 1}` });
    try {
      // A server without ranges sends the whole file: what comes before is skipped, what comes after is not waited for.
      const skipped = continues(answer, from) ? 0 : answer.status === 200 ? from : Number.NaN;
      if (Number.isNaN(skipped)) throw new Dropped("another range than the one asked for");
      return await take(answer.chunks(), skipped, to - from);
    } catch (error) {
      if (!(error instanceof Dropped)) throw error;
      if (tries >= MAX_TRIES) throw unreachable(error, subject, new URL(url));
      await client.sleepBeforeTry(tries);
    }
  }
}

async function take(chunks: AsyncIterable<Uint8Array>, skip: number, count: number): Promise<Buffer> {
  const out: Uint8Array[] = [];
  let left = count;
  let toSkip = skip;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(Math.min(toSkip, chunk.length)).subarray(0, left);
    toSkip -= Math.min(toSkip, chunk.length);
    if (piece.length > 0) out.push(piece);
    left -= piece.length;
    if (left === 0) break;
  }
  return Buffer.concat(out);
}
