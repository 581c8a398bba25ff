/** @file mixtune export MODEL: exports a model in the formats that others read, with a report of whether it still is the model. */

import { type Command, Option } from "commander";
import { EXPORT_EXAMPLES, type ExportOptions, exportModel } from "../../app/export/export-model.ts";
import { EXPORT_FORMAT_NAMES } from "../../app/export/formats.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { wordList } from "../options/lists.ts";
import { byteSize, wholeNumber } from "../options/numbers.ts";
import { parityText } from "../screen/export-text.ts";

interface ExportFlags extends Omit<ExportOptions, "shardBytes" | "contextLen"> {
  shardSize?: number;
  context?: number;
}

const HELP = `
peft    the adapter, for transformers + PEFT beside its base model
hf      merged weights in Hugging Face's layout: transformers, vLLM, and mixtune itself
gguf    one file for llama.cpp and what is built on it: f32, f16 or q8_0, with tokenizer and chat template
ollama  the GGUF and a Modelfile: then ollama create NAME -f Modelfile
onnx    one graph for ONNX Runtime: input_ids, attention_mask, position_ids -> logits

Every export has export.json (what was exported, from which digests) and parity.json: the exported files are opened anew and compared with the
model by logits on prompts and by scores on dev examples of the run's tasks (--tasks none: prompts alone).

Example: mixtune export studies/demo/runs/<id> --to gguf --quantize q8_0`;

export function addExport(program: Command, act: Act): void {
  program
    .command("export <model>")
    .description(
      "export a model: PEFT adapter, merged Hugging Face folder, GGUF, Ollama Modelfile or ONNX, with a check",
    )
    .addOption(new Option("--to <format>", "format").choices(EXPORT_FORMAT_NAMES).makeOptionMandatory())
    .option("--out <dir>", "a new folder (default: exports/<model>-<format>)")
    .addOption(
      new Option("--dtype <type>", "hf: type of the weights (default: the base model's)").choices([
        "f32",
        "f16",
        "bf16",
      ]),
    )
    .option("--shard-size <size>", "hf: most bytes of a weight file, as 5GB or 500MB (default: 5GB)", byteSize)
    .addOption(
      new Option(
        "--quantize <type>",
        "gguf, ollama: type of the weights (default: f32 where the base model is, else f16)",
      ).choices(["f32", "f16", "q8_0"]),
    )
    .option("--context <tokens>", "ollama: num_ctx; onnx: longest sequence", wholeNumber(1, 2 ** 24))
    .option(
      "--tasks <list>",
      "tasks to score before and after, with commas, or none (default: the run's own)",
      tasksOrNone,
    )
    .option("--max-examples <number>", "dev examples of each task", wholeNumber(1, 2 ** 24), EXPORT_EXAMPLES)
    .addHelpText("after", HELP)
    .action((model: string, { shardSize, context: contextLen, ...options }: ExportFlags) =>
      act(async (context) => {
        const exported = await exportModel(model, context, { ...options, shardBytes: shardSize, contextLen });
        const { dir, name, subject, notes, parity } = exported;
        const said = notes.map((note) => `Note: ${note}`);
        const person = [`${name} as ${options.to} is in ${dir}.`, ...said, parityText(parity)].join("\n");
        context.result({ dir, ...subject, notes, parity }, person);
        return EXIT_DONE;
      }),
    );
}

function tasksOrNone(text: string): string[] {
  return text === "none" ? [] : wordList(text);
}
