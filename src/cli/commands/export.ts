/** @file mixtune export MODEL: takes a model home in the formats that others read, with a report of whether it still is the model. */

import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { compareSides, type Parity, type ParityQuestions, parityText } from "../../app/export/check.ts";
import { type ExportSubject, refuseTaken, writeExport } from "../../app/export/folder.ts";
import { EXPORT_FORMATS, type ExportChoices, type ExportFormat, type FormatName } from "../../app/export/formats.ts";
import { engineSide, type OpenSide, withScratch } from "../../app/export/sides.ts";
import { modelRef, type OpenedModel, openModelFiles, parametersOf, weightsOf } from "../../app/models/model-files.ts";
import { packageVersion } from "../../app/package.ts";
import { fetchHubData, fetchWhatThereIs } from "../../app/tasks/hub-data.ts";
import { taskNamed } from "../../app/tasks/named-task.ts";
import { digestOf } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { numElements } from "../../base/shapes.ts";
import { writeWhole } from "../../formats/files.ts";
import type { GgufType } from "../../formats/gguf.ts";
import type { WeightDtype } from "../../formats/safetensors.ts";
import { ggufContext } from "../../models/export/gguf-layout.ts";
import { type ExportSource, exportSource } from "../../models/export/source.ts";
import { tunedLayout } from "../../models/network.ts";
import { maxPositions } from "../../models/tuning.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { wholeNumber } from "../options/numbers.ts";

interface ExportOptions {
  to: string;
  out?: string;
  dtype?: string;
  shardSize?: string;
  quantize?: string;
  context?: number;
  task?: string;
  maxExamples: number;
}

const FORMATS = Object.keys(EXPORT_FORMATS) as FormatName[];
const DTYPES: Record<string, WeightDtype> = { f32: "F32", f16: "F16", bf16: "BF16" };
const GGUF_TYPES: readonly GgufType[] = ["f32", "f16", "q8_0"];

const HELP = `
peft    the adapter, for transformers + PEFT beside its base model
hf      merged weights in Hugging Face's layout: transformers, vLLM, and mixtune itself
gguf    one file for llama.cpp and what is built on it: f32, f16 or q8_0, with tokenizer and chat template
ollama  the GGUF and a Modelfile: then ollama create NAME -f Modelfile
onnx    one graph for ONNX Runtime: input_ids, attention_mask, position_ids -> logits

Every export has export.json (what was exported, from which digests) and parity.json: the exported files are opened anew and compared with the
model by logits on prompts and by scores on dev examples of the run's tasks (--task none: prompts alone).

Example: mixtune export studies/demo/runs/<id> --to gguf --quantize q8_0`;

export function addExport(program: Command, act: Act): void {
  program
    .command("export <model>")
    .description(
      "take a model home: PEFT adapter, merged Hugging Face folder, GGUF, Ollama Modelfile, ONNX; with a check",
    )
    .requiredOption("--to <format>", FORMATS.join(", "))
    .option("--out <dir>", "a new folder (default: exports/<model>-<format>)")
    .option("--dtype <type>", "hf: f32, f16 or bf16 (default: the base model's own)")
    .option("--shard-size <size>", "hf: most bytes of a weight file, as 5GB or 500MB (default: 5GB)")
    .option(
      "--quantize <type>",
      `gguf, ollama: ${GGUF_TYPES.join(", ")} (default: f32 where the base model is, else f16)`,
    )
    .option("--context <tokens>", "ollama: num_ctx; onnx: longest sequence", wholeNumber(1, 2 ** 24))
    .option("--task <list>", "tasks to score before and after, with commas, or none (default: the run's own)")
    .option("--max-examples <number>", "dev examples of each task", wholeNumber(1, 2 ** 24), 200)
    .addHelpText("after", HELP)
    .action((model: string, options: ExportOptions) => act((context) => exportModel(model, options, context)));
}

