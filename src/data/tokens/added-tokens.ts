/** @file Finds a tokenizer's added tokens in a text, by the rules of the Rust library: the longest at each place, then its flags. */

/** A token that is found in texts before anything else is, as tokenizer.json has it. */
export interface AddedToken {
  id: number;
  content: string;
  /** Found only where no word character stands beside it. */
  single_word: boolean;
  /** Takes the white space in front of it. */
  lstrip: boolean;
  /** Takes the white space behind it. */
  rstrip: boolean;
  /** Found in the normalized text, by its normalized content. */
  normalized: boolean;
  special: boolean;
}

/** A text cut at tokens: what is between them as text, tokens by their ids. */
export type Cut = (text: string) => (string | number)[];

/** Of the next code units of the tokens that begin so; `token` where one ends here. */
interface Node {
  next: Map<string, Node>;
  token?: AddedToken;
}

/** @param spell  what a token is found by */
export function cutter(tokens: readonly AddedToken[], spell: (token: AddedToken) => string): Cut {
  const root: Node = { next: new Map() };
  for (const token of tokens) {
    let node = root;
    for (const unit of spell(token).split("")) {
      const next = node.next.get(unit) ?? { next: new Map() };
      node.next.set(unit, next);
      node = next;
    }
    if (node !== root) node.token ??= token;
  }
  return root.next.size === 0 ? (text) => [text] : (text) => cut(text, root);
}

/** @source tokenizers added_vocabulary.rs find_matches */
function cut(text: string, root: Node): (string | number)[] {
  const pieces: (string | number)[] = [];
  let taken = 0; // text before is in pieces
  let at = 0;
  while (at < text.length) {
    const found = longestAt(text, at, root);
    if (found === undefined) {
      at++;
      continue;
    }
    const { token, end } = found;
    let [start, stop] = [at, end];
    at = end;
    if (token.single_word && !standsAlone(text, start, stop)) continue;
    if (token.lstrip) start = Math.max(taken, start - /\p{White_Space}*$/u.exec(text.slice(taken, start))![0].length);
    if (token.rstrip) stop += /^\p{White_Space}*/u.exec(text.slice(stop))![0].length;
    if (taken < start) pieces.push(text.slice(taken, start));
    pieces.push(token.id);
    taken = stop;
  }
  if (taken < text.length) pieces.push(text.slice(taken));
  return pieces;
}

function longestAt(text: string, start: number, root: Node): { token: AddedToken; end: number } | undefined {
  let found: { token: AddedToken; end: number } | undefined;
  let node: Node | undefined = root;
  for (let end = start; node !== undefined; end++) {
    if (node.token !== undefined) found = { token: node.token, end };
    node = node.next.get(text[end] ?? "");
  }
  return found;
}

/** Characters of words to Rust's regular expressions. */
const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const WORD_AT_END = new RegExp(`${WORD}$`, "u");
const WORD_AT_START = new RegExp(`^${WORD}`, "u");

function standsAlone(text: string, start: number, end: number): boolean {
  return !WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) && !WORD_AT_START.test(text.slice(end, end + 2));
}
