/** @file mixtune serve MODEL…: local models behind OpenAI's API, until it is told to stop. */

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

interface ServeOptions {
  name?: string;
  host: string;
  port: number;
  context?: number;
  queue: number;
  grace: number;
}

export function addServe(program: Command, act: Act): void {
  program
    .command("serve <model...>")
    .description("OpenAI-compatible server of runs and models; key in MIXTUNE_API_KEY; Ctrl-C stops it")
    .option(
      "--name <list>",
      "names to serve the models by, with commas (default: a run's mixture, else its id; a model's name)",
    )
    .option("--host <address>", "where to listen; the default is this machine alone", "127.0.0.1")
    .option("--port <number>", "0: any that is free", wholeNumber(0, 65_535), 8000)
    .option(
      "--context <tokens>",
      "room for prompts (default: 2048, or what a run was trained with)",
      wholeNumber(1, 2 ** 24),
    )
    .option("--queue <number>", "prompts that may wait; more are refused with 429", wholeNumber(1, 100_000), 64)
    .option(
      "--grace <seconds>",
      "for answers that are being written when it is told to stop",
      wholeNumber(0, 86_400),
      30,
    )
    .addHelpText("after", "\nExample: mixtune serve mixtune/tiny studies/demo/runs/<id> --name base,tuned")
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
    context.result(
      { url, models: served },
      `${url}\n${served.map((one) => `  ${one.name}  (${one.context} tokens)`).join("\n")}`,
    );
    await aborted(context.signal);
    const { waiting, running } = queue.load;
    if (waiting + running > 0)
      context.note(`${waiting + running} answers are still to be given, for at most ${grace} s.`);
    const isComplete = await server.stop(1000 * grace);
    if (!isComplete) context.note("Not all of them were.");
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
