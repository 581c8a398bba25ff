/** @file mixtune ui DIR: the report in the browser, kept up to date while the study runs, until it is stopped. */

import { once } from "node:events";
import { resolve } from "node:path";
import type { Command } from "commander";
import { testQuestions } from "../../app/study/test-questions.ts";
import { LiveStudy } from "../../report/live.ts";
import { serveReport } from "../../report/serve.ts";
import { readStudyLock } from "../../study/lock-file.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { describeError, EXIT_DONE } from "../exit.ts";
import { wholeNumber } from "../options/numbers.ts";

export function addUi(command: Command, act: Act): void {
  command
    .option("--port <n>", "port to listen on; 0 picks a free one", wholeNumber(0, 65_535), 8765)
    .addHelpText("after", "\nExample: mixtune ui studies/demo")
    .action((dir: string, { port }: { port: number }) => act((context) => ui(resolve(dir), port, context)));
}

async function ui(dir: string, port: number, context: Context): Promise<number> {
  const { clock, self, signal, note } = context;
  const onFault = (error: unknown) => note(describeError(error, true));
  const questions = new Map<string, ReadonlyMap<string, string>>();
  const study = new LiveStudy(dir, { now: clock, host: self.host, questions, onFault });
  const server = await serveReport(study, port);
  testQuestions(readStudyLock(dir), context, questions).catch(onFault);
  context.result({ url: server.url }, server.url);
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
  return EXIT_DONE;
}
