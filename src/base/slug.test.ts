import { describe, expect, test } from "vitest";
import { folderSlug, keySlug } from "./slug.ts";

describe("keySlug", () => {
  test.each([
    ["Our Tickets", "our-tickets"],
    ["llama3_lora_sft", "llama3_lora_sft"],
    ["--data (final)--", "data-final"],
    ["_züge_", "z-ge"],
    ["???", ""],
    ["a".repeat(70), "a".repeat(64)],
  ])("%s is %s", (text, slug) => expect(keySlug(text)).toBe(slug));
});

describe("folderSlug", () => {
  test.each([
    ["HuggingFaceTB/SmolLM2-135M", "HuggingFaceTB--SmolLM2-135M"],
    ["ft:gpt-4o-mini:org::id", "ft--gpt-4o-mini--org--id"],
    ["my model_v1.5", "my--model_v1.5"],
    ["..", ".."],
    ["été", "--t--"],
  ])("%s is %s", (text, slug) => expect(folderSlug(text)).toBe(slug));

  test("takes another mark", () => expect(folderSlug("a study/of b", "-")).toBe("a-study-of-b"));
});
