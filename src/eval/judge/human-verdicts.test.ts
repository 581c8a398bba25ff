import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import { readHumanVerdicts } from "./human-verdicts.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-verdicts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("answers that people judged", () => {
  test("are read from a table", async () => {
    const path = file("own.csv", "question,reference,answer,verdict\nHow much?,12,,Refused\nWho?,Ann,Bob,incorrect\n");
    expect(await readHumanVerdicts(path)).toEqual([
      { id: `${path}:2`, question: "How much?", reference: "12", answer: "", human: "refused" },
      { id: `${path}:3`, question: "Who?", reference: "Ann", answer: "Bob", human: "incorrect" },
    ]);
  });

  test("are read as FinanceBench's authors have them, with numbers for references", async () => {
    const row = (gold_answer: unknown, label: string) =>
      JSON.stringify({ id: 1, question: "How much?", gold_answer, model_answer: "12", label });
    const rows = [row(12, "Correct Answer"), row(0.5, "Incorrect Answer"), row("none", "Refusal")];
    const read = await readHumanVerdicts(file("theirs.jsonl", rows.join("\n")));
    expect(read.map(({ reference, human }) => [reference, human])).toEqual([
      ["12", "correct"],
      ["0.5", "incorrect"],
      ["none", "refused"],
    ]);
  });

  test.each<[string, string, RegExp]>([
    ["no rows", "", /no rows/],
    ["other columns", '{"q":"x"}', /columns question, reference, answer, verdict; or .*, got q\./],
    [
      "another word",
      '{"question":"x","reference":"y","answer":"z","verdict":"maybe"}',
      /:1: verdict: expected correct, inc.*got maybe/,
    ],
    [
      "no reference",
      '{"question":"x","reference":" ","answer":"z","verdict":"correct"}',
      /:1: reference: expected a text/,
    ],
    ["no answer", '{"question":"x","reference":"y","answer":null,"verdict":"correct"}', /:1: answer: .*got none/],
  ])("are refused with %s", async (name, text, message) => {
    const reading = readHumanVerdicts(file(`${name}.jsonl`, text));
    await expect(reading).rejects.toThrow(DataError);
    await expect(reading).rejects.toThrow(message);
  });
});
