/** @file The datasets that mixtune knows by name. */

import type { TaskDefinition } from "./readers/definition.ts";
import { agieval } from "./tasks/agieval.ts";
import { alpaca } from "./tasks/alpaca.ts";
import { aqua } from "./tasks/aqua.ts";
import { arc } from "./tasks/arc.ts";
import { asdiv } from "./tasks/asdiv.ts";
import { bbh } from "./tasks/bbh.ts";
import { boolq } from "./tasks/boolq.ts";
import { cfa } from "./tasks/cfa.ts";
import { commonsenseqa } from "./tasks/commonsenseqa.ts";
import { convfinqa } from "./tasks/convfinqa.ts";
import { convfinqaByPage } from "./tasks/convfinqa-by-page.ts";
import { financebench } from "./tasks/financebench.ts";
import { finerOrd } from "./tasks/finer-ord.ts";
import { finnerCls } from "./tasks/finner-cls.ts";
import { finqa } from "./tasks/finqa.ts";
import { finqaByPage } from "./tasks/finqa-by-page.ts";
import { finred } from "./tasks/finred.ts";
import { fiqaSa } from "./tasks/fiqa-sa.ts";
import { flanCot } from "./tasks/flan-cot.ts";
import { fpb } from "./tasks/fpb.ts";
import { genEntity } from "./tasks/generated/gen-entity.ts";
import { genGeneral } from "./tasks/generated/gen-general.ts";
import { genHeadline } from "./tasks/generated/gen-headline.ts";
import { genNumber } from "./tasks/generated/gen-number.ts";
import { genSentiment } from "./tasks/generated/gen-sentiment.ts";
import { genTopic } from "./tasks/generated/gen-topic.ts";
import { gsm8k } from "./tasks/gsm8k.ts";
import { headline } from "./tasks/headline.ts";
import { ifeval } from "./tasks/ifeval.ts";
import { lima } from "./tasks/lima.ts";
import { math } from "./tasks/math.ts";
import { mathqa } from "./tasks/mathqa.ts";
import { mawps } from "./tasks/mawps.ts";
import { mmlu } from "./tasks/mmlu.ts";
import { mmluFinance } from "./tasks/mmlu-finance.ts";
import { nwgi } from "./tasks/nwgi.ts";
import { openOrca } from "./tasks/open-orca.ts";
import { openbookqa } from "./tasks/openbookqa.ts";
import { openorcaDpo } from "./tasks/openorca-dpo.ts";
import { orcaMath } from "./tasks/orca-math.ts";
import { svamp } from "./tasks/svamp.ts";
import { t0P3 } from "./tasks/t0-p3.ts";
import { tatQa } from "./tasks/tat-qa.ts";
import { tatQaByContext } from "./tasks/tat-qa-by-context.ts";
import { twitterSentiment } from "./tasks/twitter-sentiment.ts";
import { twitterTopic } from "./tasks/twitter-topic.ts";

/** All task files, by name. */
export const CATALOGUE: Readonly<Record<string, TaskDefinition>> = Object.fromEntries(
  [
    fpb,
    twitterSentiment,
    twitterTopic,
    headline,
    finnerCls,
    finqa,
    finqaByPage,
    convfinqa,
    convfinqaByPage,
    fiqaSa,
    finerOrd,
    finred,
    tatQa,
    tatQaByContext,
    nwgi,
    openOrca,
    openorcaDpo,
    orcaMath,
    alpaca,
    lima,
    t0P3,
    flanCot,
    gsm8k,
    svamp,
    asdiv,
    mawps,
    aqua,
    mathqa,
    math,
    cfa,
    mmlu,
    mmluFinance,
    financebench,
    ifeval,
    bbh,
    agieval,
    arc,
    boolq,
    openbookqa,
    commonsenseqa,
    genSentiment,
    genHeadline,
    genTopic,
    genEntity,
    genNumber,
    genGeneral,
  ].map((task) => [task.name, task]),
);
