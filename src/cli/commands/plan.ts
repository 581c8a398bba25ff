/** @file mixtune plan STUDY: every run with what it will cost; starts nothing. */

import type { Command } from "commander";
import { refuseFullDisk } from "../../app/study/disk.ts";
import { measurePace } from "../../app/study/pace.ts";
import { planStudy } from "../../app/study/plan-study.ts";
import { planSummary } from "../../app/study/plan-summary.ts";
import { refuseFullMemory } from "../../app/study/refusals.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { studyOf } from "../options/assignments.ts";
import { addPlanOptions, type StudyFlags, studyOptionsOf } from "../options/study.ts";
import { type NextCommand, nextText } from "../screen/next-text.ts";
import { planText } from "../screen/plan-text.ts";

/** What does what was planned. */
function runCommand(study: string | undefined, words: string[], { out, worker = "local" }: StudyFlags): NextCommand {
  const file = study === undefined ? [] : [study];
  const flags = [...(out === undefined ? [] : ["--out", out]), ...(worker === "local" ? [] : ["--worker", worker])];
  return [["run", ...file, ...words, ...flags], "trains, scores and reports"];
}

export function addPlan(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <dir>", "directory where the results would go (default: studies/<name> beside the file)")
    .addHelpText("after", "\nExample: mixtune plan study.yaml seeds=[1,2,3]")
    .action((study: string | undefined, words: string[], flags: StudyFlags) =>
      act(async (context) => {
        const planned = await planStudy(studyOf(study, words), context, studyOptionsOf(flags));
        const summary = await planSummary(planned, context, await measurePace(planned, context));
        context.result(summary, planText(planned, summary));
        refuseFullDisk(planned);
        if (planned.lock.worker.kind === "local") refuseFullMemory(planned); // others know what they compute with when they run
        if (summary.totals.to_do > 0) context.note(nextText([runCommand(study, words, flags)]).join("\n"));
        return EXIT_DONE;
      }),
    );
  addPlanOptions(command);
}
