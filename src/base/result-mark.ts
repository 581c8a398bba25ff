/** @file How a worked solution ends: with its result, marked. Here because data writes and takes apart what metrics read. */

/** What stands before the result. */
export const RESULT_MARK = "The answer is ";

/** What follows the last result mark at the beginning of a line; the whole text where there is none. */
export function resultIn(text: string): string {
  const at = `\n${text}`.lastIndexOf(`\n${RESULT_MARK}`);
  return at < 0 ? text : text.slice(at + RESULT_MARK.length);
}

/** What stands in the last \boxed{…}, braces inside it included; undefined where there is none. */
export function lastBoxed(solution: string): string | undefined {
  const start = solution.lastIndexOf("\\boxed{") + "\\boxed{".length;
  if (start < "\\boxed{".length) return undefined;
  let depth = 1;
  for (let at = start; at < solution.length; at++) {
    if (solution[at] === "{") depth++;
    if (solution[at] === "}" && --depth === 0) return solution.slice(start, at).trim() || undefined;
  }
  return undefined;
}
