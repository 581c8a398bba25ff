import { expect, test } from "vitest";
import { listTasks } from "./list-tasks.ts";

test("the catalogue is a list of records", () => {
  expect(listTasks("/nowhere").find(({ name }) => name === "gsm8k")).toMatchObject({
    kind: "number",
    variants: { answer: expect.any(String), reasoning: expect.any(String) },
    prompt_styles: ["plain", "bare"],
    from: [
      { kind: "local", is_here: false },
      { kind: "hub", id: "openai/gsm8k", seen_in: "EleutherAI/lm-evaluation-harness lm_eval/tasks/gsm8k/gsm8k.yaml" },
    ],
  });
});
