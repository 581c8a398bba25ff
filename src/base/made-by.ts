/** @file Whose work an output is: what made it, as keys and values kept beside it, so that nobody's is taken for another's. */

import { canonicalJson } from "./canonical-json.ts";
import { differences } from "./differences.ts";
import { sha256 } from "./digest.ts";
import { SpecError } from "./errors.ts";

/** What an output follows from, as plain JSON. */
export type MadeBy = Readonly<Record<string, unknown>>;

/** Characters of a value that a message shows. */
const SHOWN = 200;

/**
 * @param place   the output, for the message
 * @param remedy  what to do about another maker's
 * @throws {SpecError} another maker, with the keys that differ
 */
export function refuseOtherMaker(place: string, theirs: MadeBy, mine: MadeBy, remedy: string): void {
  const differing = differences(theirs, mine);
  if (differing.length === 0) return;
  const said = (side: "before" | "after") => differing.map((one) => `${one.key} ${shown(one[side])}`).join(", ");
  throw new SpecError({ place, expected: said("before"), got: said("after"), remedy });
}

/** A value, cut where it is long; what was cut differs in its digest. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  const text = canonicalJson(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN / 2)}… (digest ${sha256(text).slice(0, 8)})`;
}
