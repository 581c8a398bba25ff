/** @file The one table from options as programs name them to flags of the command line. */

/** Errors and notes below the command name `options.KEY`; the command shows the flag. */
export const FLAG_OF: Readonly<Record<string, string>> = {
  "options.address": "--address",
  "options.answer": "--answer",
  "options.api": "--api",
  "options.baseUrl": "--base-url",
  "options.budget.money": "--max-cost",
  "options.budget.requests": "--max-requests",
  "options.calibrate": "--calibrate",
  "options.compile": "--compile",
  "options.concurrency": "--concurrency",
  "options.contextLen": "--context",
  "options.data": "--data",
  "options.datasetInfo": "--dataset-info",
  "options.design": "--design",
  "options.detach": "--detach",
  "options.devices": "--devices",
  "options.dtype": "--dtype",
  "options.fewShot": "--few-shot",
  "options.gpus": "--gpus",
  "options.host": "--host",
  "options.isAllowed": "--allow-hosted",
  "options.isPaid": "--yes",
  "options.judges": "--judges",
  "options.model": "--model",
  "options.maxNewTokens": "--max-new-tokens",
  "options.names": "--name",
  "options.out": "--out",
  "options.port": "--port",
  "options.prefix": "--prefix",
  "options.prices": "--prices",
  "options.quantize": "--quantize",
  "options.shardBytes": "--shard-size",
  "options.split": "--split",
  "options.storage": "--storage",
  "options.study": "--study",
  "options.task": "--task",
  "options.tasks": "--tasks",
  "options.to": "--to",
  "options.worker": "--worker",
};

/** A text with the flags in place of the options. */
export function withFlags(text: string): string {
  return text.replace(/\boptions(\.[a-zA-Z]+)+/g, (key) => FLAG_OF[key] ?? key);
}

/** A record whose texts have the flags. */
export function recordWithFlags<T extends object>(record: T): T {
  return JSON.parse(withFlags(JSON.stringify(record))) as T;
}
