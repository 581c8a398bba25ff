/** @file The formats of mixtune export: which options each has, what it writes, and how that is opened anew to be checked. */

import { join } from "node:path";
import { endIdsOf, openTemplate, plainJinja, templateSource } from "../../data/tokens/chat-template.ts";
import { openTokenizer, readJson } from "../../data/tokens/tokenizers.ts";
import { asked } from "../../data/tokens/turns.ts";
import { writeWhole } from "../../formats/files.ts";
import type { WrittenType } from "../../formats/gguf.ts";
import type { WeightDtype } from "../../formats/safetensors.ts";
import { type TextSide, writeGenerationConfig, writeTextSide } from "../../models/export/beside.ts";
import { type GgufTexts, writeModelGguf } from "../../models/export/gguf.ts";
import { ggufContext } from "../../models/export/gguf-layout.ts";
import { writeHf } from "../../models/export/hf.ts";
import { modelfile, templatePieces } from "../../models/export/ollama.ts";
import { writeOnnx } from "../../models/export/onnx.ts";
import { writePeft } from "../../models/export/peft.ts";
import type { ExportSource } from "../../models/export/source.ts";
import type { NetworkOptions, Tuning } from "../../models/network.ts";
import type { ParameterLayout } from "../../models/parameters.ts";
import { openModelFolder } from "../../models/weights.ts";
import { readWeights } from "../../train/checkpoint.ts";
import type { OpenedModel } from "../models/model-files.ts";
import { baseKind } from "./base-kind.ts";
import { engineSide, folderSide, ggufSide, type OpenSide, onnxSide } from "./sides.ts";

/** How a model is written, with defaults filled in. */
export interface ExportChoices {
  dtype: WeightDtype;
  shardBytes: number;
  quantize: WrittenType;
  /** Longest sequence, in tokens. */
  contextLen: number;
}

/** A model that is written. */
export interface Writing extends ExportChoices {
  folder: string;
  /** For people. */
  name: string;
  opened: OpenedModel;
  source: ExportSource;
  /** Values of what the model's tuning trains, and where they lie. */
  parameters: Float32Array;
  layout: ParameterLayout;
}

/** A model that was written, to be opened anew. */
export interface Opening {
  folder: string;
  /** A folder for float32 copies. */
  scratch: string;
  opened: OpenedModel;
  network: NetworkOptions;
}

export interface ExportFormat {
  /** Choices that make a difference to it, by their names in export.json. */
  choices: Readonly<Record<string, keyof ExportChoices>>;
  /** Returns what there is to say. */
  write(writing: Writing): string[];
  /** What the check runs, for people. */
  checked: string;
  open(opening: Opening): Promise<OpenSide>;
}

const GGUF_FILE = "model.gguf";
const GGUF_CHECK =
  "the weights read back from the GGUF, dequantised and computed by mixtune's own engine with the model's own tokenizer. " +
  "llama.cpp itself was not run, nor the file's tokenizer.";

/** What to do about an adapter whose base model has no name that others know. */
const BASE_ELSEWHERE =
  "base_model_name_or_path in adapter_config.json is no name of huggingface.co. On another machine, put the place of the base model's folder there.";

