/**
 * @file What a program asks of mixtune: plan, run and read studies, evaluate, predict, judge, export. A test pins the names of the values; another
 * demands a name for every type that their signatures show. The parts of a training loop are in train.ts, the statistics in stats.ts.
 */

export { type Check, type Diagnosis, type DoctorOptions, doctor, type Fit } from "./app/doctor.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "./app/evaluate/evaluate.ts";
export { type ChangedScore, type Rescored, type RescoreOptions, rescore } from "./app/evaluate/rescore.ts";
export type { ExportCheck, TaskCheck } from "./app/export/check.ts";
export { type Exported, type ExportOptions, exportModel } from "./app/export/export-model.ts";
export type { ExportSubject } from "./app/export/folder.ts";
export type { FormatName } from "./app/export/formats.ts";
export type { HostedChoice, HostedOptions } from "./app/hosted/choice.ts";
export { type Judged, type JudgeOptions, judge } from "./app/judge/judge.ts";
export type { BaseModel, ModelSize } from "./app/models/base-model.ts";
export {
  type AnswerOptions,
  type OpenModel,
  openModel,
  type PromptInput,
  type WrittenAnswer,
} from "./app/models/open-model.ts";
export { type Predictions, type PredictOptions, predict } from "./app/predict/predict.ts";
export type { OpenAiSettings, Settings } from "./app/settings.ts";
export { type CompareOptions, compare } from "./app/study/compare.ts";
export type { HostedBill } from "./app/study/hosted/bill.ts";
export type { JobUnderWay } from "./app/study/hosted/jobs-under-way.ts";
export { openRay, type RayPlace } from "./app/study/open-ray.ts";
export { measurePace, type Pace } from "./app/study/pace.ts";
export { planStudy, type StudyOptions } from "./app/study/plan-study.ts";
export {
  type HostedEntry,
  type PlannedEntry,
  type PlanSummary,
  type PlanTotals,
  planSummary,
} from "./app/study/plan-summary.ts";
export type { PlannedStudy } from "./app/study/planned-study.ts";
export { defineStudy, readStudy, readTrainFile, type StudyInput } from "./app/study/read-study.ts";
export { type RunOptions, runStudy, type StudyOutcome } from "./app/study/run-study.ts";
export type { JobSummary, StudyEvent } from "./app/study/study-events.ts";
export { testQuestions } from "./app/study/test-questions.ts";
export type { RayOptions, TorchOptions, WorkerName, WorkerOptions } from "./app/study/worker-kind.ts";
export type { CheckedTask, CheckReport } from "./app/tasks/check-data.ts";
export { type CheckOptions, checkTasks } from "./app/tasks/check-tasks.ts";
export type { HubData } from "./app/tasks/hub-data.ts";
export type { TaskOptions } from "./app/tasks/named-task.ts";
export { openWorkspace, type Progress, type Workspace } from "./app/workspace.ts";
export type { KeyDifference } from "./base/differences.ts";
export {
  CheckpointError,
  DataError,
  type ErrorDetail,
  MixtuneError,
  OpError,
  ShapeError,
  SpecError,
  WorkerError,
} from "./base/errors.ts";
export type { ProgramValue } from "./base/finqa-program.ts";
export type { ExampleLengths } from "./data/batches/batches.ts";
export { CATALOGUE } from "./data/catalogue.ts";
export type { Finding, Quantiles, SplitFacts, TokenFacts } from "./data/checks/contracts.ts";
export type { HeldOut } from "./data/checks/leakage.ts";
export type { Overlap } from "./data/checks/near-duplicates.ts";
export type { LoadSettings } from "./data/load-task.ts";
export type {
  HubSource,
  LocalSource,
  Numbered,
  PublishedRows,
  ReadContext,
  Shaped,
  SplitRecords,
  TaskDefinition,
} from "./data/readers/definition.ts";
export type { HubFiles } from "./data/readers/hub-rows.ts";
export type { PreparedSplit, PreparedTask } from "./data/tokens/prepare.ts";
export type { Example, FitRange, LoadedTask, OverlappingRow, Shot, TokenizedExample } from "./data/types.ts";
export type { Purse, Tokens } from "./eval/hosted/purse.ts";
export type { HostedSettings } from "./eval/hosted/settings.ts";
export type { Budget, HostedAnswer, HostedApi, Prices, Spending, TokenLogprob } from "./eval/hosted/types.ts";
export type { Sampling } from "./eval/sampling.ts";
export type { WrittenType } from "./formats/gguf.ts";
export type { Hub } from "./hub/hub.ts";
export type { FetchProgress, HubFile, HubRecord, HubSettings, RepoKind, RepoRef, Snapshot } from "./hub/types.ts";
export type { Disagreement, TaskDisagreement } from "./metrics/disagreement.ts";
export { formatStudyTable, type TableFormat } from "./report/tables.ts";
export { writeReport } from "./report/write-report.ts";
export type { GivenLabels, ItemList, ItemScores } from "./runs/item-scores.ts";
export {
  listPredictions,
  readMetrics,
  readPredictions,
  readReceipt,
  readScores,
  readSpec,
  readStatus,
} from "./runs/run-dir.ts";
export type {
  CalibrationScores,
  HostedJob,
  HostedReceipt,
  JudgedBy,
  MetricsLine,
  MetricValue,
  Prediction,
  Receipt,
  RunState,
  RunStatus,
  Scores,
  SplitScores,
} from "./runs/types.ts";
export { verifyRun } from "./runs/verify.ts";
export type { Gold, Instruction, NumberGold, ProgramGold, TatQaGold, TatQaScale } from "./specs/gold.ts";
export type { Message } from "./specs/message.ts";
export { runId } from "./specs/run-id.ts";
export type { StudyFile } from "./specs/schema.ts";
export type {
  Amount,
  AnswerMetricName,
  AnswerSpec,
  BudgetSpec,
  Caps,
  DesignPart,
  EvalSpec,
  LabelMetricName,
  LossMean,
  MetricName,
  MixerSpec,
  MixtureSpec,
  ModelIdentity,
  RunControl,
  RunSpec,
  Scoring,
  Shown,
  Split,
  StudySpec,
  TaskSpec,
  TrainSpec,
} from "./specs/types.ts";
export type { HeldOutCheck } from "./stats/additive.ts";
export type { PooledVariance, SeedScores, SeedVariance } from "./stats/difference.ts";
export type { LeftOut } from "./study/common-items.ts";
export type { DisagreeingItem, SideComparison, TaskComparison } from "./study/compare.ts";
export type { ModelItems, TaskItems } from "./study/items.ts";
export type { Clock } from "./study/ledger.ts";
export type { LockedBaseline, LockedRepo, LockedRun, LockedTask, StudyLock } from "./study/lock-file.ts";
export type { Offer, Standing } from "./study/offer.ts";
export type { ComparisonMethod, PairDifference } from "./study/pair-difference.ts";
export type { Detectable } from "./study/power.ts";
export { type AddedMixture, type Advice, type BestMixture, recommend, type TaskAdvice } from "./study/recommend.ts";
export type {
  AggregateScore,
  DoseCurve,
  DoseSeries,
  EqualTrials,
  ExpectedMaximumCurve,
  IngredientEffects,
  ItemDisagreements,
  LearningHint,
  MixtureDifference,
  OfferVerdict,
  Questions,
  ReportCell,
  ReportData,
  ReportRow,
  ReportRun,
  ReportTask,
  RunLosses,
  TakenMixture,
  TaskAnswer,
} from "./study/report-data.ts";
export { reportOf } from "./study/report-of.ts";
export { type StudyResults, studyResults } from "./study/results.ts";
export type { Rival } from "./study/rival.ts";
export type { Cell, Comparison, ReadScored, Row, ScoredRun, StudyTable } from "./study/study-table.ts";
export type { Estimate, MemoryParts, PlannedRun, RunProgress, TimeParts } from "./study/types.ts";
export type { Untried, UntriedMixtures } from "./study/untried.ts";
export type { Parity } from "./workers/parity.ts";
export type { RaySettings } from "./workers/ray-engine.ts";
export type { RayAddress } from "./workers/ray-jobs.ts";
export type { StorageHelper } from "./workers/storage.ts";
