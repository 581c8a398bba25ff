/** @file mixtune setup torch: the environment of the PyTorch worker. */

import type { Command } from "commander";
import { setupTorch } from "../../app/setup-torch.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";

export function addSetup(command: Command, act: Act): void {
  command
    .addHelpText("after", "\nExample: mixtune setup torch")
    .command("torch")
    .description(
      "install PyTorch, transformers and PEFT for --worker torch into the cache: some gigabytes, some minutes",
    )
    .option("--python <interpreter>", "interpreter that the environment is made from, Python 3.10 or newer", "python3")
    .addHelpText("after", "\nExample: mixtune setup torch --python python3.12")
    .action((options: { python: string }) =>
      act(async (context) => {
        const setup = await setupTorch(context, options);
        const versions = Object.entries(setup.versions).map(([name, version]) => `${name} ${version}`);
        context.result(setup, `${setup.interpreter}: ${versions.join(", ")}, on ${setup.device}`);
        return EXIT_DONE;
      }),
    );
}
