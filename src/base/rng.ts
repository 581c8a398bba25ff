/** @file Seeded random numbers: named, counter-based streams, so that any draw can be made again without its predecessors. */

import assert from "node:assert";
import { createHash } from "node:crypto";

/**
 * A stream of random numbers, determined by a root seed and the names it was forked with.
 * Draws are murmur3-finalised counters (64-bit mix of key and counter), platform independent.
 */
export class Rng {
  private readonly key: readonly [number, number];
  private counter = 0;
  private readonly names: readonly [seed: number | string, ...names: (number | string)[]];

  /** @param names  the root seed, then the names as if forked; without "/", which stands between them */
  constructor(...names: Rng["names"]) {
    assert(!names.some((name) => `${name}`.includes("/")), `a name with a slash: ${names.join(" ")}`);
    this.names = names;
    const bytes = createHash("sha256").update(names.join("/")).digest();
    this.key = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
  }

  /** An independent stream; forking does not advance this one. @param name  without "/" */
  fork(name: string | number): Rng {
    return new Rng(...this.names, name);
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const c = this.counter++;
    let h = mix((c ^ this.key[0]) >>> 0);
    h = mix((h + this.key[1] + Math.imul(c, 0x9e3779b1)) >>> 0);
    return h;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.float() * n);
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    const u = 1 - this.float();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.float());
  }

  /** One element, uniformly. The list must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  /** The list in random order (Fisher-Yates on a copy). */
  shuffle<T>(list: readonly T[]): T[] {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** Murmur3's finalizer: 32 bits to 32 bits, each way round. */
export function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
