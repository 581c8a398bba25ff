/** @file mixtune chat MODEL: a conversation in the terminal, or line by line from a pipe. */

import { createInterface } from "node:readline";
import type { Command } from "commander";
import { type ChatOptions, chatPartner } from "../../app/models/chat-partner.ts";
import { openLocalModels } from "../../app/models/served-models.ts";
import { visible } from "../../base/visible.ts";
import { CHAT_TOKENS } from "../../eval/local-model.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { numberOption, wholeNumber } from "../options/numbers.ts";
import { chatSession } from "../screen/chat-session.ts";

interface ChatFlags extends ChatOptions {
  system?: string;
  context?: number;
}

export function addChat(command: Command, act: Act): void {
  command
    .option(
      "--system <text>",
      "system message before the conversation, if the model's chat template has a place for one",
    )
    .option(
      "--temperature <n>",
      "randomness of the answers; 0 always takes the likeliest token",
      numberOption(0, 2),
      0.7,
    )
    .option(
      "--top-p <n>",
      "probability to sample from: only the likeliest tokens that together reach it",
      numberOption(0, 1),
      0.95,
    )
    .option("--max-new-tokens <n>", "maximum tokens of an answer", wholeNumber(1, 2 ** 24), CHAT_TOKENS)
    .option(
      "--seed <n>",
      "seed of the sampling: the same seed and messages give the same answers",
      wholeNumber(0, 2 ** 32 - 1),
      0,
    )
    .option(
      "--context <tokens>",
      "maximum tokens of the conversation (default: 2048, or what a run was trained with)",
      wholeNumber(1, 2 ** 24),
    )
    .addHelpText(
      "after",
      '\nA line that ends in a backslash goes on in the next one; lines between """ and """ are one message.\n\nExample: mixtune chat studies/demo:all',
    )
    .action((word: string, options: ChatFlags) => act((context) => chat(word, options, context)));
}

async function chat(word: string, options: ChatFlags, context: Context): Promise<number> {
  const { models, close } = await openLocalModels([word], { contextLen: options.context }, context);
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !context.options.json;
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout } : {}),
    terminal: isTerminal,
  });
  let answering: AbortController | undefined;
  // on a terminal Ctrl-C comes here and not as a signal: it ends the answer, or the conversation
  lines.on("SIGINT", () => (answering === undefined ? lines.close() : answering.abort()));
  context.signal.addEventListener("abort", () => {
    answering?.abort();
    lines.close();
  });
  const partner = chatPartner(models[0]!, options, () => {
    answering = new AbortController();
    return answering.signal;
  });
  try {
    if (isTerminal) context.note(`${models[0]!.name}: /clear forgets the conversation, /exit leaves, /help says more.`);
    await chatSession(
      lines,
      partner,
      {
        write: (piece) => {
          if (!context.options.json) process.stdout.write(visible(piece));
        },
        say: context.note,
        answered: (message, { text, stopped }, numDropped) => {
          answering = undefined;
          const finish_reason = stopped === "length" ? "length" : stopped === "dropped" ? "interrupted" : "stop";
          if (context.options.json)
            context.print(JSON.stringify({ message, answer: text, finish_reason, forgotten_messages: numDropped }));
          else process.stdout.write("\n");
          if (stopped === "length") context.note("(The answer was cut at its longest: --max-new-tokens, --context.)");
        },
        ready: (isBegun) => {
          lines.setPrompt(isBegun ? "… " : "> ");
          if (isTerminal) lines.prompt();
        },
      },
      options.system,
    );
    return context.signal.aborted ? EXIT_INTERRUPTED : EXIT_DONE;
  } finally {
    lines.close();
    await close();
  }
}
