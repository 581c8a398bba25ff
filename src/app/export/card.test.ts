import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { type BaseKind, baseKind } from "./base-kind.ts";
import { modelCard } from "./card.ts";
import type { CardFacts } from "./card-facts.ts";
import { EXPORT_FORMAT_NAMES } from "./formats.ts";

const PROMPT = 'It\'s "{text}"\n```\n## Injected\n<img src=x>\u202e$(id) `id`';

/** Every text that a study or a model brings is hostile. */
function facts(change: Partial<CardFacts> = {}): CardFacts {
  const evil = "x`|\n## Injected\n[a](http://b) <img> ![c](d)";
  return {
    name: "tuned",
    to: "hf",
    mixtune: "0.1.0",
    run: { id: "0123456789abcdef", mixture: evil, seed: 3, study: evil },
    base: { name: "org/base@main", kind: "hub", licence: evil },
    template: "plain",
    conversation: { prompt: "Your question\n````\nAnswer:", answer: " its answer" },
    tasks: [
      {
        ...{ name: evil, prompt: PROMPT, isOfCatalogue: false, licence: evil, source: evil },
        answer: { kind: "label", field: "label", labels: ["up", evil] },
      },
    ],
    scores: [
      {
        ...{ task: evil, metric: "accuracy", n: 40, ngram: { value: 0.5 }, majority: undefined },
        model: { value: 0.75, low: 0.6, high: 0.86 },
      },
    ],
    notes: [evil],
    ...change,
  };
}

const withoutCode = (text: string) =>
  text.replaceAll(/^(`{3,})\w*\n.*?\n\1$/gms, "").replaceAll(/(?<![\\`])(`+)(?!`).+?(?<!`)\1(?!`)/g, "");

test.each<[string, BaseKind]>([
  ["org/name", "hub"],
  ["org/name@v1", "hub"],
  ["mixtune/tiny", "shipped"],
  ["/models/base", "folder"],
  ["./base", "folder"],
  ["base", "folder"],
  ["./base.Q8_0.gguf", "gguf"],
])("%s leads to %s", (name, kind) => expect(baseKind(name)).toBe(kind));

describe("a model card", () => {
  test.each(EXPORT_FORMAT_NAMES)("of %s holds hostile texts as text", (to) => {
    const rest = withoutCode(modelCard(facts({ to })));
    const headings = rest.split("\n").filter((line) => line.startsWith("#"));
    expect(headings.filter((line) => line.startsWith("## "))).toEqual([
      "## What it answers",
      "## What it reads",
      "## How to ask",
      "## Scores",
      "## Where it comes from",
    ]);
    expect(headings).toHaveLength(7);
    expect(rest).not.toMatch(/(?<!\\)[<[]|\u202e/);
    // a cell that ends early would make a row longer
    for (const row of rest.split("\n").filter((line) => line.startsWith("|")))
      expect(row.match(/(?<!\\)\|/g)).toHaveLength(7);
  });

  test.each(["hf", "gguf", "ollama"] as const)("of %s has a request that a shell sends as it is", (to) => {
    const line = modelCard(facts({ to }))
      .split("\n")
      .find((one) => one.startsWith("curl "))!;
    const { stdout } = spawnSync("sh", ["-c", line.replace(/^curl .* -d /, "printf %s ")], { encoding: "utf8" });
    const request = JSON.parse(stdout);
    expect(request.messages).toEqual([{ role: "user", content: PROMPT }]);
    expect(request.temperature ?? request.options.temperature).toBe(0);
  });

  test("says what prompt, labels, scores, base and maker are", () => {
    const card = modelCard(facts());
    expect(card).toContain(`\`\`\`\`\n${PROMPT.replace("\u202e", "\\u{202e}")}\n\`\`\`\`\n`);
    expect(card).toContain("The answer is one of: `up`, ``");
    expect(card).toContain("| 40 | 0.750 (0.600 to 0.860) | - | 0.500 |");
    expect(card).toContain("Labels want temperature 0");
    expect(card).toContain("`Answer:`");
    expect(card).toContain("Base model: `org/base@main`, a model of huggingface.co; licence x");
    expect(card).toContain("Made by mixtune 0.1.0 as hf: run `0123456789abcdef`, seed 3");
  });

  test("of an adapter loads its base at its revision; of a GGUF's model says that it was dequantised", () => {
    const base = { name: "/models/base.gguf", kind: "gguf" } as const;
    expect(modelCard(facts({ to: "peft" }))).toContain('from_pretrained("org/base", revision="main")\n');
    expect(modelCard(facts({ base }))).toContain("the weights were dequantised from it; its licence is not recorded");
  });

  test("of a model that nothing of ours trained has no scores and asks a question", () => {
    const card = modelCard(facts({ run: undefined, tasks: [], scores: [], to: "gguf" }));
    expect(card).not.toMatch(/## Scores|## What it answers|temperature 0/);
    expect(card).toContain("session.setChatHistory([]);");
    expect(card).toContain('"content":"Your question"');
  });
});