export const EXPORT_FORMATS = {
  peft: {
    choices: {},
    write: ({ folder, opened, layout, parameters }) => {
      const [name = "", ...revision] = opened.spec!.model.name.split("@");
      const base = revision.length === 0 ? { name } : { name, revision: revision.join("@") };
      writePeft({ lora: adapterOf(opened).lora, layout, parameters, base }, folder);
      const text = textSide(opened);
      writeTextSide(text, folder);
      return [...templateNotes(text), ...(baseKind(name) === "hub" ? [] : [BASE_ELSEWHERE])];
    },
    checked:
      "adapter_model.safetensors and adapter_config.json read back and put on the base model, in mixtune's own engine",
    open: ({ folder, opened, network }) => {
      const { r, lora_alpha, target_modules, use_dora } = readJson(folder, "adapter_config.json") as {
        r: number;
        lora_alpha: number;
        target_modules: string[];
        use_dora: boolean;
      };
      const lora = { lora_rank: r, lora_alpha, lora_target: target_modules, use_dora };
      const read = (layout: ParameterLayout) => {
        const values = new Float32Array(layout.size);
        readWeights(folder, { method: "lora" }, layout, values);
        return values;
      };
      return engineSide(opened.model.config, { ...adapterOf(opened), lora }, read, opened, network);
    },
  },
  hf: {
    choices: { dtype: "dtype", shard_bytes: "shardBytes" },
    write: ({ folder, opened, source, dtype, shardBytes }) => {
      writeHf(source, { dtype, shardBytes }, folder);
      return writeTexts(opened, folder);
    },
    checked: "the exported folder opened again, weights, tokenizer and template, in mixtune's own engine",
    open: ({ folder, scratch, network }) => {
      const tokenizer = openTokenizer(folder);
      const texts = { tokenizer, template: openTemplate(folder, tokenizer) };
      return folderSide(openModelFolder(folder), texts, scratch, network);
    },
  },
  gguf: { choices: { quantize: "quantize" }, write: writeGgufFile, checked: GGUF_CHECK, open: openGgufFile },
  ollama: {
    choices: { quantize: "quantize", context: "contextLen" },
    write: (writing) => {
      const { folder, opened, contextLen } = writing;
      const { template, tokenizer } = opened;
      const lead = tokenizer.leadIds.length === 0 ? "" : (tokenizer.spellings.bos_token ?? "");
      const pieces = templatePieces((turns) => {
        const text = template.render(turns);
        return text.startsWith(lead) ? text.slice(lead.length) : text;
      });
      const notes = writeGgufFile(writing);
      const stops = textSide(opened).endIds.map((id) => tokenizer.decode([id]));
      writeWhole(join(folder, "Modelfile"), modelfile(pieces, { file: GGUF_FILE, stops, contextLen }));
      if (pieces.turns.system !== null) return notes;
      return [...notes, "The model takes no system turn: Ollama's SYSTEM is left out of its prompts."];
    },
    checked: `${GGUF_CHECK} Ollama was not run.`,
    open: openGgufFile,
  },
  onnx: {
    choices: { context: "contextLen" },
    write: ({ folder, opened, source, contextLen }) => {
      writeOnnx(source, { maxPositions: contextLen }, folder);
      writeWhole(join(folder, "config.json"), source.configText);
      return [...writeTexts(opened, folder), `The graph reads up to ${contextLen} tokens.`];
    },
    checked: "model.onnx run by onnxruntime-node, with the model's own tokenizer; tasks by the likelihood of labels",
    open: ({ folder, opened, network }) => onnxSide(folder, opened.model.config, opened, network),
  },
} as const satisfies Record<string, ExportFormat>;

export type FormatName = keyof typeof EXPORT_FORMATS;

export const EXPORT_FORMAT_NAMES = Object.keys(EXPORT_FORMATS) as FormatName[];

function adapterOf({ tuning }: OpenedModel): Extract<Tuning, { method: "lora" }> {
  if (tuning.method === "lora") return tuning;
  throw new Error("only adapters are written as such");
}

/** Tokenizer, template, and how generation ends. Returns what there is to say. */
function writeTexts(opened: OpenedModel, folder: string): string[] {
  const text = textSide(opened);
  writeTextSide(text, folder);
  writeGenerationConfig(text, folder);
  return templateNotes(text);
}

function textSide({ model: { folder }, tokenizer, template }: OpenedModel): TextSide {
  const hasLead = tokenizer.leadIds.length > 0;
  return {
    folder,
    hasLead,
    template: templateSource(folder) === null ? plainJinja(hasLead) : undefined,
    generation: readJson(folder, "generation_config.json") ?? {},
    endIds: endIdsOf(template, tokenizer),
    bosId: tokenizer.bosId,
    padId: tokenizer.padId,
  };
}

function templateNotes({ template }: TextSide): string[] {
  if (template === undefined) return [];
  return ["The model has no chat template: mixtune's own, with which it was asked here, is written as one."];
}

function writeGgufFile({ folder, name, opened, source, quantize }: Writing): string[] {
  const { model, tokenizer, template } = opened;
  const text = textSide(opened);
  const texts: GgufTexts = {
    name,
    tokenizer: { ...readJson(model.folder, "tokenizer.json"), added_tokens: tokenizer.added },
    facts: {
      place: join(model.folder, "tokenizer.json"),
      vocabSize: model.config.vocab_size,
      bosId: tokenizer.bosId,
      endIds: text.endIds,
      padId: tokenizer.padId,
      hasLead: text.hasLead,
      chatTemplate: text.template === undefined ? templateSource(model.folder)! : plainJinja(text.hasLead, "bare"),
      promptsBeginSpecial: tokenizer.specialIds.has(tokenizer.encode(template.render(asked("question")))[0] ?? -1),
    },
  };
  const notes = [...templateNotes(text), ...writeModelGguf(source, texts, quantize, join(folder, GGUF_FILE))];
  const most = ggufContext(model.config);
  if (most === model.config.max_position_embeddings) return notes;
  return [
    ...notes,
    `llama.cpp has no window for this family: the file's context is ${most} tokens, up to which both compute the same.`,
  ];
}

function openGgufFile({ folder, scratch, opened, network }: Opening): Promise<OpenSide> {
  return ggufSide(join(folder, GGUF_FILE), opened.model.config, opened, scratch, network);
}
