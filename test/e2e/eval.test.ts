/** @file A folder of mixtune eval belongs to what filled it: model, examples, labels and length of answers. */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

const TINY = fileURLToPath(new URL("../../assets/tiny", import.meta.url));

let folder: string;
let remove: () => void;
beforeAll(() => {
  ({ folder, remove } = temporaryFolder());
  cpSync(TINY, join(folder, "model"), { recursive: true });
  writeFileSync(join(folder, "train.jsonl"), rows(8, "train"));
});
afterAll(() => remove());

function rows(num: number, word: string): string {
  const row = (i: number) => JSON.stringify({ text: `${word} ${i}`, team: i % 2 ? "cards" : "loans" });
  return Array.from({ length: num }, (_, i) => `${row(i)}\n`).join("");
}

const study = (more: string) => `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.jsonl, test: test.jsonl}
    prompt: "{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
design: [singles]
${more}`;

/** The bug: scores of what the folder was filled with were reported as those of what was asked for. */
test("scores of other weights, examples or lengths of answers are refused with the keys that differ", async () => {
  const weightsFile = join(folder, "model", "model.safetensors");
  const weights = readFileSync(weightsFile);
  const again = ({ more = "", word = "test", tuned = false }) => {
    writeFileSync(join(folder, "study.yaml"), study(more));
    writeFileSync(join(folder, "test.jsonl"), rows(4, word));
    const bytes = Buffer.from(weights);
    if (tuned) bytes[bytes.length - 2]! ^= 1;
    writeFileSync(weightsFile, bytes);
    return mixtune(["eval", "./model", "--tasks", "study.yaml", "--out", "scores", "--json"], { cwd: folder });
  };
  const first = await again({});
  expect(first).toMatchObject({ status: 0 });
  expect((await again({})).stdout).toBe(first.stdout);
  const refused = async (change: Parameters<typeof again>[0], message: RegExp) => {
    const { status, stderr } = await again(change);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  };
  await refused({ tuned: true }, /holds scores.*weights_digest "[0-9a-f]+".*weights_digest "[0-9a-f]+"/s);
  await refused({ word: "other" }, /teams test\.examples "[0-9a-f]+".*teams test\.examples/s);
  await refused({ more: "eval: {max_new_tokens: 7}\n" }, /teams test\.max_new_tokens none.*max_new_tokens 7/s);
  expect(await again({})).toMatchObject({ status: 0, stdout: first.stdout });
});
