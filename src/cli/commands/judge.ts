/** @file mixtune judge DIR: stored answers judged by a panel of models that have the human reference, and the panel compared with people. */

import { type Command, Option } from "commander";
import { JUDGE_TOKENS, type JudgeOptions, judge } from "../../app/judge/judge.ts";
import { panelText } from "../../report/judged-text.ts";
import { scoresText } from "../../report/scores-text.ts";
import { runPaths } from "../../runs/run-dir.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { addHostedOptions, addRequestConcurrency, type HostedFlags, hostedOptionsOf } from "../options/hosted.ts";
import { wordList } from "../options/lists.ts";
import { wholeNumber } from "../options/numbers.ts";

type JudgeFlags = HostedFlags & Omit<JudgeOptions, "hosted">;

export function addJudge(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .requiredOption("--judges <list>", "judges as openai:NAME, separated by commas; the majority decides", wordList)
    .option(
      "--tasks <list>",
      "tasks to judge, separated by commas (default: all in DIR whose answers are texts)",
      wordList,
    )
    .addOption(new Option("--split <split>", "split to judge").choices(["dev", "test"]).default("test"))
    .option(
      "--calibrate <list>",
      "files of answers that people judged, separated by commas: columns question, reference, answer, verdict",
      wordList,
    )
    .option("--max-new-tokens <n>", "maximum tokens of a judge's reply", wholeNumber(16, 100_000), JUDGE_TOKENS)
    .addHelpText("after", "\nExample: mixtune judge evals/NAME --judges openai:a,openai:b,openai:c --allow-hosted")
    .action((dir: string | undefined, flags: JudgeFlags) =>
      act(async (context) => {
        const { judges, tasks, split, calibrate, maxNewTokens } = flags;
        const options = { judges, tasks, split, calibrate, maxNewTokens, hosted: hostedOptionsOf(flags) };
        const { by, judged } = await judge(dir, context, options);
        if (judged === undefined) context.result(by, panelText(by));
        else {
          const where = `Verdicts and reasons are in ${runPaths.judgements(judged.dir)}.`;
          const text = `${scoresText(judged.scores, judged.tasks)}\n\n${where}`;
          context.result({ dir: judged.dir, ...judged.scores }, text);
        }
        return EXIT_DONE;
      }),
    );
  addRequestConcurrency(addHostedOptions(command));
}
