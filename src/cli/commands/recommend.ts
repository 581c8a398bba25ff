/** @file mixtune recommend STUDY_DIR: the mixture to take for each task, and which runs to add. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { visible } from "../../base/visible.ts";
import { adviceText } from "../../report/recommend-text.ts";
import { recommend } from "../../study/recommend.ts";
import { reportOf } from "../../study/report-of.ts";
import { studyResults } from "../../study/results.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { afterResults, nextText } from "../screen/next-text.ts";

export function addRecommend(command: Command, act: Act): void {
  command.addHelpText("after", "\nExample: mixtune recommend studies/demo").action((dir: string) =>
    act((context) => {
      const results = studyResults(resolve(dir));
      for (const problem of results.problems) context.note(`left out: ${problem}`);
      const advice = recommend(results);
      const next = nextText(afterResults(results.dir, reportOf(results), true));
      context.result(advice, [visible(adviceText(advice)), "", ...next].join("\n").trimEnd());
      return EXIT_DONE;
    }),
  );
}
