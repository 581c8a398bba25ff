/**
 * @file Element types of GGUF tensors: how many numbers stand in a block of how many bytes, and what they are.
 * All arithmetic is in float32, product by product, as the gguf package has it: the same bits.
 * @source block layouts: ggml/src/ggml-common.h; golden test/golden/formats/gguf (the gguf package)
 */

import { bfloat16ToFloat32, float16ToFloat32 } from "./half.ts";

interface BlockType {
  /** Its number in a file. */
  id: number;
  /** Numbers of a block. */
  block: number;
  /** Bytes of a block. */
  bytes: number;
  /** The numbers of whole blocks, which fill `numbers`. */
  decode(bytes: ArrayBuffer, numbers: Float32Array): void;
}

/** Writes the numbers of the block that begins at `at` to `out` from `to` on. */
type DecodeBlock = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

function blocks(block: number, bytes: number, decode: DecodeBlock): Omit<BlockType, "id"> {
  return {
    ...{ block, bytes },
    decode(buffer, numbers) {
      const all = new Uint8Array(buffer);
      for (let at = 0, to = 0; to < numbers.length; at += bytes, to += block) decode(all, at, numbers, to);
    },
  };
}

function plain(bytes: number, decode: BlockType["decode"]): Omit<BlockType, "id"> {
  return { block: 1, bytes, decode };
}

const { fround } = Math;

/** Numbers in a block of the K types, and the scales of its parts. */
const SUPER = 256;

/** Levels of iq4_nl: what each of the 16 codes stands for, before the scale. */
const IQ4_LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** The float16 whose two bytes begin at `at`. */
function half(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8);
  const [exponent, fraction] = [(word >> 10) & 31, word & 1023];
  const size =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return word & 0x8000 ? -size : size;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Types of 32 numbers with 4 bits each in 16 bytes, a fifth in 4 bytes before them or none: low halves of the bytes first, then high ones. */
function nibbles(head: number, hasFifth: boolean, value: (code: number, scale: number, least: number) => number) {
  const bytes = 2 * head + (hasFifth ? 4 : 0) + 16;
  return blocks(32, bytes, (from, at, out, to) => {
    const scale = half(from, at);
    const least = head === 2 ? half(from, at + 2) : 0;
    const fifths = at + 2 * head;
    const codes = at + bytes - 16;
    for (let i = 0; i < 32; i++) {
      const byte = from[codes + (i & 15)]!;
      const fifth = hasFifth ? ((from[fifths + (i >> 3)]! >> (i & 7)) & 1) << 4 : 0;
      out[to + i] = value((i < 16 ? byte & 15 : byte >> 4) | fifth, scale, least);
    }
  });
}

/** Scale and least value of part `j` of 8, 6 bits each in 12 bytes: q4_k and q5_k. */
function scaleAndLeast(bytes: Uint8Array, at: number, j: number): [number, number] {
  const low = (k: number) => bytes[at + k]!;
  if (j < 4) return [low(j) & 63, low(j + 4) & 63];
  return [(low(j + 4) & 15) | ((low(j - 4) >> 6) << 4), (low(j + 4) >> 4) | ((low(j) >> 6) << 4)];
}

/** q4_k and q5_k: 8 parts of 32 numbers, each with a scale and a least value. */
function eightParts(hasFifth: boolean) {
  const fifthBytes = hasFifth ? 32 : 0;
  return blocks(SUPER, 16 + fifthBytes + 128, (bytes, at, out, to) => {
    const [scale, least] = [half(bytes, at), half(bytes, at + 2)];
    const codes = at + 16 + fifthBytes;
    for (let j = 0; j < 8; j++) {
      const [ofScale, ofLeast] = scaleAndLeast(bytes, at + 4, j);
      const [d, m] = [fround(scale * ofScale), fround(least * ofLeast)];
      for (let i = 0; i < 32; i++) {
        const byte = bytes[codes + 32 * (j >> 1) + i]!;
        const fifth = hasFifth ? ((bytes[at + 16 + i]! >> j) & 1) << 4 : 0;
        out[to + 32 * j + i] = fround(d * ((j % 2 === 0 ? byte & 15 : byte >> 4) | fifth)) - m;
      }
    }
  });
}

