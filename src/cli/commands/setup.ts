/** @file mixtune setup torch: the environment of the PyTorch worker. */

import { join } from "node:path";
import type { Command } from "commander";
import { packageRoot } from "../../app/package.ts";
import { torchEnvironment, torchFolder } from "../../app/study/start-worker.ts";
import { findTorch } from "../../workers/python.ts";
import { setUpTorch } from "../../workers/torch-setup.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";

export function addSetup(program: Command, act: Act): void {
  program
    .command("setup")
    .description("make what is not there by default")
    .command("torch")
    .description(
      "the environment of --worker torch, in the cache: PyTorch, transformers, PEFT; some gigabytes, some minutes",
    )
    .option("--python <interpreter>", "Python 3.10 or newer that it is made from", "python3")
    .addHelpText("after", "\nExample: mixtune setup torch --python python3.12")
    .action(({ python }: { python: string }) =>
      act(async ({ settings, note, signal, result }) => {
        const interpreter = await setUpTorch({
          folder: torchFolder(settings),
          python,
          requirements: join(packageRoot(), "python", "requirements.txt"),
          environment: { ...settings.workerEnvironment, ...settings.installerEnvironment },
          onLine: note,
          signal,
        });
        const found = findTorch(interpreter, torchEnvironment(settings));
        const versions = Object.entries(found.versions).map(([name, version]) => `${name} ${version}`);
        result({ interpreter, ...found }, `${interpreter}: ${versions.join(", ")}, on ${found.device}`);
        return EXIT_DONE;
      }),
    );
}
