/** @file Text of tokens as they come: what is certain is handed on, what may still change or become a stop string is held back. */

/** The text of one answer while it grows. */
export interface TextStream {
  /** Reads one more token. Returns the text that has become certain, and whether a stop string ended it. */
  push(id: number): { piece: string; isStopped: boolean };
  /** What was held back, when no token follows; nothing behind a stop string. */
  finish(): string;
  /** Everything handed on so far. */
  text(): string;
}

/** What a decoder puts where bytes are no character, or not yet one. */
const UNFINISHED = /\uFFFD+$/;

/**
 * Text of ids, as a tokenizer gives it.
 * @param isOpen  more ids may follow: the text of all begins with this one, an unfinished character at its end aside
 */
export type Decode = (ids: ArrayLike<number>, isOpen?: boolean) => string;

/** @param stopStrings  the text ends before the first of these; none empty */
export function textStream(decode: Decode, stopStrings: readonly string[]): TextStream {
  const ids: number[] = [];
  let handed = "";
  let isStopped = false;
  const handOn = (certain: string): string => {
    const piece = certain.slice(handed.length);
    handed += piece;
    return piece;
  };
  return {
    push: (id) => {
      ids.push(id);
      const whole = stopStrings.length === 0 ? "" : decode(ids);
      const found = stopStrings.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
      if (found.length > 0) {
        isStopped = true;
        return { piece: handOn(whole.slice(0, Math.min(...found))), isStopped };
      }
      const finished = decode(ids, true).replace(UNFINISHED, "");
      const held = Math.max(0, ...stopStrings.map((stop) => overlap(finished, stop)));
      return { piece: handOn(finished.slice(0, finished.length - held)), isStopped };
    },
    finish: () => (isStopped || ids.length === 0 ? "" : handOn(decode(ids))),
    text: () => handed,
  };
}

/** Length of the longest end of `text` that `stop` begins with, `stop` itself aside. */
function overlap(text: string, stop: string): number {
  for (let n = Math.min(text.length, stop.length - 1); n > 0; n--) if (text.endsWith(stop.slice(0, n))) return n;
  return 0;
}
