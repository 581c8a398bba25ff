/** @file Half-width floats: fp16 and bf16 to and from float32, on typed arrays, by bits. */

let halfTable: Uint32Array | undefined;

/** float32 bits of every fp16 value, built at first use (256 KiB). */
function tableOfHalves(): Uint32Array {
  if (halfTable !== undefined) return halfTable;
  halfTable = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    let bits: number;
    if (exponent === 31) bits = 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits = ((exponent + 112) << 23) | (fraction << 13);
    else bits = fraction === 0 ? 0 : subnormalBits(fraction);
    halfTable[half] = (sign | bits) >>> 0;
  }
  return halfTable;
}

/** fraction * 2^-24 as float32 bits, fraction in [1, 1023]. */
function subnormalBits(fraction: number): number {
  const shift = Math.clz32(fraction) - 21;
  return ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

/** fp16 to float32, exact; `target` is as long as `source`. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const table = tableOfHalves();
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = table[source[i]!]!;
}

/** bf16 to float32, exact. */
export function bfloat16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

/**
 * float32 to bf16, rounded to the nearest, ties to even.
 * @returns how many finite values became infinite
 */
export function float32ToBfloat16(source: Float32Array, target: Uint16Array): number {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  let overflows = 0;
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      target[i] = (x >>> 16) | 0x40; // a NaN stays one, though its payload is cut
      continue;
    }
    const half = (magnitude + 0x7fff + ((magnitude >>> 16) & 1)) >>> 16;
    if (half === 0x7f80 && magnitude < 0x7f800000) overflows++;
    target[i] = ((x >>> 16) & 0x8000) | half;
  }
  return overflows;
}

/**
 * float32 to fp16, rounded to the nearest, ties to even.
 * @returns how many finite values became infinite
 */
export function float32ToFloat16(source: Float32Array, target: Uint16Array): number {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const scratch = new Float32Array(1);
  const scratchBits = new Uint32Array(scratch.buffer);
  let overflows = 0;
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const magnitude = x & 0x7fffffff;
    let half: number;
    if (magnitude >= 0x47800000) {
      half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    } else if (magnitude >= 0x38800000) {
      const rebiased = magnitude - 0x38000000;
      half = (rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13;
    } else {
      // The last bit of a float32 in [0.5, 1) is worth 2^-24, as that of a subnormal half: adding 0.5 rounds there.
      scratchBits[0] = magnitude;
      scratch[0] = scratch[0]! + 0.5;
      half = scratchBits[0]! - 0x3f000000;
    }
    if (half === 0x7c00 && magnitude < 0x7f800000) overflows++;
    target[i] = ((x >>> 16) & 0x8000) | half;
  }
  return overflows;
}
