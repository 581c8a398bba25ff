/** @file A word of a command that can be copied. */

/** As a POSIX shell reads it: in quotes where it needs them. */
export function shellWord(word: string): string {
  return /^[\w./:@=,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
