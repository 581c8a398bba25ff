/** @file Which character separates the cells of a .csv: a comma, or the semicolon or tab that spreadsheets and databases write. */

import { readTextPieces } from "./pieces.ts";

const DELIMITERS = [",", ";", "\t"] as const;
/** Characters and rows that are looked at. */
const MAX_CHARACTERS = 64 << 10;
const MAX_ROWS = 50;

/**
 * The delimiter of which the first rows all have as many as the header, outside quotes; of several the one that makes the most columns. Where none
 * does, the commonest of the header. A comma if in doubt.
 * @throws {DataError} as readTextPieces
 */
export async function delimiterOf(path: string, quotes: boolean): Promise<string> {
  let text = "";
  for await (const piece of readTextPieces(path)) {
    text += piece;
    if (text.length >= MAX_CHARACTERS) break;
  }
  const [header, ...rows] = countsIn(text.slice(0, MAX_CHARACTERS), quotes, text.length < MAX_CHARACTERS);
  if (header === undefined) return ",";
  const agreeing = DELIMITERS.map((_, i) => (rows.every((row) => row[i] === header[i]) ? header[i]! : 0));
  const most = agreeing.some((count) => count > 0) ? agreeing : header;
  return DELIMITERS[most.indexOf(Math.max(...most))]!;
}

/** How many of each delimiter the first rows have outside quotes; blank rows are passed over. */
function countsIn(text: string, quotes: boolean, isWhole: boolean): number[][] {
  const rows: number[][] = [];
  let counts = DELIMITERS.map(() => 0);
  let isQuoted = false;
  let isBlank = true;
  for (const character of isWhole ? `${text}\n` : text) {
    if (character === "\n" && !isQuoted) {
      if (!isBlank && rows.push(counts) === MAX_ROWS) return rows;
      counts = DELIMITERS.map(() => 0);
      isBlank = true;
      continue;
    }
    if (character === '"' && quotes) isQuoted = !isQuoted;
    const i = isQuoted ? -1 : DELIMITERS.indexOf(character as ",");
    if (i >= 0) counts[i]!++;
    if (character.trim() !== "" || i >= 0) isBlank = false;
  }
  return rows;
}
