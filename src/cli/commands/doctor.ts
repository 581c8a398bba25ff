/** @file mixtune doctor: what is there on this machine, what works, and what to do about what does not. */

import { type Command, Option } from "commander";
import { type DoctorOptions, doctor } from "../../app/doctor.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE, EXIT_FAILED } from "../exit.ts";
import { recordWithFlags } from "../options/flags.ts";
import { doctorText } from "../screen/doctor-text.ts";

export function addDoctor(command: Command, act: Act): void {
  command
    .addOption(
      new Option(
        "--parity [model]",
        "compare the embedded engine with PyTorch on a short run of a model (default: mixtune/tiny)",
      ).preset("mixtune/tiny"),
    )
    .addHelpText("after", "\nExamples:\n  mixtune doctor\n  mixtune doctor --parity")
    .action((options: DoctorOptions) =>
      act(async (context) => {
        const diagnosis = recordWithFlags(await doctor(context, options));
        context.result(diagnosis, doctorText(diagnosis));
        return diagnosis.checks.some(({ state }) => state === "fail") ? EXIT_FAILED : EXIT_DONE;
      }),
    );
}
