/** @file Tokens back to text, by the decoder of tokenizer.json: each step as the Rust library takes it. */

type Json = Readonly<Record<string, unknown>>;

/** From tokens to tokens, whose texts joined are the text. */
type Step = (tokens: string[]) => string[];

/** Says that a part of the file is not reproduced. */
export type Refuse = (part: string, feature: string) => Error;

/**
 * Text of tokens. `isOpen`: more may follow, so that bytes at the end are left out, which the next one may make no characters.
 * @throws what `refuse` makes, of a step that is not known
 */
export function decoderOf(decoder: unknown, refuse: Refuse): (tokens: string[], isOpen?: boolean) => string {
  if (decoder === null || decoder === undefined) return (tokens) => tokens.join(" ");
  const list = stepsOf(decoder as Json);
  const steps = list.map((step) => stepOf(step, refuse));
  const readsBytes = list.some(({ type }) => type === "ByteFallback");
  return (tokens, isOpen = false) => {
    const isSettled = (token: string) => !BYTE.test(token);
    const settled = isOpen && readsBytes ? tokens.slice(0, tokens.findLastIndex(isSettled) + 1) : tokens;
    return steps.reduce((now, step) => step(now), settled).join("");
  };
}

function stepsOf(decoder: Json): Json[] {
  return decoder.type === "Sequence" && Array.isArray(decoder.decoders) ? decoder.decoders.flatMap(stepsOf) : [decoder];
}

function stepOf(step: Json, refuse: Refuse): Step {
  switch (step?.type) {
    case "ByteLevel":
      return byteLevel;
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace": {
      const from = (step.pattern as Json | undefined)?.String;
      const { content } = step;
      if (typeof from !== "string" || from === "" || typeof content !== "string") break;
      return (tokens) => tokens.map((token) => token.replaceAll(from, () => content));
    }
    case "Strip": {
      const { content, start = 0, stop = 0 } = step;
      if (typeof content !== "string" || [...content].length !== 1 || stop !== 0) break;
      const blanks = new RegExp(`^(?:${content.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&")}){0,${Number(start)}}`, "u");
      return (tokens) => tokens.map((token) => token.replace(blanks, ""));
    }
    case "Metaspace": {
      const { replacement, prepend_scheme = "always" } = step;
      if (typeof replacement !== "string" || replacement === "") break;
      const first = prepend_scheme === "never" ? " " : "";
      return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 ? first : " "));
    }
  }
  throw refuse("decoder", `the step ${JSON.stringify(step)?.slice(0, 80)}`);
}

/** Bytes by the characters that stand for them in byte-level tokens. */
export const BYTE_OF = new Map<string, number>();
for (let byte = 0, more = 256; byte < 256; byte++) {
  const isPlain = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  BYTE_OF.set(String.fromCharCode(isPlain ? byte : more++), byte);
}

/** Bytes to text, with U+FFFD where they are none; a byte order mark stays. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const bytes = new TextEncoder();

function byteLevel(tokens: string[]): string[] {
  const all = tokens.flatMap((token) => {
    const own = Array.from(token, (character) => BYTE_OF.get(character));
    return own.includes(undefined) ? [...bytes.encode(token)] : (own as number[]);
  });
  return [text.decode(Uint8Array.from(all))];
}

/** A byte, as a token of the vocabulary. */
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

function byteFallback(tokens: string[]): string[] {
  const out: string[] = [];
  let open: number[] = [];
  const close = (): void => {
    try {
      if (open.length > 0) out.push(strict.decode(Uint8Array.from(open)));
    } catch {
      out.push(...open.map(() => "\ufffd"));
    }
    open = [];
  };
  for (const token of tokens) {
    const byte = BYTE.exec(token)?.[1];
    if (byte !== undefined) open.push(Number.parseInt(byte, 16));
    else {
      close();
      out.push(token);
    }
  }
  close();
  return out;
}
