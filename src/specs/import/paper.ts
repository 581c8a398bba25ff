/** @file The grid of arXiv 2410.01109: its nine ingredients by the names of its released code, and the study that trains all 55 mixtures of them. */

import { SpecError } from "../../base/errors.ts";
import { didYouMean } from "../nearest.ts";
import type { StudyFile } from "../schema.ts";
import type { TrainBlock } from "../train.ts";
import type { KeyReader } from "./reader.ts";

/** How everything is trained, whatever it is trained on. */
export interface Recipe {
  model: string;
  seeds: number[];
  train: TrainBlock;
}

/** Entries of the catalogue by the released code's names of them: short in its script, long in names of its files. */
const INGREDIENTS: Readonly<Record<string, string>> = {
  headline: "headline",
  "Headline-(Classification)": "headline",
  fpb: "fpb",
  "FPB-(Sentiment)": "fpb",
  fin_ner_cls: "finner-cls",
  "FinNER-(Classification)": "finner-cls",
  finqa: "finqa",
  "FinQA-(Financial-Q&A)": "finqa",
  convfinqa: "convfinqa",
  "ConvFinQA-(Financial-Q&A)": "convfinqa",
  twitter_topics: "twitter-topic",
  "Twitter-(Topics)": "twitter-topic",
  twitter_sa: "twitter-sentiment",
  "Twitter-(Sentiment)": "twitter-sentiment",
  orca_math: "orca-math",
  "Orca-Math-(Numerical-Reasoning)": "orca-math",
  open_orca: "open-orca",
  "Open-Orca": "open-orca",
};

const TASKS = ["headline", "fpb", "finner-cls", "finqa", "convfinqa", "twitter-topic", "twitter-sentiment"];

/** The warm-up of the ten largest mixtures in the released code. */
const WARMUP = 10;

/** The study of the 55. */
export function studyOfPaper({ model, seeds, train }: Recipe, name: string): StudyFile {
  return {
    name,
    models: [model],
    tasks: Object.fromEntries(TASKS.map((task) => [task, { max_train: "paper" as const }])),
    mixers: {
      "open-orca": { task: "open-orca", role: "ingredient", share_of_caps: "paper" },
      "orca-math": { task: "orca-math", role: "ingredient", share_of_caps: "paper" },
    },
    allow_overlap: [
      ["finqa", "convfinqa"],
      ["twitter-topic", "twitter-sentiment"],
    ],
    design: ["paper-55"],
    budget: { match: "none" },
    seeds,
    train: train as NonNullable<StudyFile["train"]>,
  };
}

/**
 * Accounts for `dataset`, which names the cocktail of one run or nothing, and for the epochs, which the released script sets itself.
 * @returns the epochs of the study
 * @throws {SpecError} data that is none of the nine ingredients
 */
export function paperEpochs(reader: KeyReader): number {
  for (const part of (reader.list("dataset") ?? []).flatMap((one) => one.replace(/^cocktail_/, "").split("+"))) {
    if (Object.hasOwn(INGREDIENTS, part) || Object.values(INGREDIENTS).includes(part)) continue;
    throw new SpecError({
      place: reader.place("dataset"),
      expected: "no data, or some of the nine ingredients of arXiv 2410.01109 by the names of its code",
      got: part,
      remedy: `${didYouMean(part, Object.keys(INGREDIENTS))} Or leave options.design out, to import the one mixture.`,
    });
  }
  reader.say("deviation", "dataset", "the cocktail of one run; the study trains all 55 from the catalogue");
  reader.say("no_bearing", "dataset_dir", "the study's data is the catalogue's");
  reader.say(
    "deviation",
    "num_train_epochs",
    `the released script sets it for each mixture: 3 epochs up to three datasets, which is what 45 of the 55 take and what is written; ` +
      `2 epochs and ${WARMUP} steps of warm-up for the ten larger ones. As published: mixtune run STUDY 'design=[singles,pairs]' --out DIR, then ` +
      `mixtune run STUDY 'design=[leave-one-out,all]' train.num_train_epochs=2 train.warmup_steps=${WARMUP} --out DIR`,
  );
  reader.assume(
    "data",
    "prompts and splits are the catalogue's, close to the released ones and not the same; rows that are also tested are kept out of train, " +
      "and dev is carved from train; caps and shares are the released ones. The released script's mixture without finqa was by mistake another one; here it is trained",
  );
  return 3;
}
