/**
 * @file XML text as a plain tree. Deliberately small: elements, attributes, text, CDATA, character references and the five predefined entities.
 * Document types, and with them entities of one's own and external files, are refused; comments and processing instructions are passed over.
 */

import { DataError } from "../base/errors.ts";

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  /** Elements and the texts between them, in order; white space is kept. */
  children: (XmlElement | string)[];
  /** Line of its tag, from 1. */
  line: number;
}

/** Deeper nesting is no dataset. */
const MAX_DEPTH = 200;
const MAX_ELEMENTS = 5_000_000;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const NAME = String.raw`[\p{L}_:][\p{L}\p{N}._:-]*`;
const OPEN = new RegExp(String.raw`<(${NAME})((?:\s+${NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(/?)>`, "uy");
const CLOSE = new RegExp(String.raw`</(${NAME})\s*>`, "uy");
const ATTRIBUTE = new RegExp(String.raw`(${NAME})\s*=\s*(?:"([^"]*)"|'([^']*)')`, "gu");

/**
 * The root element of an XML document.
 *
 * @param place  the file, for messages, which name the line
 * @throws {DataError} tags that do not match, a document type, an entity beyond the five, text outside the root, nesting beyond 200
 */
export function parseXml(source: string, place: string): XmlElement {
  const text = source.replace(/\r\n?/g, "\n"); // as the XML recommendation has it
  const lineAt = lineCounter(text);
  const fail = (at: number, expected: string, got: string): never => {
    throw new DataError({
      place: `${place}:${lineAt(at)}`,
      expected,
      got,
      remedy: "Put the XML right, or fetch it again.",
    });
  };
  const decode = (raw: string, at: number): string =>
    raw.replace(/&([^;&\s]{0,40})(;?)/g, (_, body: string, end: string) => {
      const decoded = end === ";" ? (entityOf(body) ?? characterOf(body)) : undefined;
      return decoded ?? fail(at, "one of &amp; &lt; &gt; &quot; &apos; or a character reference", `&${body}${end}`);
    });
  const top: XmlElement = { name: "", attributes: {}, children: [], line: 0 };
  const open: XmlElement[] = [top];
  let numElements = 0;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const current = () => open.at(-1) as XmlElement;
  const addText = (piece: string, from: number) => {
    if (piece === "") return;
    if (open.length === 1) {
      if (piece.trim() !== "")
        fail(from, "text inside the root element only", JSON.stringify(piece.trim().slice(0, 40)));
      return;
    }
    const { children } = current();
    const last = children.at(-1);
    if (typeof last === "string") children[children.length - 1] = last + piece;
    else children.push(piece);
  };
  /** Passes over what stands up to `end`, whose first character is searched `skip` characters on. */
  const through = (end: string, skip: number, what: string): string => {
    const stop = text.indexOf(end, at + skip);
    if (stop < 0) fail(at, `${what} that ends with ${end}`, "the end of the file");
    const inner = text.slice(at + skip, stop);
    at = stop + end.length;
    return inner;
  };
  while (at < text.length) {
    const tag = text.indexOf("<", at);
    const until = tag < 0 ? text.length : tag;
    addText(decode(text.slice(at, until), at), at);
    at = until;
    if (at === text.length) break;
    if (text.startsWith("<!--", at)) through("-->", 4, "a comment");
    else if (text.startsWith("<![CDATA[", at)) {
      const from = at;
      addText(through("]]>", 9, "a CDATA section"), from);
    } else if (text.startsWith("<?", at)) through("?>", 2, "a processing instruction");
    else if (text.startsWith("<!", at)) fail(at, "XML without a document type", `${text.slice(at, at + 20)}…`);
    else if (text.startsWith("</", at)) {
      CLOSE.lastIndex = at;
      const name = CLOSE.exec(text)?.[1];
      if (open.length === 1 || name !== current().name)
        fail(at, open.length === 1 ? "an opening tag" : `</${current().name}>`, text.slice(at, at + 40));
      open.pop();
      at = CLOSE.lastIndex;
    } else {
      OPEN.lastIndex = at;
      const [whole, name, attributes, empty] = OPEN.exec(text) ?? fail(at, "a tag", text.slice(at, at + 40));
      if (open.length === 1 && top.children.length > 0) fail(at, "one root element", `another: <${name}>`);
      if (open.length > MAX_DEPTH) fail(at, `at most ${MAX_DEPTH} elements inside one another`, "more");
      if (++numElements > MAX_ELEMENTS) fail(at, `at most ${MAX_ELEMENTS} elements`, "more");
      const element = {
        name: name as string,
        attributes: attributesOf(attributes as string, at),
        children: [],
        line: lineAt(at),
      };
      current().children.push(element);
      if (empty === "") open.push(element);
      at += (whole as string).length;
    }
  }
  if (open.length > 1)
    fail(text.length, `</${current().name}>, opened in line ${current().line}`, "the end of the file");
  const root = top.children[0];
  return typeof root === "object" ? root : fail(text.length, "an element", "none");

  function attributesOf(written: string, from: number): Record<string, string> {
    const pairs = [...written.matchAll(ATTRIBUTE)].map(([, name, double, single]): [string, string] => [
      name as string,
      decode((double ?? single) as string, from),
    ]);
    const names = pairs.map(([name]) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) fail(from, "each attribute once", `${twice} twice`);
    return Object.fromEntries(pairs);
  }
}

/** Child elements of a name. */
export function elementsIn(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child === "object" && child.name === name);
}

/** All text inside, elements within included, in order. */
export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === "string" ? child : textOf(child))).join("");
}

function entityOf(body: string): string | undefined {
  return Object.hasOwn(ENTITIES, body) ? ENTITIES[body] : undefined;
}

/** `#65` and `#x41`: only characters that XML allows. */
function characterOf(body: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(body);
  if (digits === null) return undefined;
  const code = digits[1] !== undefined ? Number.parseInt(digits[1], 16) : Number(digits[2]);
  const isAllowed =
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code < 0xd800) ||
    (code > 0xdfff && code < 0xfffe) ||
    (code > 0xffff && code <= 0x10ffff);
  return isAllowed ? String.fromCodePoint(code) : undefined;
}

/** Lines of positions that only grow. */
function lineCounter(text: string): (at: number) => number {
  let line = 1;
  let counted = 0;
  return (at) => {
    for (let next = text.indexOf("\n", counted); next >= 0 && next < at; next = text.indexOf("\n", counted)) {
      line++;
      counted = next + 1;
    }
    return line;
  };
}
