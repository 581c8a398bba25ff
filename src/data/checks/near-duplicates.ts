/**
 * @file Texts that stand in two places: equal after normalisation, or nearly so by the words they share. Found with MinHash signatures cut into
 * bands, so that only texts with a band in common are compared, and then compared exactly.
 *
 * Sources: Broder 1997, On the resemblance and containment of documents (shingles, MinHash); Leskovec, Rajaraman & Ullman, Mining of Massive
 * Datasets, chapter 3 (bands).
 */

import { Rng } from "../../base/rng.ts";
import { normalizeText } from "../splits/splits.ts";
import { MIN_WORDS } from "./leakage.ts";

/**
 * Words in a shingle. One changed word takes 3 shingles away, so that at the threshold a text of 20 words may differ in one word, and one of 100 in
 * seven apart from each other.
 */
const SHINGLE_WORDS = 3;
/** Shared shingles among all shingles of two texts (Jaccard) from which they are near-duplicates. */
export const NEAR_THRESHOLD = 0.7;
/** Length of a signature. The standard error of its estimate of Jaccard j is sqrt(j (1 - j) / 128): 0.04 at the threshold. */
const NUM_HASHES = 128;
/** Hashes in a band. 32 bands of 4 find a pair of Jaccard j with 1 - (1 - j^4)^32: 0.9998 at the threshold, 0.87 at 0.5, 0.02 at 0.15. */
const BAND_HASHES = 4;
/** An estimate this far below the threshold, four standard errors, is not looked at more closely. */
const ESTIMATE_MARGIN = 0.16;
/** Pairs shown for two places. */
const MAX_SHOWN = 3;

/** Texts that belong together: a split of a task. */
export interface TextSet {
  name: string;
  rows: readonly { id: string; text: string }[];
}

/** How many rows of each of two sets have a copy in the other. */
export interface Overlap {
  sets: [string, string];
  /** Rows whose normalised text is also in the other set. */
  equal: [number, number];
  /** Further rows with a near-copy there. */
  near: [number, number];
  /** Near-copies with the Jaccard of their shingles, or where there are none equal texts (jaccard 1). */
  examples: { ids: [string, string]; texts: [string, string]; jaccard: number }[];
}

/** A normalised text and where it stands. */
interface Node {
  normal: string;
  text: string;
  /** By set: how many rows and the first id. */
  places: Map<number, { rows: number; id: string }>;
  /** Sets with a near-copy. */
  nearIn: Set<number>;
}

interface NearPair {
  nodes: [Node, Node];
  jaccard: number;
}

/**
 * Compares every set with every other. Texts of fewer than five words are passed over: they coincide by chance. What is found does not depend on
 * the order of rows. Sets overlap in the order they are given.
 */
export function findOverlaps(sets: readonly TextSet[]): Overlap[] {
  const nodes = distinctTexts(sets);
  const pairs = nearPairs(nodes);
  const overlaps = new Map<number, Overlap>();
  const overlapOf = (a: number, b: number): Overlap => {
    const key = a * sets.length + b;
    let overlap = overlaps.get(key);
    if (overlap === undefined) {
      overlap = { sets: [sets[a]!.name, sets[b]!.name], equal: [0, 0], near: [0, 0], examples: [] };
      overlaps.set(key, overlap);
    }
    return overlap;
  };
  for (const { places, nearIn } of nodes) {
    for (const [set, { rows }] of places) {
      for (const other of places.keys()) if (other !== set) count(overlapOf, "equal", set, other, rows);
      for (const other of nearIn) if (!places.has(other)) count(overlapOf, "near", set, other, rows);
    }
  }
  for (const pair of pairs) showNear(pair, overlapOf);
  for (const node of nodes) showEqual(node, overlapOf);
  return [...overlaps].sort(([a], [b]) => a - b).map(([, overlap]) => overlap);
}

type OverlapOf = (a: number, b: number) => Overlap;

function count(overlapOf: OverlapOf, what: "equal" | "near", set: number, other: number, rows: number): void {
  overlapOf(Math.min(set, other), Math.max(set, other))[what][set < other ? 0 : 1] += rows;
}

