/** @file Asks a person on a terminal: choices with numbers, Enter for the first. */

import { createInterface } from "node:readline/promises";
import type { FirstQuestion } from "../../app/study/first-questions.ts";
import { visible } from "../../base/visible.ts";

/**
 * Asks until the answer is one of the choices (its number or its text), or any text where the question is open. No more input is the first choice.
 * @param signal  ends the question, with its reason
 */
export async function askOnTerminal(
  { text, choices, isOpen }: FirstQuestion,
  { input, output }: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream },
  signal: AbortSignal,
): Promise<string> {
  const first = choices[0]!.value;
  const lines = createInterface({ input, output });
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    output.write(
      visible(`\n${text}\n${choices.map(({ value, about }, i) => `  ${i + 1}  ${value}  (${about})\n`).join("")}`),
    );
    for (;;) {
      const said = (await Promise.race([lines.question(`  [${visible(first)}] `, { signal }), closed])).trim();
      if (said === "") return first;
      const chosen = choices[Number(said) - 1]?.value ?? choices.find(({ value }) => value === said)?.value;
      if (chosen !== undefined) return chosen;
      if (isOpen) return said;
      output.write(visible(`  Please give a number from 1 to ${choices.length}, or press Enter for ${first}.\n`));
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    lines.close();
  }
}
