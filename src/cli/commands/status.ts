/** @file mixtune status DIR: what of a study is done, running, failed, or to do. */

import type { Command } from "commander";
import { describeUnderWay, jobNames } from "../../app/study/hosted/jobs-under-way.ts";
import { studyStatus } from "../../app/study/study-status.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { detailOf, statusText } from "../screen/status-text.ts";

export function addStatus(command: Command, act: Act): void {
  command.addHelpText("after", "\nExample: mixtune status studies/demo").action((dir: string) =>
    act((context) => {
      const status = studyStatus(dir, context);
      const { failedBaselines, damagedBaselines, testOpenings, underWay } = status;
      const runs = status.runs.map((run) => {
        const { id, mixture, model, seed, state } = run;
        return { id, mixture, model, seed, state, detail: detailOf(run) };
      });
      const record = {
        ...{ runs, failed_baselines: failedBaselines, test_openings: testOpenings },
        ...(damagedBaselines.length > 0 && { damaged_baselines: damagedBaselines }),
        ...(underWay.length > 0 && { going_on: jobNames(underWay) }),
      };
      context.result(record, [statusText(status), ...describeUnderWay(dir, underWay)].join("\n"));
      return EXIT_DONE;
    }),
  );
}
