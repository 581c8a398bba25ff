/**
 * @file What a program may build on: study files, run directories, the table, and the parts that examples/train-loop.ts is made of.
 * Everything else is the house's own and may move. A test pins these names.
 */

export {
  CheckpointError,
  DataError,
  MixtuneError,
  OpError,
  ShapeError,
  SpecError,
  WorkerError,
} from "./base/errors.ts";
export { Rng } from "./base/rng.ts";
export { packExamples, packLabels } from "./data/batches/packing.ts";
export { openTemplate, tokenizeExample, tokenizeLabels } from "./data/tokens/chat-template.ts";
export { openTokenizer } from "./data/tokens/tokenizers.ts";
export type { Example, Pack, TokenizedExample } from "./data/types.ts";
export { bestLabel, scoreLabels } from "./eval/score.ts";
export { openSafetensors, type SafetensorsFile, type TensorToWrite, writeSafetensors } from "./formats/safetensors.ts";
export { initLora } from "./models/lora.ts";
export { Network, type Tuning } from "./models/network.ts";
export { parameterViews } from "./models/parameters.ts";
export { openModelFolder, rawWeights } from "./models/weights.ts";
export { AdamW, newAdamState } from "./optim/adamw.ts";
export { formatStudyTable } from "./report/tables.ts";
export { readCheckpoint } from "./runs/checkpoints.ts";
export {
  listPredictions,
  readMetrics,
  readPredictions,
  readReceipt,
  readScores,
  readSpec,
  readStatus,
} from "./runs/run-dir.ts";
export type { MetricsLine, Prediction, Receipt, RunStatus, Scores } from "./runs/types.ts";
export { verifyRun } from "./runs/verify.ts";
export { runId } from "./specs/run-id.ts";
export { parseStudy } from "./specs/study-file.ts";
export { parseTrainFile } from "./specs/train-file.ts";
export type { MixtureSpec, RunSpec, StudySpec, TaskSpec, TrainFileSpec, TrainSpec } from "./specs/types.ts";
export type { ReportData } from "./study/report-data.ts";
export { reportOf } from "./study/report-of.ts";
export { studyResults } from "./study/results.ts";
