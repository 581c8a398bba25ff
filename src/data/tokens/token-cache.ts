/**
 * @file Tokenised splits kept on disk by what decides them, so that the next study, and each worker thread, need not tokenise again.
 *
 *   <folder>/<key>.tokens    8 bytes: length of the header; JSON header; int32 [row of each piece | prompt lengths | answer lengths | ids]
 *
 * The key is a digest of everything that the content is made of (rows, template, tokenizer, limits, the program's own code): a file is never
 * out of date, only unused. A file that is damaged is made again.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../base/digest.ts";
import { makeFolder, readBytes, removeQuietly, writeAll, writeWholeWith } from "../../formats/files.ts";
import type { TokenizedExample } from "../types.ts";

export interface TokenCache {
  folder: string;
  /** Digest of the program's own files. */
  code: string;
}

/** What is kept of a split: its pieces as token ids, each with the index of its row, and plain facts beside them. */
export interface CachedTokens<Facts> {
  rows: Int32Array;
  tokenized: TokenizedExample[];
  facts: Facts;
}

interface Header<Facts> {
  key: string;
  num_pieces: number;
  /** Digest of the rest of the header and the body. */
  digest: string;
  ids: string[];
  facts: Facts;
}

/** The split kept under a key; undefined where there is none, or a damaged one (which is removed). */
export function readTokens<Facts>({ folder }: TokenCache, key: string): CachedTokens<Facts> | undefined {
  const path = fileOf(folder, key);
  if (!existsSync(path)) return undefined;
  try {
    const bytes = readBytes(path);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Header<Facts>;
    const body = bytes.subarray(start);
    if (header.key !== key || digestOfAll(header, body) !== header.digest) throw new Error("not what was written");
    return unpacked(new Int32Array(Uint8Array.from(body).buffer), header);
  } catch {
    removeQuietly(path);
    return undefined;
  }
}

/** Keeps a split. What cannot be kept (a full disk, no permission) is only slower: nothing is thrown. */
export function writeTokens<Facts>({ folder }: TokenCache, key: string, content: CachedTokens<Facts>): void {
  const { rows, tokenized, facts } = content;
  const lengths = (pick: (piece: TokenizedExample) => Int32Array) =>
    Int32Array.from(tokenized, (piece) => pick(piece).length);
  const total = tokenized.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
  const body = new Int32Array(3 * rows.length + total);
  body.set(rows);
  body.set(
    lengths(({ prompt }) => prompt),
    rows.length,
  );
  body.set(
    lengths(({ answer }) => answer),
    2 * rows.length,
  );
  let at = 3 * rows.length;
  for (const { prompt, answer } of tokenized) {
    body.set(prompt, at);
    body.set(answer, at + prompt.length);
    at += prompt.length + answer.length;
  }
  const bytes = new Uint8Array(body.buffer);
  const ids = tokenized.map(({ id }) => id);
  const header = { key, num_pieces: rows.length, ids, facts };
  const json = Buffer.from(JSON.stringify({ ...header, digest: digestOfAll(header, bytes) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  try {
    makeFolder(folder);
    writeWholeWith(fileOf(folder, key), (fd) => {
      for (const part of [length, json, bytes]) writeAll(fd, part);
    });
  } catch {}
}

function unpacked<Facts>(body: Int32Array, header: Header<Facts>): CachedTokens<Facts> {
  const { num_pieces: n, ids, facts } = header;
  let at = 3 * n;
  const take = (length: number) => {
    at += length;
    return body.subarray(at - length, at);
  };
  const tokenized = ids.map((id, i): TokenizedExample => {
    const prompt = take(body[n + i]!);
    return { id, prompt, answer: take(body[2 * n + i]!) };
  });
  return { rows: body.subarray(0, n), tokenized, facts };
}

function digestOfAll({ key, num_pieces, ids, facts }: Omit<Header<unknown>, "digest">, body: Uint8Array): string {
  return sha256(JSON.stringify([key, num_pieces, ids, facts, sha256(body)]));
}

function fileOf(folder: string, key: string): string {
  return join(folder, `${key}.tokens`);
}