function showNear({ nodes: [one, other], jaccard }: NearPair, overlapOf: OverlapOf): void {
  for (const [a, x] of one.places) {
    for (const [b, y] of other.places) {
      if (a === b || (one.places.has(b) && other.places.has(a))) continue; // equal texts of both are in both
      const { examples } = overlapOf(Math.min(a, b), Math.max(a, b));
      if (examples.length === MAX_SHOWN) continue;
      const isInOrder = a < b;
      examples.push({
        ids: isInOrder ? [x.id, y.id] : [y.id, x.id],
        texts: isInOrder ? [one.text, other.text] : [other.text, one.text],
        jaccard,
      });
    }
  }
}

/** Fills up with equal texts where there is no near-copy to show. */
function showEqual({ places, text }: Node, overlapOf: OverlapOf): void {
  const all = [...places].sort(([a], [b]) => a - b);
  for (const [i, [a, x]] of all.entries()) {
    for (const [b, y] of all.slice(i + 1)) {
      const { examples, near } = overlapOf(a, b);
      if (examples.length < MAX_SHOWN && near[0] + near[1] === 0) {
        examples.push({ ids: [x.id, y.id], texts: [text, text], jaccard: 1 });
      }
    }
  }
}

/** All distinct normalised texts, in their own order, so that nothing depends on that of the rows. */
function distinctTexts(sets: readonly TextSet[]): Node[] {
  const byText = new Map<string, Node>();
  for (const [set, { rows }] of sets.entries()) {
    for (const { id, text } of rows) {
      const normal = normalizeText(text);
      if (numWords(normal) < MIN_WORDS) continue;
      let node = byText.get(normal);
      if (node === undefined) {
        node = { normal, text, places: new Map(), nearIn: new Set() };
        byText.set(normal, node);
      }
      const place = node.places.get(set);
      if (place === undefined) node.places.set(set, { rows: 1, id });
      else {
        place.rows++;
        if (id < place.id) place.id = id;
      }
      if (text < node.text) node.text = text;
    }
  }
  return [...byText.values()].sort((a, b) => (a.normal < b.normal ? -1 : 1));
}

function numWords(normal: string): number {
  let words = normal === "" ? 0 : 1;
  for (let i = normal.indexOf(" "); i >= 0 && words < MIN_WORDS; i = normal.indexOf(" ", i + 1)) words++;
  return words;
}

/** Near-copies in different sets: enough pairs that `nearIn` of every node is complete, not all of them. */
function nearPairs(nodes: readonly Node[]): NearPair[] {
  const signatures = signaturesOf(nodes);
  const pairs: NearPair[] = [];
  const numBands = NUM_HASHES / BAND_HASHES;
  const keys = Array.from({ length: numBands }, (_, band) => bandKeys(signatures, nodes.length, band));
  for (let band = 0; band < numBands; band++) {
    for (const bucket of buckets(keys[band]!)) {
      for (let i = 0; i < bucket.length; i++) {
        for (let j = i + 1; j < bucket.length; j++) {
          const [a, b] = [bucket[i]!, bucket[j]!];
          const [one, other] = [nodes[a]!, nodes[b]!];
          if (isKnown(one, other) || metBefore(keys, band, a, b)) continue;
          if (estimate(signatures, a, b) < NEAR_THRESHOLD - ESTIMATE_MARGIN) continue;
          const jaccard = shingleJaccard(one.normal, other.normal);
          if (jaccard < NEAR_THRESHOLD) continue;
          for (const set of one.places.keys()) other.nearIn.add(set);
          for (const set of other.places.keys()) one.nearIn.add(set);
          pairs.push({ nodes: [one, other], jaccard });
        }
      }
    }
  }
  return pairs;
}

/** Whether a pair would tell nothing new of either. */
function isKnown(one: Node, other: Node): boolean {
  return covers(one, other) && covers(other, one);
}

function covers({ places, nearIn }: Node, other: Node): boolean {
  for (const set of other.places.keys()) if (!places.has(set) && !nearIn.has(set)) return false;
  return true;
}

