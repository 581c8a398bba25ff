import { expect, test } from "vitest";
import { encodeOnnx } from "./onnx.ts";

/** Reads protobuf fields back: field number, wire type and payload. Written from the format's description, not from the encoder. */
function readFields(bytes: Uint8Array): { field: number; value: bigint | Uint8Array }[] {
  const fields: { field: number; value: bigint | Uint8Array }[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const field = Number(key >> 3n);
    if ((key & 7n) === 0n) fields.push({ field, value: varint() });
    else {
      const length = (key & 7n) === 5n ? 4 : Number(varint());
      fields.push({ field, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}

const submessage = (bytes: Uint8Array, field: number) =>
  readFields(bytes).find((entry) => entry.field === field)!.value as Uint8Array;

test.each([0, 1, 127, 128, 300, 49_152, 2 ** 31 - 1, 2 ** 31, 2 ** 40 + 5, -1, -130])(
  "an attribute of %d is written as protobuf has it",
  (value) => {
    const node = { name: "n", opType: "Neg", domain: "", inputs: ["x"], outputs: ["y"], attributes: { axis: value } };
    const bytes = encodeOnnx({
      name: "g",
      opsets: { "": 18 },
      nodes: [node],
      initializers: [],
      inputs: [],
      outputs: [],
      values: [],
    });
    const attribute = submessage(submessage(submessage(bytes, 7), 1), 5);
    const written = readFields(attribute).find(({ field }) => field === 3)!.value as bigint;
    expect(BigInt.asIntN(64, written)).toBe(BigInt(value));
  },
);
