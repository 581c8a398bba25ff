/** @file A process that asks a hosted model for answers, to be killed while it does. Arguments: base URL, cache folder, key, number of requests. */

import { setTimeout as sleep } from "node:timers/promises";
import { openHostedModel } from "../../src/eval/hosted/hosted-model.ts";

const [baseUrl = "", cacheFolder = "", apiKey = "", count = ""] = process.argv.slice(2);
const model = openHostedModel({
  ...{ baseUrl, apiKey, cacheFolder, model: "shouter", api: "chat", budget: {} },
  ...{ concurrency: 4, timeoutMs: 10_000, maxRetries: 3, clock: Date.now, random: Math.random },
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
});
const requests = Array.from({ length: Number(count) }, (_, i) => ({ id: `row ${i}`, prompt: `w${i}`, maxTokens: 9 }));
const answers = await model.answer(requests);
process.stdout.write(JSON.stringify(answers.map(({ text }) => text)));
