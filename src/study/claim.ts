/** @file One process at a time works in a study directory. A claim whose owner is dead, or has not stirred for long, is taken over. */

import { randomUUID } from "node:crypto";
import { linkSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SpecError } from "../base/errors.ts";
import { makeFolder, removeQuietly, writeError } from "../formats/files.ts";
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

/** `.claim.<n>`: the highest number holds. `.claim` is what version 0.1.0 wrote. */
const CLAIM = /^\.claim(?:\.(\d+))?$/;

/**
 * Claims a directory, or refuses with who holds it. A claim is made elsewhere and linked into place, so that it is never half-written. A dead
 * owner's is never replaced: whoever takes over links the next number, which only one of several can, and only then removes what came before.
 *
 * @throws {SpecError} another living process works here
 * @throws {WorkerError|DataError} a full disk, a folder that cannot be written to
 */
export function claimStudy(studyDir: string, owner: Claimant, clock: Clock): Claim {
  makeFolder(studyDir);
  const mine = join(studyDir, `.claim.${randomUUID()}`);
  try {
    writeFileSync(mine, JSON.stringify(owner));
    for (;;) {
      const last = claimsIn(studyDir).at(-1);
      if (last !== undefined) {
        const held = read(last.path);
        if (held === undefined) continue;
        if (isAlive(held, owner, last.path, clock)) throw refusal(studyDir, held);
      }
      const number = (last?.number ?? 0) + 1;
      const path = join(studyDir, `.claim.${number}`);
      if (!linked(mine, path)) continue;
      const others = claimsIn(studyDir).filter((other) => other.number !== number);
      // While this process slept, others may have come and gone: then the number was free once more.
      if (others.some((other) => other.number > number)) removeQuietly(path);
      else {
        for (const before of [...others.map((other) => other.path), ...abandoned(studyDir, clock)])
          removeQuietly(before);
        return keptFresh(path, clock);
      }
    }
  } catch (error) {
    throw writeError(mine, error);
  } finally {
    removeQuietly(mine);
  }
}

function keptFresh(path: string, clock: Clock): Claim {
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

/** Claims in a directory, the one that holds last. */
function claimsIn(studyDir: string): { number: number; path: string }[] {
  return readdirSync(studyDir)
    .flatMap((name) => {
      const match = CLAIM.exec(name);
      return match === null ? [] : [{ number: Number(match[1] ?? 0), path: join(studyDir, name) }];
    })
    .sort((a, b) => a.number - b.number);
}

/** What processes that were killed before they had linked it have left. */
function abandoned(studyDir: string, clock: Clock): string[] {
  return readdirSync(studyDir)
    .filter((name) => name.startsWith(".claim.") && !CLAIM.test(name))
    .map((name) => join(studyDir, name))
    .filter((path) => isSilent(path, clock));
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

function isSilent(path: string, clock: Clock): boolean {
  return clock() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS;
}

function isAlive(held: Claimant, self: Claimant, path: string, clock: Clock): boolean {
  if (isSilent(path, clock)) return false;
  if (held.host !== self.host) return true;
  try {
    process.kill(held.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
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
    remedy: "Wait for it, stop it, or use another options.out.",
  });
}
