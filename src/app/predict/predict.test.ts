import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkspace } from "../workspace.ts";
import { predict } from "./predict.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-predict-"));
  writeFileSync(join(folder, "a.jsonl"), '{"text": "x", "team": "cards"}\n');
  const task = `{data: {train: a.jsonl}, prompt: "Which? {text}", answer: {kind: text, field: team}}`;
  const document = "{data: {train: a.jsonl}, answer: {kind: document, field: text}}";
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s\nmodels: [mixtune/tiny]\ntasks:\n  teams: ${task}\n  causes: ${task}\n  texts: ${document}\ndesign: [all]\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[string, string | undefined, string]>([
  ["a study", "study.yaml", "one of teams, causes"],
  ["the catalogue", undefined, "a task of the catalogue, or of options.study FILE"],
])("without a task, those of %s are named", async (_, study, expected) => {
  const options = { input: "new.csv", out: "answers.csv", study: study && join(folder, study) };
  const error = { place: "options.task", expected, got: "none" };
  await expect(predict("mixtune/tiny", openWorkspace(), options)).rejects.toMatchObject(error);
});
