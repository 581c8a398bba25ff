/** @file The datasets that mixtune knows by name. */

import type { TaskDefinition } from "./tasks/definition.ts";
import { fpb } from "./tasks/fpb.ts";
import { genEntity } from "./tasks/generated/gen-entity.ts";
import { genGeneral } from "./tasks/generated/gen-general.ts";
import { genHeadline } from "./tasks/generated/gen-headline.ts";
import { genNumber } from "./tasks/generated/gen-number.ts";
import { genSentiment } from "./tasks/generated/gen-sentiment.ts";
import { genTopic } from "./tasks/generated/gen-topic.ts";
import { headline } from "./tasks/headline.ts";
import { twitterSentiment } from "./tasks/twitter-sentiment.ts";

/** All task files, by name. */
export const CATALOGUE: Readonly<Record<string, TaskDefinition>> = Object.fromEntries(
  [fpb, twitterSentiment, headline, genSentiment, genHeadline, genTopic, genEntity, genNumber, genGeneral].map(
    (task) => [task.name, task],
  ),
);
