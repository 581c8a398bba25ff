/** @file The statistics of a study as a library of pure functions: numbers in, numbers out. Loads no native module. */

export { Rng } from "./base/rng.ts";
export {
  type AdditiveModel,
  additiveModel,
  type HeldOutCheck,
  heldOutCheck,
  type MixtureData,
} from "./stats/additive.ts";
export {
  type BootstrapOptions,
  bootstrapDraws,
  bootstrapInterval,
  bootstrapIntervals,
  definedDraws,
  expandedPercentiles,
  percentiles,
  resampled,
  type Statistic,
} from "./stats/bootstrap.ts";
export { expectedChosen, type Trial } from "./stats/chosen-trial.ts";
export { clusteredVarianceOfMean, clusters } from "./stats/clusters.ts";
export { type Adjusted, benjaminiHochberg, holm, SIGNIFICANT } from "./stats/corrections.ts";
export { type ComparisonPlan, designEffect, minimumDetectableDifference } from "./stats/detectable.ts";
export {
  type Difference,
  meanOfSeeds,
  type PooledVariance,
  pairedDifference,
  pooledVariance,
  type SeedScores,
  type SeedVariance,
  seededDifference,
  seedVariance,
  tDifference,
  withSeeds,
} from "./stats/difference.ts";
export { type ExpectedMaximum, expectedMaximum, expectedMaximumCurve } from "./stats/expected-maximum.ts";
export {
  type Effect,
  type FactorialData,
  type FactorialModel,
  factorialModel,
  isPair,
  itemNoise,
  itemPart,
  sumOfSquares,
} from "./stats/factorial.ts";
export { baselineNormalised, interquartileMean, interquartileMeanInterval } from "./stats/interquartile-mean.ts";
export { CONFIDENCE, clopperPearsonInterval, type Interval, tInterval, wilsonInterval } from "./stats/interval.ts";
export { type JointDraws, type JointOptions, jointDraws } from "./stats/joint-draws.ts";
export { type LinearFit, linearFit } from "./stats/least-squares.ts";
export { type McNemar, mcnemarExact } from "./stats/mcnemar.ts";
export { mean, sortedQuantile, standardDeviation, variance } from "./stats/moments.ts";
export { normalCdf, normalPdf, normalQuantile } from "./stats/normal.ts";
export { approximateRandomisation, type RandomisationOptions } from "./stats/randomisation.ts";
export { chanceOfBest, type SelectedBest, selectedBest } from "./stats/selected-best.ts";
export { incompleteBeta, incompleteBetaInverse, logGamma } from "./stats/special.ts";
export {
  type BootstrapDifference,
  hierarchicalBootstrap,
  pairedBootstrap,
  seededStatisticDifference,
  statisticSeedVariance,
} from "./stats/statistic-difference.ts";
export { tCdf, tQuantile } from "./stats/student-t.ts";
