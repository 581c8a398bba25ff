/** @file mixtune train RUN.yaml: one mixture, one model. */

import type { Command } from "commander";
import { addRayOptions, type RayFlags, rayOf } from "../../app/study/open-ray.ts";
import { prepareStudy } from "../../app/study/prepare-study.ts";
import { readTrainFile } from "../../app/study/read-study.ts";
import { runStudy } from "../../app/study/run-study.ts";
import type { Act } from "../act.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { addStudyOptions, type StudyFlags } from "../options/study.ts";
import { addTorchOptions, type TorchFlags, torchOptionsOf } from "../options/torch.ts";

export function addTrain(program: Command, act: Act): void {
  const command = program
    .command("train <file> [key=value...]")
    .description("one mixture, one model: the short way when no study is wanted")
    .option("--out <dir>", "where results go (default studies/<name>)")
    .addHelpText("after", "\nExample: mixtune train run.yaml seed=2")
    .action((file: string, words: string[], { out, ...flags }: { out?: string } & StudyFlags & RayFlags & TorchFlags) =>
      act(async (context) => {
        const input = readTrainFile(file, assignmentsOf(words));
        const torch = torchOptionsOf(flags);
        const ray = await rayOf(flags, torch, input.study.name, context);
        return runStudy(await prepareStudy(input, out, context, flags), context, { torch, ray });
      }),
    );
  addStudyOptions(command);
  addTorchOptions(command);
  addRayOptions(command);
}