async function exportModel(word: string, options: ExportOptions, context: Context): Promise<number> {
  const to = oneOf("--to", options.to, FORMATS);
  const format = EXPORT_FORMATS[to];
  const asked = askedChoices(to, options);
  const opened = await openModelFiles(await modelRef(word, context), context);
  const { model, tuning, spec } = opened;
  if (to === "peft" && tuning.method !== "lora") throw noAdapter(word, spec !== undefined);
  const name = nameOf(opened);
  const out = resolve(options.out ?? join("exports", `${name}-${to}`));
  const layout = tunedLayout(model.config, tuning);
  const parameters = parametersOf(opened, layout);
  const source = exportSource(model, tuning, layout, parameters);
  const choices = withDefaults(to, asked, source, cutoffOf(opened));
  const subject = subjectOf(to, choices, opened);
  refuseTaken(out, subject);
  const questions = await questionsOf(opened, options, context);
  const wholeBytes = source.tensors.reduce((sum, { shape }) => sum + 4 * numElements(shape), 0);
  // the files, and float32 copies for the check; an adapter is checked on the base's own
  const bytesNeeded = to === "peft" ? 4 * layout.size : 2 * wholeBytes;

  const { notes, parity } = await writeExport(out, { subject, bytesNeeded, pid: context.self.pid }, async (folder) => {
    const notes = format.write({ folder, name, opened, source, parameters, layout, ...choices });
    const parity = await withScratch(join(folder, "check.tmp"), (scratch) =>
      checked(format, { folder, scratch, opened, parameters }, questions),
    );
    writeWhole(join(folder, "parity.json"), `${JSON.stringify(parity, null, 2)}\n`);
    return { notes, parity };
  });
  const said = notes.map((note) => `Note: ${note}`);
  const person = [`${name} as ${to} is in ${out}.`, ...said, parityText(parity)].join("\n");
  context.result({ dir: out, ...subject, notes, parity }, person);
  return EXIT_DONE;
}

/** The model as it is and the exported files, asked the same. */
async function checked(
  format: ExportFormat,
  written: { folder: string; scratch: string; opened: OpenedModel; parameters: Float32Array },
  questions: ParityQuestions,
): Promise<Parity> {
  const { opened, parameters } = written;
  const { model, tuning, threads } = opened;
  const network = { threads, maxPositions: maxPositions(model.config, questions.cutoffLen) };
  const sides: OpenSide[] = [];
  try {
    sides.push(await engineSide(model.config, tuning, () => parameters, opened, network));
    sides.push(await format.open({ ...written, network }));
    return await compareSides(sides[0]!, sides[1]!, format.checked, questions);
  } finally {
    for (const side of sides) await side.close();
  }
}

/** Options that set a choice. */
const CHOICE_OF = {
  dtype: "dtype",
  shardSize: "shardBytes",
  quantize: "quantize",
  context: "contextLen",
} as const satisfies Partial<Record<keyof ExportOptions, keyof ExportChoices>>;

/** What a person chose. @throws {SpecError} a value that is none, an option of another format */
function askedChoices(to: FormatName, options: ExportOptions): Partial<ExportChoices> {
  const has = (format: FormatName, choice: keyof ExportChoices) =>
    Object.values<keyof ExportChoices>(EXPORT_FORMATS[format].choices).includes(choice);
  for (const [key, choice] of Object.entries(CHOICE_OF)) {
    if (options[key as keyof typeof CHOICE_OF] === undefined || has(to, choice)) continue;
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const formats = FORMATS.filter((format) => has(format, choice)).join(" or ");
    throw new SpecError({ place: flag, expected: `--to ${formats} with it`, got: to, remedy: "Leave it out." });
  }
  const { dtype, shardSize, quantize, context } = options;
  return {
    ...(dtype !== undefined && { dtype: DTYPES[oneOf("--dtype", dtype, Object.keys(DTYPES))]! }),
    ...(shardSize !== undefined && { shardBytes: bytesIn(shardSize) }),
    ...(quantize !== undefined && { quantize: oneOf("--quantize", quantize, GGUF_TYPES) }),
    ...(context !== undefined && { contextLen: context }),
  };
}

function oneOf<T extends string>(place: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new SpecError({ place, expected: `one of ${known.join(", ")}`, got: text, remedy: didYouMean(text, known) });
}

function bytesIn(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(GB|MB)$/i.exec(text) ?? [];
  const value = Number(number) * (unit?.toUpperCase() === "MB" ? 1e6 : 1e9);
  if (value > 0) return value;
  throw new SpecError({ place: "--shard-size", expected: "a size as 5GB or 500MB", got: text, remedy: "Correct it." });
}

