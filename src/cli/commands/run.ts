/** @file mixtune run STUDY: trains and evaluates all that is not done yet. */

import type { Command } from "commander";
import { addRayOptions, type RayFlags, rayOf } from "../../app/study/open-ray.ts";
import { prepareStudy } from "../../app/study/prepare-study.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { runStudy } from "../../app/study/run-study.ts";
import { SpecError } from "../../base/errors.ts";
import type { Act } from "../act.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { addStudyOptions, type StudyFlags } from "../options/study.ts";
import { addTorchOptions, type TorchFlags, torchOptionsOf } from "../options/torch.ts";

interface RunOptions extends StudyFlags, RayFlags, TorchFlags {
  out?: string;
  /** Runs at a time. */
  concurrency?: string;
}

export function addRun(program: Command, act: Act): void {
  const command = program
    .command("run <study> [key=value...]")
    .description("train and evaluate all that is not done yet; may be killed and started again at any time")
    .option("--out <dir>", "where results go (default studies/<name>)")
    .option("--concurrency <n>", "runs at a time (default as many as cores and memory, or GPUs, allow)")
    .addHelpText("after", "\nExample: mixtune run study.yaml train.learning_rate=1e-4")
    .action((study: string, words: string[], { out, concurrency, ...flags }: RunOptions) =>
      act(async (context) => {
        const torch = torchOptionsOf(flags);
        const runsAtATime = concurrencyOf(concurrency);
        const input = readStudy(study, assignmentsOf(words));
        const ray = await rayOf(flags, torch, input.study.name, context);
        const prepared = await prepareStudy(input, out, context, flags);
        return runStudy(prepared, context, { concurrency: runsAtATime, torch, ray });
      }),
    );
  addStudyOptions(command);
  addTorchOptions(command);
  addRayOptions(command);
}

function concurrencyOf(text: string | undefined): number | undefined {
  if (text === undefined || /^([1-9]|[1-5]\d|6[0-4])$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new SpecError({
    place: "--concurrency",
    expected: "a whole number from 1 to 64",
    got: text,
    remedy: "Leave it out: as many runs go on as cores and memory, or GPUs, allow.",
  });
}
