/**
 * @file Spans as the text of an answer and back: `type: text; type: text`, or `none`. Here because both sides of a score need the same rules: data
 * writes the gold answers, metrics read the predicted ones.
 *
 * A type or text that would be misread ( `:` in a type, `;`, quotes, line breaks, white space at its ends) stands in JSON quotes.
 */

/** A marked piece of a text and what it is. */
export interface Span {
  text: string;
  type: string;
}

const NO_SPANS = "none";

/** The text that spans are trained as; {@link spansIn} reads it back. */
export function spansText(spans: readonly Span[]): string {
  if (spans.length === 0) return NO_SPANS;
  return spans.map(({ type, text }) => `${quoted(type, /[:;"\r\n]/)}: ${quoted(text, /[;"\r\n]/)}`).join("; ");
}

function quoted(text: string, misread: RegExp): string {
  return text === "" || text.trim() !== text || misread.test(text) ? JSON.stringify(text) : text;
}

const QUOTED = /\s*("(?:[^"\\]|\\.)*")\s*/y;
const PLAIN = { type: /[^:;"\r\n]*/y, text: /[^;"\r\n]*/y };

/**
 * The spans that a whole text is; undefined where it is anything else.
 * A scanner rather than one expression over the whole text: a model's output must not be able to stall it.
 */
export function spansIn(text: string): Span[] | undefined {
  if (text === NO_SPANS) return [];
  const spans: Span[] = [];
  for (let at = 0; ; at++) {
    const type = pieceAt(text, at, PLAIN.type);
    if (type === undefined || text[type.end] !== ":") return undefined;
    const inner = pieceAt(text, type.end + 1, PLAIN.text);
    if (inner === undefined) return undefined;
    spans.push({ text: inner.piece, type: type.piece });
    at = inner.end;
    if (at === text.length) return spans;
    if (text[at] !== ";") return undefined;
  }
}

/** The piece that begins at a place, without quotes and the white space around it, and where it ends. */
function pieceAt(text: string, at: number, plain: RegExp): { piece: string; end: number } | undefined {
  const quotedPiece = matchAt(QUOTED, text, at);
  if (quotedPiece !== null) {
    const piece = unquoted(quotedPiece[1] as string);
    return piece === undefined ? undefined : { piece, end: QUOTED.lastIndex };
  }
  const piece = (matchAt(plain, text, at)?.[0] ?? "").trim();
  return piece === "" ? undefined : { piece, end: plain.lastIndex };
}

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
