/**
 * @file Answers on disk, a file each, found by the digest of what was asked: a request that was paid for once is not sent again, whatever
 * happened since. A file says which endpoint and model answered and when; the prompt is not in it, and no key was ever near it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { digestOf } from "../../base/digest.ts";
import { DataError } from "../../base/errors.ts";
import { CACHE_SETTING, makeFolder, readText, writeWhole } from "../../formats/files.ts";
import { withoutNonFinite } from "../../formats/jsonl.ts";
import type { HostedSettings } from "./settings.ts";
import type { HostedAnswer } from "./types.ts";
import type { RequestBody } from "./wire.ts";

/** Counts up when the meaning of a kept answer changes. */
const VERSION = 1;

const count = z.number().int().nonnegative();
const logprob = z.number().optional().default(Number.NaN);
const entrySchema: z.ZodType<{ answer: HostedAnswer }> = z.looseObject({
  answer: z.object({
    text: z.string(),
    finish_reason: z.string().nullable(),
    usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullable(),
    logprobs: z
      .array(z.object({ token: z.string(), logprob, top: z.array(z.object({ token: z.string(), logprob })) }))
      .nullable(),
    model: z.string(),
    left_out: z.array(z.string()),
  }),
});

export interface AnswerCache {
  keyOf(body: RequestBody): string;
  /** Undefined where there is none. @throws {DataError} a damaged file */
  read(key: string): HostedAnswer | undefined;
  /** @throws {WorkerError|DataError} a full disk, a folder that cannot be written */
  write(key: string, answer: HostedAnswer, receivedAt: number): void;
}

/** The answers of one endpoint in a folder of many. @throws {DataError} a folder that cannot be made */
export function openAnswerCache(
  folder: string,
  { baseUrl, api, served }: Pick<HostedSettings, "baseUrl" | "api" | "served">,
): AnswerCache {
  makeFolder(folder, CACHE_SETTING);
  const pathOf = (key: string) => join(folder, key.slice(0, 2), `${key}.json`);
  return {
    keyOf: (body) => digestOf({ version: VERSION, base_url: baseUrl, api, body, served }),
    read(key) {
      const path = pathOf(key);
      if (!existsSync(path)) return undefined;
      const { data } = entrySchema.safeParse(jsonIn(readText(path)));
      if (data !== undefined) return data.answer;
      throw new DataError({
        place: path,
        expected: "an answer as it was kept",
        got: "something else",
        remedy: "Remove the file: the answer is then asked for, and paid for, again.",
      });
    },
    write(key, answer, receivedAt) {
      makeFolder(join(folder, key.slice(0, 2)), CACHE_SETTING);
      const entry = { base_url: baseUrl, api, received: new Date(receivedAt).toISOString(), answer };
      writeWhole(pathOf(key), JSON.stringify(entry, withoutNonFinite), CACHE_SETTING);
    },
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
