/** @file mixtune cancel DIR: cancels the jobs that a fine-tuning service still works on. */

import type { Command } from "commander";
import type { CancelOptions } from "../../app/study/hosted/cancel.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";

export function addCancel(command: Command, act: Act): void {
  command
    .option("--base-url <url>", "address of the service (default: OPENAI_BASE_URL, else OpenAI's)")
    .addHelpText("after", "\nExample: mixtune cancel studies/tickets")
    .action((dir: string, options: CancelOptions) =>
      act(async (context) => {
        const { cancelStudy } = await import("../../app/study/hosted/cancel.ts");
        const cancelled = await cancelStudy(dir, context, options);
        const lines = cancelled.map(({ run, job, status }) => `run ${run}: job ${job} ${status}`);
        const end = "What was trained until then may be billed. mixtune run starts new jobs.";
        const text = cancelled.length === 0 ? "No service works on a job of this study." : [...lines, end].join("\n");
        context.result({ cancelled }, text);
        return EXIT_DONE;
      }),
    );
}
