import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { servedText } from "./serve-text.ts";

const models = [
  { name: "it's", context: 9 },
  { name: "b", context: 8 },
];

test.each([false, true])("a first request is one that a shell sends as it is (with a key: %s)", (hasKey) => {
  const lines = servedText("http://127.0.0.1:1/v1", models, hasKey).split("\n");
  expect(lines.slice(0, 3)).toEqual(["http://127.0.0.1:1/v1", "  it's  (9 tokens)", "  b  (8 tokens)"]);
  const command = lines.at(-1)!.replace("curl", "printf '%s\\n'");
  const sent = execFileSync("sh", ["-c", command], { encoding: "utf8", env: { MIXTUNE_API_KEY: "k" } }).split("\n");
  expect(sent[0]).toBe("http://127.0.0.1:1/v1/chat/completions");
  expect(sent.includes("Authorization: Bearer k")).toBe(hasKey);
  const messages = [{ role: "user", content: "Your question" }];
  expect(JSON.parse(sent.at(-2)!)).toEqual({ model: "it's", temperature: 0, messages });
});
