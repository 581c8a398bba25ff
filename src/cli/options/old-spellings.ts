/** @file Options of earlier versions: each is refused by a message that names what replaced it. */

import { type Command, Option } from "commander";

/** An option that a command no longer has. */
export interface OldSpelling {
  command: string;
  /** As commander declares it. */
  flags: string;
  /** What to write in its place, as a sentence. */
  remedy: string;
}

export const OLD_SPELLINGS: readonly OldSpelling[] = [
  { command: "eval", flags: "--rescore <dir>", remedy: "Run mixtune rescore DIR." },
  { command: "status", flags: "--cancel-hosted", remedy: "Run mixtune cancel DIR." },
  { command: "status", flags: "--base-url <url>", remedy: "Run mixtune cancel DIR --base-url URL to cancel jobs." },
  { command: "report", flags: "--export <format>", remedy: "Run mixtune log DIR --to FORMAT." },
  { command: "report", flags: "--out <dir>", remedy: "Run mixtune log DIR --to FORMAT --out DIR." },
  { command: "compare", flags: "--task <list>", remedy: "Use --tasks." },
  { command: "export", flags: "--task <list>", remedy: "Use --tasks." },
  { command: "judge", flags: "--max-tokens <n>", remedy: "Use --max-new-tokens." },
  { command: "chat", flags: "--max-tokens <n>", remedy: "Use --max-new-tokens." },
  { command: "plan", flags: "--allow-hosted", remedy: "Leave it out: mixtune plan sends no rows." },
  { command: "plan", flags: "--yes", remedy: "Leave it out: mixtune plan pays for nothing." },
];

/** Makes the commands of a program refuse their old options. Exit status and stream are those of any unknown option. */
export function refuseOldSpellings(program: Command): void {
  for (const { command: name, flags, remedy } of OLD_SPELLINGS) {
    const command = program.commands.find((one) => one.name() === name)!;
    const option = new Option(flags).hideHelp();
    command.addOption(option);
    command.on(`option:${option.name()}`, () => {
      command.error(`error: mixtune ${name} has no option ${option.long}. ${remedy}`);
    });
  }
}
