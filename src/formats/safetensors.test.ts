import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { sha256OfFile } from "./files.ts";
import { float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./half.ts";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "./safetensors.ts";

const GOLDEN = new URL("../../test/golden/formats/safetensors/", import.meta.url).pathname;
const golden = JSON.parse(readFileSync(join(GOLDEN, "expected.json"), "utf8")) as {
  tensors: Record<string, { shape: number[]; float32_bits: number[] }>;
  /** Of the numbers of to_half. */
  to_bfloat16: number[];
  to_half: { float32_bits: number[]; half_bits: number[] };
};

const newPath = (): string => join(mkdtempSync(join(tmpdir(), "mixtune-st-")), "a.safetensors");
const bitsOf = (data: Float32Array): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

describe("reading a file of the format's own writer", () => {
  const file = openSafetensors(join(GOLDEN, "mixed.safetensors"));

  test.each(Object.keys(golden.tensors))("gives the bits of %s", (name) => {
    const { shape, float32_bits } = golden.tensors[name]!;
    expect(file.tensors.get(name)?.shape).toEqual(shape);
    expect(bitsOf(file.readFloat32(name))).toEqual(float32_bits);
  });

  test("knows metadata, all names, and where the bytes lie", () => {
    expect(file.metadata).toEqual({ format: "pt" });
    expect([...file.tensors.keys()].sort()).toEqual([...Object.keys(golden.tensors), "e.i64"].sort());
    const { byteOffset, byteLength } = file.tensors.get("b.f32")!;
    const bytes = readFileSync(file.path).subarray(byteOffset, byteOffset + byteLength);
    expect([...new Uint32Array(new Uint8Array(bytes).buffer)]).toEqual(golden.tensors["b.f32"]!.float32_bits);
  });

  test("refuses whole numbers as float32, a name that is not there, and an array of another size", () => {
    expect(() => file.readFloat32("e.i64")).toThrow(/expected tensor e\.i64 as F64, F32, F16 or BF16, got I64/);
    expect(() => file.readFloat32("nope")).toThrow(/expected a tensor named nope/);
    expect(() => file.readInto("b.f32", new Float32Array(3))).toThrow(/to have 3 elements, got shape \[7,5\]/);
  });
});

describe("float32 to fp16", () => {
  test("rounds as torch does, to the nearest and ties to even, at every exponent", () => {
    const source = new Float32Array(new Uint32Array(golden.to_half.float32_bits).buffer);
    const target = new Uint16Array(source.length);
    float32ToFloat16(source, target);
    expect([...target]).toEqual(golden.to_half.half_bits);
  });

  test("undoes fp16 to float32 for every half that is a number", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((half) => (half & 0x7fff) <= 0x7c00);
    const wide = new Float32Array(halves.length);
    float16ToFloat32(halves, wide);
    const back = new Uint16Array(halves.length);
    expect(float32ToFloat16(wide, back)).toBe(0);
    expect(back).toEqual(halves);
  });

  test("counts finite values that became infinite", () => {
    expect(
      float32ToFloat16(
        new Float32Array([65519, 65520, -1e9, Number.POSITIVE_INFINITY, Number.NaN]),
        new Uint16Array(5),
      ),
    ).toBe(2);
  });
});

test("float32 to bf16 rounds as torch does, and counts what became infinite", () => {
  const source = new Float32Array(new Uint32Array(golden.to_half.float32_bits).buffer);
  const target = new Uint16Array(source.length);
  float32ToBfloat16(source, target);
  expect([...target]).toEqual(golden.to_bfloat16);
  const large = new Float32Array([3.4e38, 3.39e38, Number.NaN, Number.NEGATIVE_INFINITY]);
  expect(float32ToBfloat16(large, new Uint16Array(4))).toBe(1);
});

