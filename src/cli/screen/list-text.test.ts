import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { listTasks } from "../../app/tasks/list-tasks.ts";
import { listText } from "./list-text.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-list-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("says of each task how it is answered and ranked, what it is for and where it is read from", () => {
  mkdirSync(join(folder, "svamp"));
  writeFileSync(join(folder, "svamp", "SVAMP.json"), "[]");
  const text = listText(listTasks(folder));
  const line = (name: string) => text.split("\n").find((row) => row.startsWith(`${name} `)) ?? "";
  expect(line("svamp")).toMatch(
    / number +number_accuracy +MIT +train and evaluate +local files or hub ChilleD\/SVAMP$/,
  );
  expect(line("mmlu")).toMatch(
    / label +accuracy +MIT +evaluation only +local files \(not in MIXTUNE_DATA\) or hub cais\/mmlu/,
  );
  expect(line("open-orca")).toMatch(
    / text +answer_logprob +reportedly MIT +train and evaluate +hub Open-Orca\/OpenOrca/,
  );
  expect(line("gen-topic")).toMatch(/ train and evaluate +mixtune itself$/);
});
