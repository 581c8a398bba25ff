/**
 * @file A set of digests that counts distinct texts by the ten million outside the JavaScript heap: 12 bytes a slot, open addressing, at most
 * two thirds full. 95 bits of a digest decide; ten million of them coincide with a probability below 1e-14.
 */

const WORDS = 3;
/** Hexadecimal digits that a key's order is decided by. */
const ORDER_DIGITS = 23;

export class KeySet {
  #slots: Uint32Array;
  #size = 0;

  constructor(numSlots = 1024) {
    this.#slots = new Uint32Array(numSlots * WORDS);
  }

  get size(): number {
    return this.#size;
  }

  /** @param digest  hexadecimal, at least 24 digits. @returns whether it is new */
  add(digest: string): boolean {
    const key = wordsOf(digest);
    if (!put(this.#slots, key)) return false;
    this.#size++;
    if (this.#size * 3 > (this.#slots.length / WORDS) * 2) this.#grow();
    return true;
  }

  /** The first digits of the k-th smallest key, from 1: what {@link isAtMost} compares with. @param k  at most the size */
  smallest(k: number): string {
    const counts = new Uint32Array(1 << 16);
    for (const key of this.#keys()) counts[key[0] >>> 16]!++;
    let bucket = 0;
    let before = 0;
    for (; before + counts[bucket]! < k; bucket++) before += counts[bucket]!;
    const inside: string[] = [];
    for (const key of this.#keys()) if (key[0] >>> 16 === bucket) inside.push(digitsOf(key));
    return inside.sort()[k - before - 1]!;
  }

  *#keys(): Generator<[number, number, number]> {
    for (let at = 0; at < this.#slots.length; at += WORDS) {
      if (this.#slots[at + 2] !== 0) yield [this.#slots[at]!, this.#slots[at + 1]!, this.#slots[at + 2]!];
    }
  }

  #grow(): void {
    const wider = new Uint32Array(this.#slots.length * 2);
    for (const key of this.#keys()) put(wider, key);
    this.#slots = wider;
  }
}

/** Whether a digest comes no later than what {@link KeySet.smallest} gave. */
export function isAtMost(digest: string, limit: string): boolean {
  return digest.slice(0, ORDER_DIGITS) <= limit;
}

/** The lowest bit marks a used slot. */
function wordsOf(digest: string): [number, number, number] {
  const word = (i: number) => Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16);
  return [word(0), word(1), (word(2) | 1) >>> 0];
}

function digitsOf(key: readonly number[]): string {
  return key
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("")
    .slice(0, ORDER_DIGITS);
}

function put(slots: Uint32Array, [a, b, c]: readonly [number, number, number]): boolean {
  const numSlots = slots.length / WORDS;
  for (let slot = a % numSlots; ; slot = (slot + 1) % numSlots) {
    const at = slot * WORDS;
    if (slots[at + 2] === 0) {
      slots[at] = a;
      slots[at + 1] = b;
      slots[at + 2] = c;
      return true;
    }
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c) return false;
  }
}
