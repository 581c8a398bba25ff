/** @file Writes protobuf's wire format, without a schema library: the few kinds of fields that files of ours need. */

const utf8 = new TextEncoder();

/** A message's fields, in the order of their numbers. */
export function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

/** @source protobuf encoding: base 128, negative numbers as 64-bit two's complement */
function varint(value: number): number[] {
  const out: number[] = [];
  let small = value;
  // note: nearly every number is small, and BigInt arithmetic is many times slower
  while (small >= 128 && small < 0x80000000) {
    out.push((small & 127) | 128);
    small >>>= 7;
  }
  if (small >= 0 && small < 128) return [...out, small];
  let rest = BigInt.asUintN(64, BigInt(small));
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** int64, int32, enum, bool. */
export function intField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field << 3), ...varint(value)]);
}

/** float */
export function floatField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint((field << 3) | 5), ...new Uint8Array(Float32Array.of(value).buffer)]);
}

/** bytes, or an embedded message. */
export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

/** double */
export function doubleField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint((field << 3) | 1), ...new Uint8Array(Float64Array.of(value).buffer)]);
}

/** string */
export function stringField(field: number, text: string): Uint8Array {
  return bytesField(field, utf8.encode(text));
}