function metBefore(keys: readonly Uint32Array[], band: number, a: number, b: number): boolean {
  for (let k = 0; k < band; k++) if (keys[k]![a] === keys[k]![b]) return true;
  return false;
}

/** [n] one number for the hashes of a band. Two bands of one number that differ cost a comparison and change nothing. */
function bandKeys(signatures: Uint32Array, n: number, band: number): Uint32Array {
  const keys = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    let key = 0;
    const from = i * NUM_HASHES + band * BAND_HASHES;
    for (let k = from; k < from + BAND_HASHES; k++) key = mix(key ^ signatures[k]!);
    keys[i] = key;
  }
  return keys;
}

/** Indices with equal keys, two or more, in order. */
function buckets(keys: Uint32Array): number[][] {
  // A key and its index in one float64: 32 bits and at most 2^21 texts.
  const sorted = Float64Array.from(keys, (key, i) => key * 2 ** 21 + i).sort();
  const found: number[][] = [];
  for (let from = 0; from < sorted.length; ) {
    const key = Math.floor(sorted[from]! / 2 ** 21);
    let to = from + 1;
    while (to < sorted.length && Math.floor(sorted[to]! / 2 ** 21) === key) to++;
    if (to - from > 1) found.push(Array.from(sorted.subarray(from, to), (value) => value % 2 ** 21));
    from = to;
  }
  return found;
}

/** Share of equal hashes: an unbiased estimate of the Jaccard of the shingles. */
function estimate(signatures: Uint32Array, a: number, b: number): number {
  let equal = 0;
  for (let k = 0; k < NUM_HASHES; k++) {
    if (signatures[a * NUM_HASHES + k] === signatures[b * NUM_HASHES + k]) equal++;
  }
  return equal / NUM_HASHES;
}

/** Shared shingles among all shingles of two normalised texts. */
export function shingleJaccard(a: string, b: string): number {
  const [x, y] = [shingles(a), shingles(b)];
  let shared = 0;
  for (const shingle of x) if (y.has(shingle)) shared++;
  return shared / (x.size + y.size - shared);
}

function shingles(normal: string): Set<string> {
  const words = normal.split(" ");
  const found = new Set<string>();
  for (let i = 0; i + SHINGLE_WORDS <= words.length; i++) found.add(words.slice(i, i + SHINGLE_WORDS).join(" "));
  return found;
}

/** [n, NUM_HASHES] the least of each hash over a text's shingles. The hashes are fixed: the same texts have the same signatures everywhere. */
function signaturesOf(nodes: readonly Node[]): Uint32Array {
  const rng = new Rng(1, "near-duplicates");
  const xors = Int32Array.from({ length: NUM_HASHES }, () => rng.uint32() | 0);
  const factors = Int32Array.from({ length: NUM_HASHES }, () => rng.uint32() | 1);
  const signatures = new Uint32Array(nodes.length * NUM_HASHES).fill(0xffffffff);
  const signature = new Uint32Array(NUM_HASHES);
  for (const [n, { normal }] of nodes.entries()) {
    signature.fill(0xffffffff);
    eachShingleHash(normal, (shingle) => {
      for (let k = 0; k < NUM_HASHES; k++) {
        const hash = Math.imul(shingle ^ xors[k]!, factors[k]!) >>> 0;
        if (hash < signature[k]!) signature[k] = hash;
      }
    });
    signatures.set(signature, n * NUM_HASHES);
  }
  return signatures;
}

/** Calls with a number for each run of SHINGLE_WORDS words. */
function eachShingleHash(normal: string, use: (hash: number) => void): void {
  let [first, second, word, words] = [0, 0, 0, 0];
  for (let i = 0; i <= normal.length; i++) {
    const code = i < normal.length ? normal.charCodeAt(i) : 32;
    if (code !== 32) {
      word = Math.imul(word ^ code, 0x01000193) + 0x9e3779b1;
      continue;
    }
    if (++words >= SHINGLE_WORDS) use(mix(mix(mix(first) ^ second) ^ word));
    [first, second, word] = [second, word, 0];
  }
}

/** murmur3's finaliser: every bit depends on every other. */
function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
