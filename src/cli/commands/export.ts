/** @file mixtune export MODEL: exports a model in the formats that others read, with a report of whether it still is the model. */

import { join } from "node:path";
import { type Command, Option } from "commander";
import { EXPORT_EXAMPLES, type ExportOptions, exportModel } from "../../app/export/export-model.ts";
import { EXPORT_FORMAT_NAMES } from "../../app/export/formats.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { wordList } from "../options/lists.ts";
import { byteSize, wholeNumber } from "../options/numbers.ts";
import { parityText } from "../screen/export-text.ts";
import { afterExport, nextText, shownDir } from "../screen/next-text.ts";

interface ExportFlags extends Omit<ExportOptions, "shardBytes" | "contextLen"> {
  shardSize?: number;
  context?: number;
}

const HELP = `
peft    the adapter, for transformers + PEFT beside its base model
hf      merged weights in Hugging Face's layout: transformers, vLLM, and mixtune itself
gguf    one file for llama.cpp and programs built on it: f32, f16 or q8_0, with tokenizer and chat template
ollama  the GGUF and a Modelfile; then run ollama create NAME -f Modelfile
onnx    one graph for ONNX Runtime: input_ids, attention_mask, position_ids -> logits

Every export has README.md (what it answers, how to ask it, how good it is), export.json (what was exported, with
digests) and parity.json. The exported files are opened again and
compared with the model: logits on prompts, and scores on dev examples of the run's tasks (--tasks none: prompts only).

Example: mixtune export studies/demo:all --to gguf --quantize q8_0`;

export function addExport(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .addOption(new Option("--to <format>", "format of the export").choices(EXPORT_FORMAT_NAMES).makeOptionMandatory())
    .option("--out <dir>", "new directory for the export (default: exports/<model>-<format>)")
    .addOption(
      new Option("--dtype <type>", "type of the weights, for hf (default: the base model's)").choices([
        "f32",
        "f16",
        "bf16",
      ]),
    )
    .option(
      "--shard-size <size>",
      "maximum size of a weight file, for hf, such as 5GB or 500MB (default: 5GB)",
      byteSize,
    )
    .addOption(
      new Option(
        "--quantize <type>",
        "type of the weights, for gguf and ollama (default: f32 if the base model has it, else f16)",
      ).choices(["f32", "f16", "q8_0"]),
    )
    .option("--context <tokens>", "longest sequence in tokens, for onnx; num_ctx, for ollama", wholeNumber(1, 2 ** 24))
    .optionsGroup("Data:")
    .option(
      "--tasks <list>",
      "tasks to score before and after, separated by commas, or none (default: the run's tasks)",
      tasksOrNone,
    )
    .option("--max-examples <n>", "number of dev examples to score per task", wholeNumber(1, 2 ** 24), EXPORT_EXAMPLES)
    .addHelpText("after", HELP)
    .action((model: string, { shardSize, context: contextLen, ...options }: ExportFlags) =>
      act(async (context) => {
        const exported = await exportModel(model, context, { ...options, shardBytes: shardSize, contextLen });
        const { dir, name, subject, notes, parity } = exported;
        const said = notes.map((note) => `Note: ${note}`);
        const next = nextText(afterExport(model, { dir, name, to: options.to }));
        const card = `How to ask it: ${join(shownDir(dir), "README.md")}`;
        const person = [`${name} as ${options.to} is in ${dir}.`, ...said, parityText(parity), card, ...next].join(
          "\n",
        );
        context.result({ dir, ...subject, notes, parity }, person);
        return EXIT_DONE;
      }),
    );
}

function tasksOrNone(text: string): string[] {
  return text === "none" ? [] : wordList(text);
}