/** The types that converters write for the models that can be opened. */
export const BLOCK_TYPES = {
  f32: { id: 0, ...plain(4, (bytes, numbers) => numbers.set(new Float32Array(bytes))) },
  f16: { id: 1, ...plain(2, (bytes, numbers) => float16ToFloat32(new Uint16Array(bytes), numbers)) },
  bf16: { id: 30, ...plain(2, (bytes, numbers) => bfloat16ToFloat32(new Uint16Array(bytes), numbers)) },
  q4_0: { id: 2, ...nibbles(1, false, (code, scale) => scale * (code - 8)) },
  q4_1: { id: 3, ...nibbles(2, false, (code, scale, least) => fround(scale * code) + least) },
  q5_0: { id: 6, ...nibbles(1, true, (code, scale) => scale * (code - 16)) },
  q5_1: { id: 7, ...nibbles(2, true, (code, scale, least) => fround(scale * code) + least) },
  q8_0: {
    id: 8,
    ...blocks(32, 34, (bytes, at, out, to) => {
      const scale = half(bytes, at);
      for (let i = 0; i < 32; i++) out[to + i] = scale * signed(bytes[at + 2 + i]!);
    }),
  },
  q2_k: {
    id: 10,
    ...blocks(SUPER, 84, (bytes, at, out, to) => {
      const [scale, least] = [half(bytes, at + 80), half(bytes, at + 82)];
      for (let part = 0; part < 16; part++) {
        const packed = bytes[at + part]!;
        const [d, m] = [fround(scale * (packed & 15)), fround(least * (packed >> 4))];
        const codes = at + 16 + 32 * (part >> 3) + 16 * (part & 1);
        const shift = 2 * ((part >> 1) & 3);
        for (let i = 0; i < 16; i++) out[to + 16 * part + i] = fround(d * ((bytes[codes + i]! >> shift) & 3)) - m;
      }
    }),
  },
  q3_k: {
    id: 11,
    ...blocks(SUPER, 110, (bytes, at, out, to) => {
      const scale = half(bytes, at + 108);
      for (let part = 0; part < 16; part++) {
        const low = bytes[at + 96 + (part & 7)]!;
        const high = (bytes[at + 104 + (part & 3)]! >> (2 * (part >> 2))) & 3;
        const d = fround(scale * (((part < 8 ? low & 15 : low >> 4) | (high << 4)) - 32));
        const within = 16 * (part & 1);
        const codes = at + 32 + 32 * (part >> 3) + within;
        const shift = 2 * ((part >> 1) & 3);
        for (let i = 0; i < 16; i++) {
          const third = (bytes[at + within + i]! >> (part >> 1)) & 1;
          out[to + 16 * part + i] = d * (((bytes[codes + i]! >> shift) & 3) - 4 * (1 - third));
        }
      }
    }),
  },
  q4_k: { id: 12, ...eightParts(false) },
  q5_k: { id: 13, ...eightParts(true) },
  q6_k: {
    id: 14,
    ...blocks(SUPER, 210, (bytes, at, out, to) => {
      const scale = half(bytes, at + 208);
      for (let part = 0; part < 8; part++) {
        const [side, quarter] = [part >> 2, part & 3];
        for (let i = 0; i < 32; i++) {
          const low = bytes[at + 64 * side + 32 * (quarter & 1) + i]!;
          const high = (bytes[at + 128 + 32 * side + i]! >> (2 * quarter)) & 3;
          const d = fround(scale * signed(bytes[at + 192 + 2 * part + (i >> 4)]!));
          out[to + 32 * part + i] = d * (((quarter < 2 ? low & 15 : low >> 4) | (high << 4)) - 32);
        }
      }
    }),
  },
  iq4_nl: { id: 20, ...nibbles(1, false, (code, scale) => scale * IQ4_LEVELS[code]!) },
} as const satisfies Record<string, BlockType>;

export type GgufType = keyof typeof BLOCK_TYPES;
