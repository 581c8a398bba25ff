import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { type GgufTensor, type GgufValue, openGguf, type WrittenType, writeGguf } from "./gguf.ts";
import { BLOCK_TYPES, type GgufType } from "./gguf-blocks.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/formats/gguf");
const WRITTEN = join(GOLDEN, "written.gguf");
interface Expected {
  tensors: Record<string, { type: WrittenType; shape: number[]; given: number[]; read: number[] }>;
}
const { tensors } = JSON.parse(readFileSync(join(GOLDEN, "expected.json"), "utf8")) as Expected;
const blocks = JSON.parse(readFileSync(join(GOLDEN, "blocks.json"), "utf8")) as Record<
  string,
  { block: number; bytes: string; read: string }
>;
const floats = (bits: readonly number[]) => new Float32Array(Uint32Array.from(bits).buffer);
const bitsOf = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];

const folder = mkdtempSync(join(tmpdir(), "mixtune-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));
let numPaths = 0;
const newPath = () => join(folder, `${numPaths++}.gguf`);

const VALUES = new Map<string, GgufValue>([
  ["general.architecture", { type: "string", value: "llama" }],
  ["general.name", { type: "string", value: "made up ▁Ġ" }],
  ["llama.block_count", { type: "uint32", value: 3 }],
  ["a.negative", { type: "int32", value: -5 }],
  ["llama.rope.freq_base", { type: "float32", value: 10000.5 }],
  ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
  ["a.large", { type: "uint64", value: 2 ** 40 }],
  ["tokenizer.ggml.tokens", { of: "string", values: ["<s>", "", "é", "a b"] }],
  ["tokenizer.ggml.token_type", { of: "int32", values: [3, 1, 1, 4] }],
  ["tokenizer.ggml.scores", { of: "float32", values: [0, -1.5, -2, -1e6] }],
]);

describe("the gguf package's own file", () => {
  const file = openGguf(WRITTEN);

  test("is read with every value and tensor, blocks as the package dequantises them", () => {
    expect([...file.values]).toEqual([...VALUES]);
    for (const [name, { type, shape, read }] of Object.entries(tensors)) {
      expect(file.tensors.get(name)).toMatchObject({ type, shape });
      expect(bitsOf(file.readFloat32(name))).toEqual(read);
    }
  });

  test.each(Object.entries(blocks))("stands for the package's numbers, bit by bit: %s", (name, { bytes, read }) => {
    const type = BLOCK_TYPES[name.toLowerCase() as GgufType];
    const packed = Buffer.from(bytes, "hex");
    const numbers = new Float32Array((packed.length / type.bytes) * type.block);
    type.decode(new Uint8Array(packed).buffer, numbers);
    expect(Buffer.from(numbers.buffer).toString("hex")).toBe(read);
  });

  test("is written byte for byte from the same values and numbers, q8_0 quantised here", () => {
    const path = newPath();
    const given = Object.entries(tensors).map(
      ([name, { type, shape, given: bits }]): GgufTensor => ({ name, type, shape, data: () => floats(bits) }),
    );
    writeGguf(path, VALUES, given);
    expect(readFileSync(path).equals(readFileSync(WRITTEN))).toBe(true);
  });
});

test("what is written is read again, whatever the numbers", () => {
  const tensor = fc.record({
    name: fc.string({ minLength: 1 }),
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    type: fc.constantFrom<WrittenType>("f32", "f16", "q8_0"),
    scale: fc.float({ min: Math.fround(1e-3), max: 100, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 }), (list) => {
      const path = newPath();
      const made = list.map(({ name, shape: [first = 1, ...rest], type, scale }) => {
        const shape = [...rest, type === "q8_0" ? 32 * first : first];
        const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(i));
        return { name, type, shape, values, data: () => values };
      });
      writeGguf(path, new Map(), made);
      const file = openGguf(path);
      expect([...file.tensors.keys()]).toEqual(made.map(({ name }) => name));
      for (const { name, type, values } of made) {
        const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        // a small scale is a subnormal half
        const bound = { f32: 0, f16: most * 2 ** -11, q8_0: most * (0.5 / 127 + 2 ** -10) }[type];
        file
          .readFloat32(name)
          .forEach((value, i) => expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(bound + 5e-6));
      }
    }),
    { numRuns: 50 },
  );
});

describe("a file that is not whole is refused", () => {
  const bytes = readFileSync(WRITTEN);

  test("wherever it is cut", () => {
    const path = newPath();
    for (let length = 0; length < bytes.length - 32; length += 13) {
      writeFileSync(path, bytes);
      truncateSync(path, length);
      expect(() => openGguf(path)).toThrow(CheckpointError);
    }
  });

  test("or read as something, whichever byte of its header changes; never anything but a complaint", () => {
    const path = newPath();
    fc.assert(
      fc.property(fc.nat({ max: 900 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ change;
        writeFileSync(path, damaged);
        try {
          const file = openGguf(path);
          for (const name of file.tensors.keys()) file.readFloat32(name);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, (header: Buffer) => void, RegExp]>([
    ["another format", (header) => header.write("GGML"), /a GGUF file, got one that begins with "GGML"/],
    ["another version", (header) => header.writeUInt32LE(4, 4), /GGUF version 2 or 3, got version 4/],
    ["more tensors than bytes", (header) => header.writeBigUInt64LE(2n ** 50n, 8), /at most \d+ entries/],
    ["numbers beyond 2^53", (header) => header.writeBigUInt64LE(2n ** 63n, 16), /below 2\^53/],
  ])("%s", (_, change, message) => {
    const path = newPath();
    const damaged = Buffer.from(bytes);
    change(damaged);
    writeFileSync(path, damaged);
    expect(() => openGguf(path)).toThrow(message);
  });
});

test("numbers that fp16 cannot hold are refused, and rows that are no whole blocks", () => {
  const one = (type: WrittenType, values: number[]): GgufTensor[] => [
    { name: "w", type, shape: [values.length], data: () => Float32Array.from(values) },
  ];
  expect(() => writeGguf(newPath(), new Map(), one("f16", [70_000]))).toThrow(/range of fp16/);
  expect(() => writeGguf(newPath(), new Map(), one("q8_0", new Array(32).fill(1e8)))).toThrow(/range of fp16/);
  expect(() => writeGguf(newPath(), new Map(), one("q8_0", [1, 2, 3]))).toThrow(/multiple of 32 numbers/);
});
