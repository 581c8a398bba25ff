/** @file The parts that examples/train-loop.ts is made of: tokens, packs, networks, gradients, optimizer, checkpoints. */

export { modelFolder } from "./app/models/shipped-models.ts";
export type { ProgramValue } from "./base/finqa-program.ts";
export { Rng } from "./base/rng.ts";
export {
  forEachLabel,
  type LabelPackOptions,
  type PackOptions,
  packExamples,
  packLabels,
} from "./data/batches/packing.ts";
export type { AddedToken } from "./data/tokens/added-tokens.ts";
export {
  type Merge,
  openTemplate,
  type PromptTemplate,
  tokenizeExample,
  tokenizeLabels,
} from "./data/tokens/chat-template.ts";
export type { EarlierAnswers } from "./data/tokens/earlier-answers.ts";
export { openTokenizer, type Tokenizer } from "./data/tokens/tokenizers.ts";
export type { SaidTurn } from "./data/tokens/turns.ts";
export type { Example, FitRange, LabelPack, Pack, Shot, TokenizedExample } from "./data/types.ts";
export type { SessionOptions } from "./engine/runtime/session.ts";
export { bestLabel, scoreLabels } from "./eval/score.ts";
export {
  type Dtype,
  openSafetensors,
  type SafetensorsFile,
  type TensorEntry,
  type TensorToWrite,
  type WeightDtype,
  writeSafetensors,
} from "./formats/safetensors.ts";
export type { AttentionKind, BlockNorms, DecoderConfig, TensorSpec } from "./models/config.ts";
export { initAdapter, type LoraConfig } from "./models/lora.ts";
export { Network, type NetworkOptions, type PackArrays, type Tuning } from "./models/network.ts";
export { type Parameter, type ParameterLayout, parameterViews } from "./models/parameters.ts";
export type { RotaryConfig } from "./models/rotary.ts";
export { type ModelFolder, openModelFolder, type RawWeights, rawWeights } from "./models/weights.ts";
export { type AdamConfig, type AdamState, AdamW, newAdamState } from "./optim/adamw.ts";
export { type Checkpoint, readCheckpoint } from "./runs/checkpoints.ts";
export type { CheckpointRecord } from "./runs/schemas.ts";
export type { Gold, Instruction, NumberGold, ProgramGold, TatQaGold, TatQaScale } from "./specs/gold.ts";
export type { Message } from "./specs/message.ts";
export type { AnswerSpec, LossMean, TrainSpec } from "./specs/types.ts";
