/** @file What judges say of an answer that has a human reference. */

/** `refused`: no answer was given. */
export const VERDICTS = ["correct", "incorrect", "refused"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Of several judges: what more than half of them say, else `undecided`. */
export type PanelVerdict = Verdict | "undecided";
