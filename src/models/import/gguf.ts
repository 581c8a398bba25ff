/** @file A GGUF file as a model folder in Hugging Face's layout: its numbers as float32, what its blocks stand for. */

import { join } from "node:path";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import { openGguf } from "../../formats/gguf.ts";
import { writeSafetensors } from "../../formats/safetensors.ts";
import { decoderTensors } from "../config.ts";
import { ConfigReader } from "../config-reader.ts";
import { fromGguf, ggufName } from "../export/gguf-layout.ts";
import { readDecoderConfig } from "../families.ts";
import { configOfGguf } from "./gguf-config.ts";
import { tokenizerOfGguf } from "./gguf-tokenizer.ts";
import { GgufValues } from "./gguf-values.ts";

/**
 * Writes the folder; config.json last, by which it is known to be whole.
 * @throws {CheckpointError} a damaged file, or a model, tokenizer or element type that cannot be reproduced
 */
export function writeFolderOfGguf(path: string, folder: string): void {
  const file = openGguf(path);
  const values = new GgufValues(file, path);
  const json = configOfGguf(file, values);
  const { tokenizer, tokenizerConfig, generationConfig } = tokenizerOfGguf(values);
  const config = readDecoderConfig(new ConfigReader(json, path));
  makeFolder(folder);
  const put = (name: string, content: object) =>
    writeWhole(join(folder, name), `${JSON.stringify(content, null, 1)}\n`);
  put("tokenizer.json", tokenizer);
  put("tokenizer_config.json", tokenizerConfig);
  put("generation_config.json", generationConfig);
  writeSafetensors(
    join(folder, "model.safetensors"),
    decoderTensors(config).map(({ name, shape }) => ({
      ...{ name, shape, dtype: "F32" as const },
      data: () => fromGguf(config, name, file.readFloat32(ggufName(config, name))),
    })),
    { format: "pt" },
  );
  put("config.json", json);
}
