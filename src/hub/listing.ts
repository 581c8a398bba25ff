/** @file What a repository holds: its commit and its files, asked of the hub through @huggingface/hub and not believed until checked. */

import { z } from "zod";
import { DataError } from "../base/errors.ts";
import type { Client, Subject } from "./client.ts";
import { COMMIT, checkedPath, DIGEST } from "./names.ts";
import type { HubFile, RepoRef } from "./types.ts";

/** Far above the largest repository that anybody mixes in. */
const MAX_FILES = 200_000;

const fileSchema = z.object({
  path: z.string(),
  size: z.int().nonnegative(),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(DIGEST), size: z.int().nonnegative() }).optional(),
});

/** A file with git's own id of it. */
export type ListedFile = HubFile & { gitId: string };

/** The commit that a revision stands at. */
export async function lookUpCommit(
  client: Client,
  { kind, id, revision = "main" }: RepoRef,
  subject: Subject,
): Promise<string> {
  // Loaded when first needed: most commands never speak with the hub.
  const { modelInfo, datasetInfo } = await import("@huggingface/hub");
  const asked = {
    name: id,
    revision,
    hubUrl: client.options.settings.endpoint,
    fetch: client.fetchFor(subject),
    additionalFields: ["sha" as const],
  };
  const { sha } = await sensible(subject, () => (kind === "model" ? modelInfo(asked) : datasetInfo(asked)));
  if (COMMIT.test(sha)) return sha;
  throw senseless(subject, "a commit of 40 hexadecimal digits", JSON.stringify(sha ?? null));
}

/**
 * Every file at a commit.
 * @throws {DataError} paths that would leave their folder, sizes or digests that are none
 */
export async function listFiles(
  client: Client,
  { kind, id }: RepoRef,
  commit: string,
  subject: Subject,
): Promise<ListedFile[]> {
  const { listFiles: list } = await import("@huggingface/hub");
  const entries = list({
    repo: { type: kind, name: id },
    revision: commit,
    recursive: true,
    hubUrl: client.options.settings.endpoint,
    fetch: client.fetchFor(subject),
  });
  return sensible(subject, async () => {
    const files: ListedFile[] = [];
    for await (const entry of entries) {
      if (entry.type !== "file") continue;
      const parsed = fileSchema.safeParse(entry);
      if (!parsed.success)
        throw senseless(subject, "files with path, size and digest", JSON.stringify(entry).slice(0, 200));
      const { path, size, oid, lfs } = parsed.data;
      files.push({
        path: checkedPath(path, subject.name),
        bytes: lfs?.size ?? size,
        digest: lfs?.oid ?? oid,
        gitId: oid,
      });
      if (files.length > MAX_FILES) throw senseless(subject, `at most ${MAX_FILES} files`, "more");
    }
    return files;
  });
}

/** What the library throws at an answer that it cannot read is the server's fault, not ours. */
async function sensible<T>(subject: Subject, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw senseless(subject, "JSON as the hub sends it", error.message, error);
    throw error;
  }
}

function senseless(subject: Subject, expected: string, got: string, cause?: unknown): DataError {
  return new DataError({
    place: subject.name,
    expected,
    got,
    remedy: "Check HF_ENDPOINT: this is not what a hub answers.",
    cause,
  });
}
