import { describe, expect, test } from "vitest";
import type { Message } from "../../specs/message.ts";
import { PLAIN_TEXT } from "./chat-template.ts";
import { asked, neighborsMerged, systemMerged, turnsOf } from "./turns.ts";

/** `s` system, `u` user, `a` assistant. */
function turns(...texts: string[]): Message[] {
  const roles = { s: "system", u: "user", a: "assistant" } as const;
  return texts.map((text) => ({ role: roles[text[0] as "s" | "u" | "a"], content: text }));
}
const shots = [
  { prompt: "2 + 2", answer: "4" },
  { prompt: "3 + 3", answer: "6" },
];

describe("the turns of a question", () => {
  test("are one user's turn, or the row's own", () => {
    expect(turnsOf({ prompt: "1 + 1" })).toEqual(asked("1 + 1"));
    expect(turnsOf({ prompt: "all", turns: turns("s", "u") })).toEqual(turns("s", "u"));
  });

  test("have shots in front, as the plain template writes prompt and answer", () => {
    const written = PLAIN_TEXT.render(turnsOf({ prompt: "1 + 1" }, shots));
    expect(written).toBe("2 + 2\nAnswer: 4\n\n3 + 3\nAnswer: 6\n\n1 + 1\nAnswer:");
  });

  test("have shots behind their system text, which a shot does not repeat, and in front of earlier turns", () => {
    const question = { prompt: "", turns: turns("s", "u1", "a1", "u2") };
    const shot = { prompt: "", turns: turns("s", "u3"), answer: "a3" };
    expect(turnsOf(question, [shot])).toEqual(turns("s", "u3", "a3", "u1", "a1", "u2"));
    const other = { prompt: "", turns: turns("s other", "u3"), answer: "a3" };
    expect(turnsOf(question, [other]).map(({ content }) => content)).toEqual([
      ...["s", "s other\n\nu3", "a3", "u1", "a1", "u2"],
    ]);
  });
});

describe("merging", () => {
  const texts = (list: readonly Message[]) => list.map(({ content }) => content);

  test("system text stands in the user's turn that follows it, else behind the last before it", () => {
    expect(texts(systemMerged(turns("s1", "s2", "u1", "a", "s3", "u2")))).toEqual(["s1\n\ns2\n\nu1", "a", "s3\n\nu2"]);
    expect(texts(systemMerged(turns("u1", "s1")))).toEqual(["u1\n\ns1"]);
    expect(texts(systemMerged(turns("s1")))).toEqual(["s1"]);
    const none = turns("u1", "a1");
    expect(systemMerged(none)).toBe(none);
  });

  test("turns of one role are one, and the given turns stay as they are", () => {
    const given = turns("u1", "u2", "a1", "a2", "u3");
    expect(texts(neighborsMerged(given))).toEqual(["u1\n\nu2", "a1\n\na2", "u3"]);
    expect(texts(given)).toEqual(["u1", "u2", "a1", "a2", "u3"]);
    expect(neighborsMerged(given.slice(1, 3))).toHaveLength(2);
  });
});
