/** @file Texts of studies and models inside Markdown. They are hostile: none may end what it stands in, or begin anything of its own. */

import { visible, visibleLine } from "../../base/visible.ts";

/** As words of a line. */
export function words(text: string): string {
  return visibleLine(text, 300).replaceAll(/[\\`*_[\]<>|~&#!$]/g, "\\$&");
}

/** As code within a line; not for a cell of a table, which a `|` would end. */
export function code(text: string): string {
  const line = visibleLine(text, 300);
  const fence = fenceFor(line, 1);
  return /^`|`$/.test(line) || line === "" ? `${fence} ${line} ${fence}` : fence + line + fence;
}

/** As lines of code. @param language  after the opening fence */
export function block(text: string, language = ""): string {
  const fence = fenceFor(text, 3);
  return `${fence}${language}\n${visible(text)}\n${fence}`;
}

/** As a string of JSON, JavaScript or Python, on one line, in which every hidden character is written as its code. */
export function quoted(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[^\n -~]/g, (c) => {
    const isSafe = visible(c) === c && !/\p{Surrogate}/u.test(c);
    return isSafe ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** More backticks in a row than the text has. */
function fenceFor(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}
