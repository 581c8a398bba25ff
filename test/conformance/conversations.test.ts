/** Rows in the four shapes under five kinds of chat template: everywhere the ids that transformers' apply_chat_template gives. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { askedTask } from "../../src/data/asked-task.ts";
import { loadTask } from "../../src/data/load-task.ts";
import { openTemplate, tokenizeLabels } from "../../src/data/tokens/chat-template.ts";
import { withShots } from "../../src/data/tokens/few-shot.ts";
import { prepareTask } from "../../src/data/tokens/prepare.ts";
import { openTokenizer } from "../../src/data/tokens/tokenizers.ts";
import { turnsOf } from "../../src/data/tokens/turns.ts";
import { chatPrompt, type LocalModel } from "../../src/eval/local-model.ts";
import type { TaskSpec } from "../../src/specs/types.ts";

interface Case {
  row: Record<string, unknown>;
  prompt: number[];
  few_shot: number[];
  /** The row's own answer first. */
  answers: Record<string, number[]>;
}
const GOLDEN = join(import.meta.dirname, "../golden/data-tokenizer");
const { shots, templates } = JSON.parse(readFileSync(join(GOLDEN, "shapes", "expected.json"), "utf8")) as {
  shots: { prompt: string; answer: string }[];
  templates: Record<string, { template: string; shapes: Record<string, Case[]> }>;
};
const temp = mkdtempSync(join(tmpdir(), "mixtune-conversations-"));
afterAll(() => rmSync(temp, { recursive: true, force: true }));

describe.each(Object.entries(templates))("a chat template %s", (name, { template: source, shapes }) => {
  const folder = join(temp, name.replaceAll(" ", "-"));
  cpSync(join(GOLDEN, "kinds", "byte-level-digits"), folder, { recursive: true });
  writeFileSync(join(folder, "chat_template.jinja"), source);
  const tokenizer = openTokenizer(folder);
  const template = openTemplate(folder, tokenizer);
  const options = { cutoffLen: 1000, lossOn: "answer", onBadRow: "stop" } as const;
  const cases = Object.entries(shapes).flatMap(([shape, all]) => all.map((one, i) => ({ shape, i, ...one })));

  test.each(cases)("$shape $i: trained, scored, behind shots, predicted and served", async (one) => {
    const [answer, other] = Object.keys(one.answers) as [string, string];
    const file = join(folder, `${one.shape.replace("/", "-")}-${one.i}.jsonl`);
    writeFileSync(file, `${JSON.stringify(one.row)}\n`);
    const spec: TaskSpec = { name: "t", data: { train: file, dev: file, test: file } };
    const task = await loadTask(spec, {});

    const trained = prepareTask(task, tokenizer, template, options).split("train").tokenized[0]!;
    expect([...trained.prompt]).toEqual(one.prompt);
    expect([...trained.prompt, ...trained.answer]).toEqual(one.answers[answer]);

    const labels = tokenizeLabels([answer, other], template);
    expect(labels.map((ids) => [...one.prompt, ...ids])).toEqual([one.answers[answer], one.answers[other]]);

    const shown = prepareTask(withShots(task, shots), tokenizer, template, options).split("test").tokenized[0]!;
    expect([...shown.prompt]).toEqual(one.few_shot);

    const question = askedTask(spec).question(one.row, "line 1");
    if ("problem" in question) throw new Error(question.problem);
    const model = { tokenizer, template, network: { maxPositions: 1000 } } as LocalModel;
    expect([...chatPrompt(model, turnsOf(question))]).toEqual(one.prompt);
  });
});

test("what is merged or closed is said", async () => {
  const notes = async (name: string) => {
    const folder = join(temp, name.replaceAll(" ", "-"));
    const tokenizer = openTokenizer(folder);
    const { row } = templates[name]!.shapes.messages![0]!;
    const file = join(folder, "said.jsonl");
    writeFileSync(file, `${JSON.stringify(row)}\n`);
    const task = await loadTask({ name: "t", data: { train: file, dev: file, test: file } }, {});
    const options = { cutoffLen: 1000, lossOn: "answer", onBadRow: "stop" } as const;
    return prepareTask(task, tokenizer, openTemplate(folder, tokenizer), options).split("train").notes;
  };
  expect(await notes("with system role")).toEqual([]);
  expect(await notes("without")).toEqual([
    "t/train: 1 of 1 conversations that the chat template does not take as they are: system text stands in the user's turn.",
  ]);
  expect(await notes("with an open thought")).toEqual([
    "The chat template opens <think> where an answer begins: answers close it first, with </think>.",
  ]);
});
