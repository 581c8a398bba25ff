/** @file A whole model as one GGUF file for llama.cpp and what is built on it. */

import { blockOf, type GgufFile, type GgufValue, type WrittenType, writeGguf } from "../../formats/gguf.ts";
import type { DecoderConfig } from "../config.ts";
import { architectureValues, fromGguf, ggufName, ggufTensors } from "./gguf-layout.ts";
import { ggufTokenizer, type TokenizerFacts } from "./gguf-tokenizer.ts";
import type { ExportSource } from "./source.ts";

/** llama.cpp's numbers of kinds of files. */
const FILE_TYPE: Record<WrittenType, number> = { f32: 0, f16: 1, q8_0: 7 };
const QUANTIZATION_VERSION = 2;

/** What a GGUF says beside its tensors. */
export interface GgufTexts {
  /** For people. */
  name: string;
  /** Content of tokenizer.json. */
  tokenizer: Readonly<Record<string, unknown>>;
  facts: TokenizerFacts;
}

/**
 * Writes the file.
 * @param type  of matrices; vectors stay f32, and matrices whose rows are no whole number of blocks are written as f16
 * @returns     what there is to say
 * @throws {CheckpointError} a family, feature or tokenizer that llama.cpp has not
 */
export function writeModelGguf(source: ExportSource, texts: GgufTexts, type: WrittenType, path: string): string[] {
  const { values: tokenizer, stripsBehindSpecial, notes } = ggufTokenizer(texts.tokenizer, texts.facts);
  const values = new Map<string, GgufValue>([
    ...architectureValues(source),
    ["general.type", { type: "string", value: "model" }],
    ["general.name", { type: "string", value: nameFor(texts.name, stripsBehindSpecial) }],
    ["general.file_type", { type: "uint32", value: FILE_TYPE[type] }],
    ["general.quantization_version", { type: "uint32", value: QUANTIZATION_VERSION }],
    ...tokenizer,
  ]);
  const tensors = ggufTensors(source).map(({ name, shape, isVector, data }) => {
    const isWhole = shape.at(-1)! % blockOf(type) === 0;
    return { name, shape, data, type: isVector ? ("f32" as const) : isWhole ? type : ("f16" as const) };
  });
  const uneven = tensors.filter((tensor, i) => tensor.type !== type && tensors[i]!.shape.length > 1);
  writeGguf(path, values, tensors);
  return uneven.length === 0
    ? notes
    : [
        ...notes,
        `${uneven.length} matrices are f16: their rows are no multiple of ${blockOf(type)}, which ${type} needs.`,
      ];
}

/** llama.cpp takes white space behind special tokens away where the model's name says Phi-3, and only there. */
function nameFor(name: string, stripsBehindSpecial: boolean): string {
  const saysPhi3 = /phi-?3/i.test(name);
  if (stripsBehindSpecial && !saysPhi3) return `${name} (phi-3)`;
  return saysPhi3 && !stripsBehindSpecial ? name.replaceAll(/phi-?3/gi, "phi 3") : name;
}

/** A tensor of the model, by its name in Hugging Face's layout, out of a file that {@link writeModelGguf} wrote. */
export function readModelTensor(file: GgufFile, config: DecoderConfig, name: string): Float32Array {
  return fromGguf(config, name, file.readFloat32(ggufName(config, name)));
}
