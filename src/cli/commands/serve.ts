/** @file mixtune serve MODEL…: local models behind OpenAI's API, until it is stopped. */

import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { openLocalModels } from "../../app/models/served-models.ts";
import { serveApp } from "../../eval/serve/app.ts";
import { listen } from "../../eval/serve/listen.ts";
import { GenerationQueue } from "../../eval/serve/queue.ts";
import { isLoopback } from "../../http/own-site.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { describeError, EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { wholeNumber } from "../options/numbers.ts";
import { servedText } from "../screen/serve-text.ts";

interface ServeOptions {
  name?: string;
  host: string;
  port: number;
  context?: number;
  queue: number;
  grace: number;
}

export function addServe(command: Command, act: Act): void {
  command
    .option(
      "--name <list>",
      "names to serve the models under, separated by commas (default: a run's mixture, else its id; a model's name)",
    )
    .option(
      "--host <address>",
      "address to listen on; the default accepts requests from this machine only",
      "127.0.0.1",
    )
    .option("--port <n>", "port to listen on; 0 picks a free one", wholeNumber(0, 65_535), 8000)
    .option(
      "--context <tokens>",
      "maximum tokens of a prompt (default: 2048, or what a run was trained with)",
      wholeNumber(1, 2 ** 24),
    )
    .option(
      "--queue <n>",
      "number of prompts that may wait; further ones are rejected with status 429",
      wholeNumber(1, 100_000),
      64,
    )
    .option("--grace <seconds>", "seconds to finish answers in progress after Ctrl-C", wholeNumber(0, 86_400), 30)
    .addHelpText("after", "\nExample: mixtune serve mixtune/tiny studies/demo:all --name base,tuned")
    .action((words: string[], options: ServeOptions) => act((context) => serve(words, options, context)));
}

async function serve(words: readonly string[], options: ServeOptions, context: Context): Promise<number> {
  const { host, port, queue: maxWaiting, grace } = options;
  const { apiKey } = context.settings;
  const names = options.name?.split(",");
  const { models, close } = await openLocalModels(words, { names, contextLen: options.context }, context);
  try {
    const queue = new GenerationQueue({ maxWaiting, now: context.clock });
    const app = serveApp(models, queue, {
      ...(apiKey === undefined ? {} : { apiKey }),
      host,
      machine: context.self.host,
      now: context.clock,
      chance: () => randomInt(2 ** 32),
      onFault: (error) => context.note(describeError(error, true)),
    });
    const server = await listen(app, queue, host, port);
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${server.port}/v1`;
    if (!isLoopback(host) && apiKey === undefined)
      context.note(
        "Warning: others can reach this server, and no key is asked for. Set MIXTUNE_API_KEY to ask for one.",
      );
    const served = models.map(({ name, network }) => ({ name, context: network.maxPositions }));
    context.result({ url, models: served }, servedText(url, served, apiKey !== undefined));
    await aborted(context.signal);
    const { waiting, running } = queue.load;
    if (waiting + running > 0) context.note(`Finishing ${waiting + running} answers, for at most ${grace} s.`);
    const isComplete = await server.stop(1000 * grace);
    if (!isComplete) context.note("Some answers were not finished.");
    return isComplete ? EXIT_DONE : EXIT_INTERRUPTED;
  } finally {
    await close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
