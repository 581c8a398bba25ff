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

/** Adds the options that a bill follows from. */
export function addHostedPlanOptions(command: Command): Command {
  return command
    .optionsGroup("Hosted models:")
    .option(
      "--base-url <url>",
      "address of the OpenAI-compatible service for openai:NAME (default: OPENAI_BASE_URL, else OpenAI's)",
    )
    .addOption(
      new Option("--api <name>", "kind of request: chat, or completions for base models (default: chat)").choices([
        "chat",
        "completions",
      ]),
    )
    .option(
      "--max-cost <money>",
      "stop before total cost could exceed this amount (requires --prices)",
      numberOption(0, MOST),
    )
    .option("--max-requests <n>", "stop before sending more requests than this, retries included", wholeNumber(1, MOST))
    .option(
      "--prices <in,out[,trained]>",
      "prices of a million tokens sent, received and trained on, such as 2.5,10 or 2.5,10,25",
      prices,
    );
}

/** Adds the same, and the consent. Not `--concurrency`, which counts runs in a study. */
export function addHostedOptions(command: Command): Command {
  return addHostedPlanOptions(command).option(
    "--allow-hosted",
    "allow the rows listed to be sent to the service listed",
  );
}

/** Adds `--concurrency` as the number of requests. */
export function addRequestConcurrency(command: Command): Command {
  return command.option(
    "--concurrency <n>",
    "number of requests in flight at a time (default: 8)",
    wholeNumber(1, 256),
  );
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
