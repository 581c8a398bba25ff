/** @file mixtune init: writes a commented study.yaml that runs as it is. */

import { join } from "node:path";
import type { Command } from "commander";
import { type FirstStudyOptions, writeFirstStudy } from "../../app/study/first-study.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { firstStudyText } from "../screen/first-study-text.ts";

export function addInit(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--data <files...>", "files with your data: columns, labels, prompt and splits are proposed from them")
    .addHelpText("after", "\nExample: mixtune init tickets --data tickets-train.csv tickets-test.csv")
    .action((dir: string | undefined, options: FirstStudyOptions) =>
      act(async (context) => {
        const written = await writeFirstStudy(dir ?? ".", context, options);
        context.result(written, firstStudyText(written, dir === undefined ? "study.yaml" : join(dir, "study.yaml")));
        return EXIT_DONE;
      }),
    );
}
