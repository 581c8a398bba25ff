/** @file Text of data and models made safe to print: what a terminal would obey, or what would hide, is shown as its code. */

/**
 * Control characters but line feed and tab (escape sequences begin with one), direction marks and overrides, zero-width characters, line and
 * paragraph separators, lone surrogates.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu;

/** The text with each such character as `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** The same on one line, at most `length` characters. */
export function visibleLine(text: string, length: number): string {
  const line = visible(text.replace(/\s+/g, " ").trim());
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
