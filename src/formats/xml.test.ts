import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../base/errors.ts";
import { elementsIn, parseXml, textOf } from "./xml.ts";

function refused(text: string): string {
  try {
    parseXml(text, "p.xml");
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  throw new Error(`not refused: ${text.slice(0, 80)}`);
}

test("gives elements, attributes, texts and lines", () => {
  const root = parseXml(
    `\ufeff<?xml version="1.0"?>
<!-- problems --><set kind='a "b"'>
  <problem id="1">Two &lt; three &amp; &#x41;&#66;<![CDATA[ <raw> ]]></problem><empty/>
</set>
`,
    "p.xml",
  );
  expect([root.name, root.attributes, root.line]).toEqual(["set", { kind: 'a "b"' }, 2]);
  const [problem] = elementsIn(root, "problem");
  expect(problem).toEqual({
    name: "problem",
    attributes: { id: "1" },
    children: ["Two < three & AB <raw> "],
    line: 3,
  });
  expect(elementsIn(root, "empty")).toHaveLength(1);
  expect(textOf(root).trim()).toBe("Two < three & AB <raw>");
});

describe("refuses", () => {
  test.each([
    [
      "an entity bomb",
      '<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><l>&b;</l>',
      /:1: expected XML without a document type/,
    ],
    ["an external entity", '<!DOCTYPE l SYSTEM "file:///etc/passwd"><l/>', /document type/],
    ["an unknown entity", "<l>\n&nbsp;</l>", /:2: .*got undefined entity/],
    ["a lone &", "<l>a & b</l>", /:1: expected well-formed XML/],
    ["a character that XML does not have", "<l>&#0;</l>", /malformed character entity/],
    ["a tag that is not closed", "<a>\n<b></a>", /:2: .*got unexpected close tag/],
    ["the end too early", "<a>\n<b>", /:2: .*got unclosed tag: b/],
    ["a closing tag too many", "<a/></a>", /unmatched closing tag: a/],
    ["two roots", "<a/><b/>", /only one root/],
    ["text outside the root", "<a/>tail", /outside of root node/],
    ["an attribute twice", '<a x="1" x="2"/>', /duplicate attribute: x/],
    ["an attribute without quotes", "<a x=1/>", /unquoted attribute value/],
    ["a comment without end", "<a><!-- ", /expected well-formed XML/],
    ["no element", "  ", /document must contain a root element/],
  ])("%s", (_, text, message) => expect(refused(text)).toMatch(message));

  test("nesting without end", () => expect(refused("<a>".repeat(100_000))).toMatch(/at most 200 elements inside/));
});

/** Characters that XML does not have. */
const NO_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

test("reads back any text that is escaped", () => {
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (any) => {
      const text = any.replace(NO_XML, "");
      expect(textOf(parseXml(`<a>${escaped(text)}</a>`, "p"))).toBe(text.replace(/\r\n?/g, "\n"));
    }),
  );
});

test("takes linear time over text made to stall it", () => {
  refused(`<a${" x".repeat(50_000)}>`);
  refused(`<a ${"x = ".repeat(50_000)}>`);
  refused(`<${"a".repeat(500_000)}`);
  refused(`<a x="${"y".repeat(500_000)}`);
  refused("<a><!--".repeat(10_000));
});
