/** @file One process at a time works in a study directory. A claim whose owner is dead, or has not stirred for long, is taken over. */

import { randomUUID } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SpecError } from "../base/errors.ts";
import type { Clock } from "./ledger.ts";

/** Who works in a directory. */
export interface Claimant {
  pid: number;
  host: string;
}

/** A held claim. */
export interface Claim {
  release(): void;
}

const BEAT_MS = 5_000;
/** A living owner stirs every BEAT_MS; one that has been silent this long is dead, or its pid was given to another. */
const STALE_MS = 120_000;

/**
 * Claims a directory, or refuses with who holds it. The file is made elsewhere and linked into place, so it is never half-written;
 * of several processes that find the same dead owner, one takes over.
 * @throws {SpecError} another living process works here
 */
export function claimStudy(studyDir: string, owner: Claimant, clock: Clock): Claim {
  mkdirSync(studyDir, { recursive: true });
  const path = join(studyDir, ".claim");
  const mine = join(studyDir, `.claim.${owner.pid}.${randomUUID()}`);
  writeFileSync(mine, JSON.stringify(owner));
  try {
    for (;;) {
      if (linked(mine, path)) break;
      const held = read(path);
      if (held === undefined) continue;
      if (isAlive(held, owner, path, clock)) throw refusal(studyDir, held);
      removeIfStill(path, held);
    }
  } finally {
    unlinkSync(mine);
  }
  const beat = setInterval(() => touch(path, clock), BEAT_MS);
  beat.unref();
  touch(path, clock);
  return {
    release: () => {
      clearInterval(beat);
      rmSync(path, { force: true });
    },
  };
}

/**
 * Does work while nobody else works in a study directory.
 * @param studyDir  undefined: there is no study, and nothing to claim
 * @throws {SpecError} another living process works there
 */
export async function whileClaimed<T>(
  studyDir: string | undefined,
  { self, clock }: { self: Claimant; clock: Clock },
  work: () => Promise<T>,
): Promise<T> {
  const claim = studyDir === undefined ? undefined : claimStudy(studyDir, self, clock);
  try {
    return await work();
  } finally {
    claim?.release();
  }
}

/** Who works in the directory now, if anyone does. */
export function claimedBy(studyDir: string, self: Claimant, clock: Clock): Claimant | undefined {
  const path = join(studyDir, ".claim");
  const held = read(path);
  return held !== undefined && isAlive(held, self, path, clock) ? held : undefined;
}

function linked(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined: there is no claim. One that cannot be read counts as held by a stranger until it is stale. */
function read(path: string): Claimant | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Claimant;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : { pid: 0, host: "an unknown host" };
  }
}

function isAlive(held: Claimant, self: Claimant, path: string, clock: Clock): boolean {
  if (clock() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS) return false;
  if (held.host !== self.host) return true;
  try {
    process.kill(held.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Moves the dead owner's claim away; if another process was quicker and it is already a new one, puts that back. */
function removeIfStill(path: string, dead: Claimant): void {
  const aside = `${path}.dead.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = read(aside);
  if (moved !== undefined && (moved.pid !== dead.pid || moved.host !== dead.host)) linked(aside, path);
  unlinkSync(aside);
}

function touch(path: string, clock: Clock): void {
  const seconds = clock() / 1000;
  try {
    utimesSync(path, seconds, seconds);
  } catch {
    // note: the directory was removed under us; the run itself will say so.
  }
}

function refusal(studyDir: string, held: Claimant): SpecError {
  return new SpecError({
    place: studyDir,
    expected: "that no other process works here",
    got: `process ${held.pid} on ${held.host}`,
    remedy: "Wait for it, stop it, or use another --out.",
  });
}
