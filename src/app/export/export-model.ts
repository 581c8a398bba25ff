/** @file Exports a model in the formats that other programs read, with a report of whether it still is the model. */

import { basename, join, resolve } from "node:path";
import { digestOf } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { numElements } from "../../base/shapes.ts";
import { folderSlug } from "../../base/slug.ts";
import { writeWhole } from "../../formats/files.ts";
import type { WrittenType } from "../../formats/gguf.ts";
import type { WeightDtype } from "../../formats/safetensors.ts";
import { ggufContext } from "../../models/export/gguf-layout.ts";
import { type ExportSource, exportSource } from "../../models/export/source.ts";
import { tunedLayout } from "../../models/network.ts";
import { maxPositions } from "../../models/tuning.ts";
import { TRAIN_DEFAULTS } from "../../specs/train.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { modelRef, type OpenedModel, openModelFiles, parametersOf, weightsOf } from "../models/model-files.ts";
import { packageVersion } from "../package.ts";
import { fetchHubData, fetchWhatThereIs } from "../tasks/hub-data.ts";
import { taskNamed } from "../tasks/named-task.ts";
import type { Workspace } from "../workspace.ts";
import { modelCard } from "./card.ts";
import { cardFacts } from "./card-facts.ts";
import { type CheckQuestions, checkExport, type ExportCheck } from "./check.ts";
import { type ExportSubject, refuseTaken, writeExport } from "./folder.ts";
import {
  EXPORT_FORMAT_NAMES,
  EXPORT_FORMATS,
  type ExportChoices,
  type ExportFormat,
  type FormatName,
} from "./formats.ts";
import { engineSide, type OpenSide, withScratch } from "./sides.ts";

export interface ExportOptions {
  to: FormatName;
  /** A new folder; default exports/<model>-<format>. */
  out?: string | undefined;
  /** Type of the weights, for hf; default the base model's. */
  dtype?: "f32" | "f16" | "bf16" | undefined;
  /** Most bytes of a weight file, for hf; default 5e9. */
  shardBytes?: number | undefined;
  /** Type of the weights, for gguf and ollama; default f32 where the base model has it, else f16. */
  quantize?: WrittenType | undefined;
  /** Longest sequence in tokens, for onnx, and num_ctx for ollama. Default: what the model is made for; for ollama 4,096 or the run's cutoff_len. */
  contextLen?: number | undefined;
  /** Tasks whose dev examples are scored before and after; none: only prompts are compared. Default: the tasks of the run's mixture. */
  tasks?: readonly string[] | undefined;
  /** Dev examples of each task; default 200. */
  maxExamples?: number | undefined;
}

/** What was exported. */
export interface Exported {
  dir: string;
  /** The model's name for people. */
  name: string;
  /** What export.json says beside the digests of files. */
  subject: ExportSubject;
  /** What other programs do otherwise with these files. */
  notes: string[];
  /** How far the exported files are from the model. */
  parity: ExportCheck;
}

const DTYPES: Record<NonNullable<ExportOptions["dtype"]>, WeightDtype> = { f32: "F32", f16: "F16", bf16: "BF16" };

export const EXPORT_EXAMPLES = 200;

/**
 * Writes a model in another format, opens what was written and compares the two.
 *
 * @param model  a run's directory, one of its checkpoints, a folder in Hugging Face's layout, org/name of the hub or mixtune/tiny
 * @throws {SpecError} an option of another format, a context that the model does not have, a folder with anything else in it, too little disk
 * @throws {CheckpointError} a model that the format cannot hold
 */
export async function exportModel(model: string, workspace: Workspace, options: ExportOptions): Promise<Exported> {
  const { to } = options;
  const format = EXPORT_FORMATS[to];
  const asked = askedChoices(options);
  const opened = await openModelFiles(await modelRef(model, workspace), workspace);
  const { tuning, spec } = opened;
  const { config } = opened.model;
  if (to === "peft" && tuning.method !== "lora") throw noAdapter(model, spec !== undefined);
  const name = nameOf(opened);
  const dir = resolve(options.out ?? join("exports", `${name}-${to}`));
  const layout = tunedLayout(config, tuning);
  const parameters = parametersOf(opened, layout);
  const source = exportSource(opened.model, tuning, layout, parameters);
  const choices = withDefaults(to, asked, source, cutoffOf(opened));
  const subject = subjectOf(to, choices, opened);
  refuseTaken(dir, subject);
  const questions = await questionsOf(opened, options, workspace);
  const wholeBytes = source.tensors.reduce((sum, { shape }) => sum + 4 * numElements(shape), 0);
  // the files, and float32 copies for the check; an adapter is checked on the base's own
  const bytesNeeded = to === "peft" ? 4 * layout.size : 2 * wholeBytes;

  const { notes, parity } = await writeExport(
    dir,
    { subject, bytesNeeded, pid: workspace.self.pid },
    async (folder) => {
      const notes = format.write({ folder, name, opened, source, parameters, layout, ...choices });
      const parity = await withScratch(join(folder, "check.tmp"), (scratch) =>
        checked(format, { folder, scratch, opened, parameters }, questions),
      );
      writeWhole(join(folder, "parity.json"), `${JSON.stringify(parity, null, 2)}\n`);
      writeWhole(join(folder, "README.md"), modelCard(cardFacts(opened, { name, to, notes })));
      return { notes, parity };
    },
  );
  return { dir, name, subject, notes, parity };
}