/** Defaults that depend on the model. @throws {SpecError} a context that the model does not have, or too short for the check */
function withDefaults(
  to: FormatName,
  asked: Partial<ExportChoices>,
  { dtype, config }: ExportSource,
  cutoffLen: number,
): ExportChoices {
  const most = to === "ollama" ? ggufContext(config) : config.max_position_embeddings;
  // Ollama keeps room for all of num_ctx; a longrope model computes otherwise beyond its original context
  const usual = to === "ollama" ? Math.max(4096, cutoffLen) : most;
  const least = to === "onnx" ? maxPositions(config, cutoffLen) : 1;
  const { contextLen = Math.max(least, Math.min(most, usual, config.rotary.long?.originalPositions ?? most)) } = asked;
  if (contextLen < least || contextLen > most) {
    const expected = `${least} to ${most} tokens: what the check may ask for, to what the model is made for`;
    throw new SpecError({ place: "--context", expected, got: `${contextLen}`, remedy: "Correct it, or leave it out." });
  }
  return { dtype, shardBytes: 5e9, quantize: dtype === "F32" ? "f32" : "f16", ...asked, contextLen };
}

/** For people, and of files: of a model in a folder of its own the folder's name alone. */
function nameOf({ ref, spec }: OpenedModel): string {
  const base = ref.kind === "folder" ? ref.name : spec!.model.name;
  const name = /^\.{0,2}\//.test(base) ? basename(base) : base;
  return `${name}${ref.kind === "run" ? `-${basename(ref.dir)}` : ""}`.replace(/[^\w.-]+/g, "--");
}

function subjectOf(to: FormatName, chosen: ExportChoices, opened: OpenedModel): ExportSubject {
  const { ref, spec, model, tokenizer, template } = opened;
  const choices = Object.entries<keyof ExportChoices>(EXPORT_FORMATS[to].choices);
  const base = {
    weights_digest: model.digest,
    tokenizer_digest: tokenizer.digest,
    template_digest: template.digest,
    template: template.name,
  };
  return {
    mixtune: packageVersion(),
    format: to,
    options: Object.fromEntries(choices.map(([name, choice]) => [name, chosen[choice]])),
    model:
      spec === undefined
        ? { kind: "folder", name: nameOf(opened), ...base }
        : {
            kind: "run",
            run: basename(ref.dir),
            spec: digestOf(spec),
            checkpoint: basename(weightsOf(ref, spec)),
            name: spec.model.name,
            ...base,
          },
  };
}

/** Which tasks are scored: those named, else those of the run's study that it was trained on. */
async function questionsOf(opened: OpenedModel, options: ExportOptions, context: Context): Promise<ParityQuestions> {
  const { ref, spec } = opened;
  const studyDir = ref.kind === "run" ? studyAround(ref.dir) : undefined;
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  const described = lock && ingredientTasks(lock.study);
  const asked = options.task === "none" ? [] : options.task?.split(",");
  const names =
    asked ?? Object.keys(spec?.mixture.ingredients ?? {}).filter((name) => lock?.study.tasks[name] !== undefined);
  const tasks = names.map((name): TaskSpec => taskNamed(name, described));
  const dataRoot = lock?.study.data_root ?? context.settings.dataRoot;
  const specs = Object.fromEntries(tasks.map((task) => [task.name, task]));
  const data = await (asked
    ? fetchHubData(specs, dataRoot, context, lock?.hub)
    : fetchWhatThereIs(specs, dataRoot, context));
  return { tasks, data, areAsked: asked !== undefined, maxExamples: options.maxExamples, cutoffLen: cutoffOf(opened) };
}

/** Longest prompt with its answer, in tokens: what a run was trained with. */
function cutoffOf({ spec }: OpenedModel): number {
  return spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
}

function noAdapter(word: string, isRun: boolean): SpecError {
  return new SpecError({
    place: "--to peft",
    expected: "a run that trained an adapter",
    got: isRun ? `${word}, which trained every weight (train.method: full)` : `${word}, which is a whole model`,
    remedy: `Use --to hf${isRun ? "" : ", gguf or onnx"}.`,
  });
}
