/** @file mixtune doctor: what is there on this machine, what works, and what to do about what does not. */

import { type Command, Option } from "commander";
import { type DoctorOptions, doctor } from "../../app/doctor.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE, EXIT_FAILED } from "../exit.ts";
import { recordWithFlags } from "../options/flags.ts";
import { doctorText } from "../screen/doctor-text.ts";

export function addDoctor(program: Command, act: Act): void {
  program
    .command("doctor")
    .description("versions, cores, memory, engines found, writable places, models that fit")
    .addOption(
      new Option(
        "--parity [model]",
        "also do a short run on both engines and compare them (default: mixtune/tiny)",
      ).preset("mixtune/tiny"),
    )
    .addHelpText("after", "\nExample: mixtune doctor --json")
    .action((options: DoctorOptions) =>
      act(async (context) => {
        const diagnosis = recordWithFlags(await doctor(context, options));
        context.result(diagnosis, doctorText(diagnosis));
        return diagnosis.checks.some(({ state }) => state === "fail") ? EXIT_FAILED : EXIT_DONE;
      }),
    );
}