/** The model as it is and the exported files, asked the same. */
async function checked(
  format: ExportFormat,
  written: { folder: string; scratch: string; opened: OpenedModel; parameters: Float32Array },
  questions: CheckQuestions,
): Promise<ExportCheck> {
  const { opened, parameters } = written;
  const { model, tuning, threads } = opened;
  const network = { threads, maxPositions: maxPositions(model.config, questions.cutoffLen) };
  const sides: OpenSide[] = [];
  try {
    sides.push(await engineSide(model.config, tuning, () => parameters, opened, network));
    sides.push(await format.open({ ...written, network }));
    return await checkExport(sides[0]!, sides[1]!, format.checked, questions);
  } finally {
    for (const side of sides) await side.close();
  }
}

/** Options that set a choice of the format. */
const CHOICES = ["dtype", "shardBytes", "quantize", "contextLen"] as const satisfies (keyof ExportChoices)[];

/** The choices that were made. @throws {SpecError} an option of another format */
function askedChoices({ to, ...options }: ExportOptions): Partial<ExportChoices> {
  const has = (format: FormatName, choice: keyof ExportChoices) =>
    Object.values<keyof ExportChoices>(EXPORT_FORMATS[format].choices).includes(choice);
  const other = CHOICES.find((key) => options[key] !== undefined && !has(to, key));
  if (other !== undefined) {
    const formats = EXPORT_FORMAT_NAMES.filter((format) => has(format, other)).join(" or ");
    const place = `options.${other}`;
    throw new SpecError({ place, expected: `options.to ${formats} with it`, got: to, remedy: "Leave it out." });
  }
  const { dtype, shardBytes, quantize, contextLen } = options;
  return {
    ...(dtype !== undefined && { dtype: DTYPES[dtype] }),
    ...(shardBytes !== undefined && { shardBytes }),
    ...(quantize !== undefined && { quantize }),
    ...(contextLen !== undefined && { contextLen }),
  };
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
    throw new SpecError({
      place: "options.contextLen",
      expected,
      got: `${contextLen}`,
      remedy: "Choose a number within these bounds, or leave it out.",
    });
  }
  return { dtype, shardBytes: 5e9, quantize: dtype === "F32" ? "f32" : "f16", ...asked, contextLen };
}

/** For people, and of files: of a model in a folder of its own the folder's name alone. */
function nameOf({ ref, spec }: OpenedModel): string {
  const base = ref.kind === "folder" ? ref.name : spec!.model.name;
  const name = /^\.{0,2}\//.test(base) ? basename(base) : base;
  return folderSlug(`${name}${ref.kind === "run" ? `-${basename(ref.dir)}` : ""}`);
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
async function questionsOf(
  opened: OpenedModel,
  { tasks: asked, maxExamples = EXPORT_EXAMPLES }: ExportOptions,
  workspace: Workspace,
): Promise<CheckQuestions> {
  const { ref, spec } = opened;
  const studyDir = ref.kind === "run" ? studyAround(ref.dir) : undefined;
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  const described = lock && ingredientTasks(lock.study);
  const names =
    asked ?? Object.keys(spec?.mixture.ingredients ?? {}).filter((name) => lock?.study.tasks[name] !== undefined);
  const tasks = names.map((name): TaskSpec => taskNamed(name, described));
  const dataRoot = lock?.study.data_root ?? workspace.settings.dataRoot;
  const specs = Object.fromEntries(tasks.map((task) => [task.name, task]));
  const data = await (asked
    ? fetchHubData(specs, dataRoot, workspace, lock?.hub)
    : fetchWhatThereIs(specs, dataRoot, workspace));
  return { tasks, data, areAsked: asked !== undefined, maxExamples, cutoffLen: cutoffOf(opened) };
}

/** Longest prompt with its answer, in tokens: what a run was trained with. */
function cutoffOf({ spec }: OpenedModel): number {
  return spec?.train.cutoff_len ?? TRAIN_DEFAULTS.cutoff_len;
}

function noAdapter(word: string, isRun: boolean): SpecError {
  return new SpecError({
    place: "options.to peft",
    expected: "a run that trained an adapter",
    got: isRun ? `${word}, which trained every weight (train.method: full)` : `${word}, which is a whole model`,
    remedy: `Use options.to hf${isRun ? "" : ", gguf or onnx"}.`,
  });
}
