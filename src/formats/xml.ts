/**
 * @file XML text as a plain tree. saxes parses, strictly; document types, and with them entities of one's own and external files, are refused here.
 * Comments and processing instructions are passed over.
 */

import { SaxesParser } from "saxes";
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

/**
 * The root element of an XML document.
 *
 * @param place  the file, for messages, which name the line
 * @throws {DataError} XML that is not well-formed, a document type, nesting beyond 200
 */
export function parseXml(source: string, place: string): XmlElement {
  const parser = new SaxesParser();
  const fail = (expected: string, got: string, line = parser.line): never => {
    throw new DataError({ place: `${place}:${line}`, expected, got, remedy: "Fix the XML, or fetch it again." });
  };
  const top: XmlElement = { name: "", attributes: {}, children: [], line: 0 };
  const open: XmlElement[] = [top];
  let numElements = 0;
  let line = 1;
  const addText = (text: string) => {
    const { children } = open.at(-1)!;
    const last = children.at(-1);
    if (typeof last === "string") children[children.length - 1] = last + text;
    else children.push(text);
  };
  parser.on("error", ({ message }) => fail("well-formed XML", message.replace(/^\d+:\d+: /, "").replace(/\.$/, "")));
  parser.on("doctype", () => fail("XML without a document type", "one"));
  parser.on("opentagstart", () => {
    line = parser.line;
    if (open.length > MAX_DEPTH) fail(`at most ${MAX_DEPTH} elements inside one another`, "more");
    if (++numElements > MAX_ELEMENTS) fail(`at most ${MAX_ELEMENTS} elements`, "more");
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes, children: [], line };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => open.pop());
  parser.on("text", (text) => open.length > 1 && addText(text));
  parser.on("cdata", addText);
  parser.write(source).close();
  return top.children[0] as XmlElement;
}

/** Child elements of a name. */
export function elementsIn(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child === "object" && child.name === name);
}

/** All text inside, elements within included, in order. */
export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === "string" ? child : textOf(child))).join("");
}
