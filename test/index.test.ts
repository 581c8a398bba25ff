import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import * as mixtune from "../src/index.ts";
import * as stats from "../src/stats.ts";
import * as train from "../src/train.ts";
import { unnamedTypes } from "./support/unnamed-types.ts";

const ROOT = join(import.meta.dirname, "..");

describe("the public surface is these names; one that goes or comes is a decision", () => {
  test("mixtune", () => {
    expect(Object.keys(mixtune).sort()).toMatchInlineSnapshot(`
      [
        "CATALOGUE",
        "CheckpointError",
        "DataError",
        "MixtuneError",
        "OpError",
        "ShapeError",
        "SpecError",
        "WorkerError",
        "checkTasks",
        "compare",
        "defineStudy",
        "doctor",
        "evaluate",
        "exportModel",
        "formatStudyTable",
        "judge",
        "listPredictions",
        "measurePace",
        "openModel",
        "openRay",
        "openWorkspace",
        "planStudy",
        "planSummary",
        "predict",
        "readMetrics",
        "readPredictions",
        "readReceipt",
        "readScores",
        "readSpec",
        "readStatus",
        "readStudy",
        "readTrainFile",
        "recommend",
        "reportOf",
        "rescore",
        "runId",
        "runStudy",
        "studyResults",
        "testQuestions",
        "verifyRun",
        "writeReport",
      ]
    `);
  });

  test("mixtune/train", () => {
    expect(Object.keys(train).sort()).toMatchInlineSnapshot(`
      [
        "AdamW",
        "Network",
        "Rng",
        "bestLabel",
        "forEachLabel",
        "initAdapter",
        "modelFolder",
        "newAdamState",
        "openModelFolder",
        "openSafetensors",
        "openTemplate",
        "openTokenizer",
        "packExamples",
        "packLabels",
        "parameterViews",
        "rawWeights",
        "readCheckpoint",
        "scoreLabels",
        "tokenizeExample",
        "tokenizeLabels",
        "writeSafetensors",
      ]
    `);
  });

  test("mixtune/stats", () => {
    expect(Object.keys(stats).sort()).toMatchInlineSnapshot(`
      [
        "CONFIDENCE",
        "Rng",
        "SIGNIFICANT",
        "additiveModel",
        "approximateRandomisation",
        "baselineNormalised",
        "benjaminiHochberg",
        "bootstrapDraws",
        "bootstrapInterval",
        "bootstrapIntervals",
        "chanceOfBest",
        "clopperPearsonInterval",
        "clusteredVarianceOfMean",
        "clusters",
        "definedDraws",
        "designEffect",
        "expandedPercentiles",
        "expectedChosen",
        "expectedMaximum",
        "expectedMaximumCurve",
        "factorialModel",
        "heldOutCheck",
        "hierarchicalBootstrap",
        "holm",
        "incompleteBeta",
        "incompleteBetaInverse",
        "interquartileMean",
        "interquartileMeanInterval",
        "isPair",
        "itemNoise",
        "itemPart",
        "jointDraws",
        "linearFit",
        "logGamma",
        "mcnemarExact",
        "mean",
        "meanOfSeeds",
        "minimumDetectableDifference",
        "normalCdf",
        "normalPdf",
        "normalQuantile",
        "pairedBootstrap",
        "pairedDifference",
        "percentiles",
        "pooledVariance",
        "resampled",
        "seedVariance",
        "seededDifference",
        "seededStatisticDifference",
        "selectedBest",
        "sortedQuantile",
        "standardDeviation",
        "statisticSeedVariance",
        "sumOfSquares",
        "tCdf",
        "tDifference",
        "tInterval",
        "tQuantile",
        "variance",
        "wilsonInterval",
        "withSeeds",
      ]
    `);
  });
});

describe("every type that a signature shows has a name", () => {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const entries = ["index", "train", "stats"].map((name) => join(ROOT, "src", `${name}.ts`));
  const planted = join(ROOT, "test", "support", "unnamed-types.planted.ts");
  const program = ts.createProgram([...entries, planted], options);

  test.each(entries)("%s", (entry) => {
    expect(unnamedTypes(program, entry, ROOT)).toEqual([]);
  });

  test("one that has none is found: as a parameter, inferred, inherited, in an interface; bodies and private members show none", () => {
    expect(unnamedTypes(program, planted, ROOT)).toEqual([
      "HubRecord (src/hub/types.ts) in Holder",
      "Interval (src/stats/interval.ts) in Inherited",
      "Job (src/study/types.ts) in withParameter",
      "RepoRef (src/hub/types.ts) in inferred",
      "Snapshot (src/hub/types.ts) in Inherited",
    ]);
  });
});