describe("writing", () => {
  test("gives the very bytes of the format's own writer", () => {
    const mixed = golden.tensors["c.f16"]!.float32_bits.slice(0, 9);
    const path = newPath();
    writeSafetensors(
      path,
      [
        { name: "h", dtype: "F16", shape: [9], data: new Float32Array(new Uint32Array(mixed).buffer) },
        {
          name: "w",
          dtype: "F32",
          shape: [7, 5],
          data: new Float32Array(new Uint32Array(golden.tensors["b.f32"]!.float32_bits).buffer),
        },
      ],
      { format: "pt" },
    );
    expect(readFileSync(path).equals(readFileSync(join(GOLDEN, "written.safetensors")))).toBe(true);
  });

  const tensor = fc
    .record({
      name: fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
      seed: fc.float({ noNaN: true }),
    })
    .map(({ name, shape, seed }): TensorToWrite & { data: Float32Array } => {
      const length = shape.reduce((a, b) => a * b, 1);
      return { name, dtype: "F32", shape, data: Float32Array.from({ length }, (_, i) => seed * (i + 1)) };
    });

  test("of numbers and reading gives the same numbers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double()),
        fc.array(fc.maxSafeInteger()),
        fc.array(fc.integer()),
        fc.array(fc.float()),
        (f64, i64, i32, f32) => {
          const path = newPath();
          writeSafetensors(path, [
            { name: "f64", dtype: "F64", shape: [f64.length], data: Float64Array.from(f64) },
            { name: "i64", dtype: "I64", shape: [i64.length], data: BigInt64Array.from(i64, BigInt) },
            { name: "i32", dtype: "I32", shape: [1, i32.length], data: Int32Array.from(i32) },
            { name: "f32", dtype: "F32", shape: [f32.length], data: Float32Array.from(f32) },
          ]);
          const file = openSafetensors(path);
          const read = ["f64", "i64", "i32", "f32"].map((name) => [...file.readNumbers(name)]);
          expect(read).toEqual([f64, i64.map((value) => value + 0), i32, f32]);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("of whole numbers beyond 2^53 is not read as other numbers", () => {
    const path = newPath();
    writeSafetensors(path, [{ name: "n", dtype: "I64", shape: [1], data: BigInt64Array.of(2n ** 53n + 1n) }]);
    expect(() => openSafetensors(path).readNumbers("n")).toThrow(/2\^53/);
  });

  test("and reading gives the same tensors, and the bytes do not depend on the order given", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(tensor, { selector: ({ name }) => name }),
        fc.dictionary(fc.string(), fc.string()),
        (tensors, metadata) => {
          const path = newPath();
          const digest = writeSafetensors(path, tensors, metadata);
          expect(digest).toBe(sha256OfFile(path));
          const file = openSafetensors(path);
          expect(file.metadata).toEqual({ ...metadata });
          for (const { name, shape, data } of tensors) {
            expect(file.tensors.get(name)?.shape).toEqual(shape);
            expect(bitsOf(file.readFloat32(name))).toEqual(bitsOf(data as Float32Array));
          }
          const entries = [...file.tensors.values()];
          if (entries[0] !== undefined) expect(entries[0].byteOffset % 8).toBe(0);
          expect(writeSafetensors(path, tensors.toReversed(), metadata)).toBe(digest);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("goes on over piece borders", () => {
    const data = Float32Array.from({ length: (1 << 20) * 2 + 3 }, (_, i) => (i % 2048) - 1000);
    const path = newPath();
    writeSafetensors(path, [
      { name: "half", dtype: "F16", shape: [data.length], data },
      { name: "full", dtype: "F32", shape: [data.length], data },
    ]);
    const file = openSafetensors(path);
    expect(Buffer.from(file.readFloat32("half").buffer).equals(Buffer.from(data.buffer))).toBe(true);
    expect(Buffer.from(file.readFloat32("full").buffer).equals(Buffer.from(data.buffer))).toBe(true);
  });

  test("refuses a name twice, a wrong shape and a value that fp16 cannot hold, and leaves nothing behind", () => {
    const path = newPath();
    const one = { name: "a", dtype: "F16", shape: [1], data: new Float32Array([70000]) } as const;
    expect(() => writeSafetensors(path, [one, one])).toThrow(/distinct names/);
    expect(() => writeSafetensors(path, [{ ...one, shape: [2] }])).toThrow(/to have 1 elements/);
    expect(() => writeSafetensors(path, [one])).toThrow(/range of fp16/);
    const late = { ...one, dtype: "F32", data: () => new Float32Array(2) } as const;
    expect(() => writeSafetensors(path, [late])).toThrow(/to have 2 elements/);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });
});

describe("a hostile or damaged file is refused", () => {
  const fileOf = (header: string, numDataBytes: number, headerLength = Buffer.byteLength(header)): string => {
    const path = newPath();
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(headerLength));
    writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.alloc(numDataBytes)]));
    return path;
  };
  const f32 = (shape: unknown, offsets: unknown): string =>
    JSON.stringify({ dtype: "F32", shape, data_offsets: offsets });

  test("the same writer's file without damage is read", () => {
    expect([...openSafetensors(fileOf(`{"a":${f32([2], [0, 8])}}`, 8)).readFloat32("a")]).toEqual([0, 0]);
  });

  test.each<[string, string, number, RegExp]>([
    ["no JSON", "{nope", 0, /expected a JSON header/],
    ["a list as header", "[]", 0, /expected a JSON object/],
    ["a name twice", `{"a":${f32([1], [0, 4])},"a":${f32([1], [4, 8])}}`, 8, /"a" twice/],
    ["a name twice, once escaped", `{"a":${f32([1], [0, 4])},"\\u0061":${f32([1], [4, 8])}}`, 8, /"a" twice/],
    ["a field twice", `{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 2, /"dtype" twice/],
    ["overlap", `{"a":${f32([2], [0, 8])},"b":${f32([2], [4, 12])}}`, 12, /tensor b to begin at byte/],
    ["a hole", `{"a":${f32([1], [4, 8])}}`, 8, /tensor a to begin/],
    ["bytes outside the file", `{"a":${f32([4], [0, 16])}}`, 8, /bytes, as the header says/],
    ["bytes left over", `{"a":${f32([1], [0, 4])}}`, 8, /bytes, as the header says/],
    ["a shape that is not its bytes", `{"a":${f32([3], [0, 8])}}`, 8, /to take 12 bytes/],
    ["a shape beyond counting", `{"a":${f32([2 ** 40, 2 ** 40], [0, 8])}}`, 8, /to take/],
    ["a negative size", `{"a":${f32([-2], [0, 8])}}`, 8, /shape of whole numbers/],
    ["falling offsets", `{"a":${f32([0], [8, 0])}}`, 8, /two rising data_offsets/],
    ["an unknown type", `{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}`, 4, /one of the types/],
    ["metadata that is no text", `{"__metadata__":{"a":1}}`, 0, /map names to text/],
    ["a tensor that is no object", `{"a":3}`, 0, /to be an object/],
  ])("%s", (_, header, numDataBytes, message) => {
    const path = fileOf(header, numDataBytes);
    expect(() => openSafetensors(path)).toThrow(message);
    expect(() => openSafetensors(path)).toThrow(CheckpointError);
  });

  test("a header length beyond the file", () => {
    expect(() => openSafetensors(fileOf("{}", 0, 2 ** 52))).toThrow(/a header of at most 2 bytes/);
  });

  test("a file cut at any byte, or not there", () => {
    const whole = readFileSync(join(GOLDEN, "written.safetensors"));
    for (let cut = 0; cut < whole.length; cut++) {
      const path = newPath();
      writeFileSync(path, whole.subarray(0, cut));
      expect(() => openSafetensors(path)).toThrow(CheckpointError);
    }
    expect(() => openSafetensors("/nowhere/model.safetensors")).toThrow(/no readable file/);
  });

  test("a file that became shorter after it was opened", () => {
    const path = fileOf(`{"a":${f32([2], [0, 8])}}`, 8);
    const file = openSafetensors(path);
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    expect(() => file.readFloat32("a")).toThrow(/expected 8 bytes of tensor a, got 4/);
  });
});
