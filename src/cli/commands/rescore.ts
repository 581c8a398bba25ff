/** @file mixtune rescore DIR: judges stored answers again. */

import type { Command } from "commander";
import { rescore } from "../../app/evaluate/rescore.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { wordList } from "../options/lists.ts";
import { rescoredText } from "../screen/rescore-text.ts";

export function addRescore(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--tasks <list>", "catalogue tasks that DIR does not describe, separated by commas", wordList)
    .addHelpText("after", "\nExample: mixtune rescore studies/demo")
    .action((dir: string, options: { tasks?: string[] }) =>
      act(async (context) => {
        const rescored = await rescore(dir, context, options);
        context.result(rescored, rescoredText(rescored));
        return EXIT_DONE;
      }),
    );
}
