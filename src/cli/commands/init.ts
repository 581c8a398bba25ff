/** @file mixtune init: writes a commented study.yaml that runs as it is. */

import { join } from "node:path";
import type { Command } from "commander";
import { type FirstStudyOptions, writeFirstStudy } from "../../app/study/first-study.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";

export function addInit(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--data <files...>", "files with your data: columns, labels, prompt and splits are proposed from them")
    .addHelpText("after", "\nExample: mixtune init tickets --data tickets-train.csv tickets-test.csv")
    .action((dir: string | undefined, options: FirstStudyOptions) =>
      act(async (context) => {
        const written = await writeFirstStudy(dir ?? ".", options);
        const shown = dir === undefined ? "study.yaml" : join(dir, "study.yaml");
        context.result(
          written,
          `Wrote ${shown}.\nNext: mixtune tasks check ${shown}, then mixtune plan ${shown}, then mixtune run ${shown}.`,
        );
        return EXIT_DONE;
      }),
    );
}
