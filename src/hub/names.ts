/** @file Names that come from people or from a server, checked before they become part of an address or of a path on disk. */

import { DataError, SpecError } from "../base/errors.ts";
import type { RepoRef } from "./types.ts";

/** A commit's full name. */
export const COMMIT = /^[0-9a-f]{40}$/;
/** SHA-1 or SHA-256. */
export const DIGEST = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

const ID = /^[A-Za-z0-9](?:[\w.-]{0,94}[\w])?\/[A-Za-z0-9_](?:[\w.-]{0,94}[\w])?$/;
const REVISION = /^[A-Za-z0-9](?:[\w./+-]{0,254}[\w+-])?$/;
const MAX_PATH_CHARS = 1024;
const MAX_NAME_CHARS = 255;

/** The name of a repository for messages: `org/name`, with `@revision` where one was asked for. */
export function nameOf({ id, revision }: Pick<RepoRef, "id" | "revision">): string {
  return revision === undefined ? id : `${id}@${revision}`;
}

/** True for `org/name` as the hub allows it. */
export function isRepoId(id: string): boolean {
  return ID.test(id) && !/--|\.\.|\.git$/.test(id);
}

/**
 * Checks a repository's name and revision.
 * @throws {SpecError} what could not be a name on the hub
 */
export function checkRef(ref: RepoRef): void {
  const { kind, id, revision = "main" } = ref;
  if (!isRepoId(id)) {
    throw new SpecError({
      place: id,
      expected: `a ${kind} of the hub as org/name: letters, digits, . _ -`,
      got: JSON.stringify(id),
      remedy: `Write the name as it stands on the ${kind}'s page.`,
    });
  }
  if (!REVISION.test(revision) || !isSafePath(revision)) {
    throw new SpecError({
      place: id,
      expected: "a branch, a tag or a commit as revision",
      got: JSON.stringify(revision),
      remedy: "Write it after @ as it stands on the hub, or leave it out for main.",
    });
  }
}

/**
 * A file's path as a server told it.
 * @throws {DataError} one that would leave the folder it is joined to, on any platform
 */
export function checkedPath(path: string, place: string): string {
  if (isSafePath(path)) return path;
  throw new DataError({
    place,
    expected: "names of files that stay in their folder",
    got: JSON.stringify(path).slice(0, 200),
    remedy: "Do not use this repository: its list of files is not one that an honest server gives.",
  });
}

function isSafePath(path: string): boolean {
  const names = path.split("/");
  return (
    path.length <= MAX_PATH_CHARS &&
    !/[\\\p{Cc}\p{Cs}]/u.test(path) &&
    names.every((name) => name !== "" && name !== "." && name !== ".." && name.length <= MAX_NAME_CHARS) &&
    !names.some((name) => /^[A-Za-z]:/.test(name))
  );
}

/** A path as part of an address. */
export function inAddress(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
