import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, SpecError } from "../../base/errors.ts";
import type { MadeBy } from "../../base/made-by.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { modelRef, type OpenedModel, openModelFiles } from "../models/model-files.ts";
import { openWorkspace } from "../workspace.ts";
import { claimOutput, madeBy, madeByPath } from "./made-by.ts";

const TASK: TaskSpec = {
  name: "teams",
  prompt: "Which team?\n{text}",
  answer: { kind: "label", field: "team", labels: ["a", "b"] },
};

let folder: string;
let opened: OpenedModel;
let mine: MadeBy;
let out: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-made-by-"));
  out = join(folder, "answers.jsonl");
  const workspace = openWorkspace();
  opened = await openModelFiles(await modelRef("mixtune/tiny", workspace), workspace);
  mine = madeBy(opened, TASK, undefined);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an output", () => {
  test("is claimed before its first answer, and resumed by the same maker", () => {
    claimOutput(out, mine, 0);
    expect(existsSync(madeByPath(out))).toBe(true);
    expect(() => claimOutput(out, { ...mine }, 3)).not.toThrow();
  });

  test.each([
    "weights_digest",
    "tokenizer_digest",
    "template_digest",
    "prompt",
    "answer",
    "model",
    "max_new_tokens",
    "checkpoint",
  ])("is refused to a maker with another %s, by that key alone", (key) => {
    claimOutput(out, mine, 0);
    const other = { ...mine, [key]: "something else" };
    expect(() => claimOutput(out, other, 3)).toThrow(SpecError);
    expect(() => claimOutput(out, other, 3)).toThrow(new RegExp(`got ${key} "something else"\\.`));
  });

  test("without answers is anybody's", () => {
    claimOutput(out, mine, 0);
    claimOutput(out, { ...mine, prompt: "another" }, 0);
    expect(() => claimOutput(out, mine, 1)).toThrow(/prompt/);
  });

  test("of an earlier version has no record, and is resumed", () => {
    expect(() => claimOutput(join(folder, "old.jsonl"), mine, 3)).not.toThrow();
  });

  test("with a damaged record is refused", () => {
    writeFileSync(madeByPath(out), '{"prompt"');
    expect(() => claimOutput(out, mine, 3)).toThrow(DataError);
  });
});

test("holds the digests of the opened model, and everything of the task that decides what is asked", () => {
  expect(mine).toEqual({
    ...{ model: "mixtune/tiny", prompt: TASK.prompt, answer: TASK.answer },
    ...{ weights_digest: opened.model.digest, tokenizer_digest: opened.tokenizer.digest },
    template_digest: opened.template.digest,
  });
  const more = {
    fit: { field: "text", keep: "end" },
    catalogue: "fpb",
    variant: "allagree",
    prompt_style: "plain",
  } as const;
  expect(madeBy(opened, { ...TASK, ...more }, 9)).toEqual({ ...mine, ...more, max_new_tokens: 9 });
});
