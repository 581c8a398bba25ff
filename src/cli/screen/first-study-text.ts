/** @file What a person reads after init: what was seen in the rows, what is left out of them, and what comes next. */

import type { ProposedTask } from "../../app/study/first-look.ts";
import type { FirstStudy } from "../../app/study/first-study.ts";
import { counted } from "../../base/human-numbers.ts";
import { visible } from "../../base/visible.ts";
import { findingLine } from "./check-text.ts";

/** @param shown  path of the file as the person sees it; what is in the text of the data cannot command the terminal */
export function firstStudyText({ tasks, report }: FirstStudy, shown: string): string {
  const findings = report === undefined ? [] : [...report.findings, ...report.tasks.flatMap((task) => task.findings)];
  const next =
    report?.ok === false
      ? `Fix what is marked BROKEN, then: mixtune tasks check ${shown}.`
      : `Next: mixtune tasks check ${shown}, then mixtune plan ${shown}, then mixtune run ${shown}.`;
  return visible([`Wrote ${shown}.`, ...tasks.flatMap(taskLines), ...findings.map(findingLine), next].join("\n"));
}

function taskLines({ name, numRows, proposal, found }: ProposedTask): string[] {
  const { numUnusable, numTooLong, numOverlapping, numContradicting, isFitted } = found;
  const said: [number | boolean, string][] = [
    [numUnusable, `left out: ${counted(numUnusable, "row")} without a text or an answer (on_bad_row: skip)`],
    [numTooLong, `left out: ${counted(numTooLong, "row")} longer than train.cutoff_len (on_bad_row: skip)`],
    [
      numOverlapping,
      `left out: ${counted(numOverlapping, "row")} of train that dev or test have too (on_overlap: drop)`,
    ],
    [isFitted, `shortened: ${proposal.longest}, where a row is longer than train.cutoff_len (fit)`],
    [numContradicting, `kept: ${counted(numContradicting, "row")} whose prompt other rows answer otherwise`],
  ];
  const lines = [...said.flatMap(([holds, line]) => (holds ? [line] : [])), ...proposal.remarks];
  return [`${name}: ${counted(numRows, "row")}`, ...lines.map((line) => `  ${line}`)];
}
