import { describe, expect, test } from "vitest";
import { type Panel, panelDigest, panelOpinions } from "./panel.ts";

const said = (text: string, finish_reason = "stop") => ({ text, finish_reason });

describe("a panel", () => {
  test("puts the replies to each answer together, with the majority's verdict", () => {
    const replies = [
      [said("REASON: a\nVERDICT: correct"), said("VERDICT: correct"), said("VERDICT: refused")],
      [said("REASON: b\nVERDICT: correct"), said("VERDICT: incorrect"), said("VERDICT: refused", "length")],
      [said("I would rather not."), said("VERDICT: refused"), said("", "content_filter")],
    ];
    const opinions = panelOpinions(["x", "y", "z"], replies);
    expect(opinions.map(({ verdict }) => verdict)).toEqual(["correct", "undecided", "undecided"]);
    expect(opinions[0]!.judges).toEqual([
      { judge: "x", verdict: "correct", reason: "a" },
      { judge: "y", verdict: "correct", reason: "b" },
      { judge: "z", verdict: null, reason: "I would rather not." },
    ]);
    expect(opinions[2]!.judges.map(({ verdict }) => verdict)).toEqual(["refused", null, null]);
  });

  test("is another with other judges, another endpoint or longer replies", () => {
    const panel: Panel = { judges: ["x", "y"], baseUrl: "http://h/v1", api: "chat", maxTokens: 9 };
    const others: Partial<Panel>[] = [
      ...[{ judges: ["x"] }, { judges: ["xy"] }, { baseUrl: "http://i/v1" }],
      ...[{ api: "completions" as const }, { maxTokens: 10 }],
    ];
    const digests = [{}, ...others].map((more) => panelDigest({ ...panel, ...more }));
    expect(new Set(digests).size).toBe(6);
    expect(panelDigest({ ...panel })).toBe(digests[0]);
  });
});
