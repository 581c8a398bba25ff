/** @file The options of commands that may ask hosted models. */

import { type Command, InvalidArgumentError, Option } from "commander";
import type { HostedOptions } from "../../app/hosted/choice.ts";
import type { HostedApi, Prices } from "../../eval/hosted/types.ts";
import { numberOption, wholeNumber } from "./numbers.ts";

/** As commander reads them. */
export interface HostedFlags {
  baseUrl?: string;
  api?: HostedApi;
  allowHosted?: boolean;
  maxCost?: number;
  maxRequests?: number;
  prices?: Prices;
  concurrency?: number;
  /** Of a study alone. */
  yes?: boolean;
}

const MOST = Number.MAX_SAFE_INTEGER;

/** Adds them, but for `--concurrency`, which counts runs in a study. */
export function addHostedOptions(command: Command): Command {
  return command
    .option(
      "--base-url <url>",
      "of openai:NAME: any OpenAI-compatible endpoint (default: OPENAI_BASE_URL, else OpenAI's)",
    )
    .addOption(
      new Option("--api <name>", "of openai:NAME: chat, or completions for base models (default: chat)").choices([
        "chat",
        "completions",
      ]),
    )
    .option("--allow-hosted", "send the rows that were shown to the host that was shown")
    .option(
      "--max-cost <money>",
      "stop before the request that could cost more in all; needs --prices",
      numberOption(0, MOST),
    )
    .option("--max-requests <n>", "stop before sending more requests, retries included", wholeNumber(1, MOST))
    .option(
      "--prices <in,out[,trained]>",
      "money for a million tokens in, out and fine-tuned, for the estimate and --max-cost",
      prices,
    );
}

/** Adds `--concurrency` as the number of requests. */
export function addRequestConcurrency(command: Command): Command {
  return command.option("--concurrency <n>", "requests under way at a time (default: 8)", wholeNumber(1, 256));
}

/** The same as values of the library. */
export function hostedOptionsOf(flags: HostedFlags): HostedOptions {
  const { baseUrl, api, prices, concurrency, allowHosted: isAllowed, yes: isPaid } = flags;
  const money = flags.maxCost !== undefined && { money: flags.maxCost };
  const requests = flags.maxRequests !== undefined && { requests: flags.maxRequests };
  return { baseUrl, api, prices, concurrency, isAllowed, isPaid, budget: { ...requests, ...money } };
}

function prices(text: string): Prices {
  const parts = text.split(",").map(numberOption(0, MOST));
  if (parts.length !== 2 && parts.length !== 3)
    throw new InvalidArgumentError(
      "expected two or three numbers with commas, as 2.5,10 or 2.5,10,25: money for a million tokens in and out, and for fine-tuning for a million trained on.",
    );
  const [inputPerMillion = 0, outputPerMillion = 0, trainingPerMillion] = parts;
  return { inputPerMillion, outputPerMillion, ...(trainingPerMillion === undefined ? {} : { trainingPerMillion }) };
}
