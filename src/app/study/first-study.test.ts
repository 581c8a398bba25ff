import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../package.ts";
import { openWorkspace } from "../workspace.ts";
import { NOTHING_YET, type ProposedTask } from "./first-look.ts";
import type { FirstQuestion } from "./first-questions.ts";
import { writeFirstStudy } from "./first-study.ts";
import { studyText } from "./first-text.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-first-study-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rows = Array.from({ length: 60 }, (_, i) => {
  const [team, urgent] = [["cards", "loans", "fraud"][i % 3], i % 2 ? "yes" : "no"];
  return `customer number ${i} writes about matter ${i * 7},${urgent},${team}`;
});
const data = [join(folder, "tickets.csv")];
writeFileSync(data[0]!, `text,urgent,team\n${rows.join("\n")}\n`);

const written = (dir: string) => readFileSync(join(folder, dir, "study.yaml"), "utf8");

test("asks which column, which base and how much, and writes the answers; what an option says is not asked", async () => {
  const asked: FirstQuestion[] = [];
  const answers = ["team", "mixtune/tiny", "careful"];
  const ask = async (question: FirstQuestion) => answers[asked.push(question) - 1]!;
  await writeFirstStudy(join(folder, "asked"), openWorkspace(), { data, ask });
  expect(asked.map(({ text, isOpen }) => [text, isOpen])).toEqual([
    ["tickets: which column is the answer?", false],
    ["Which base model?", true],
    ["How long may it take?", false],
  ]);
  expect(asked[0]!.choices).toEqual([
    { value: "urgent", about: "2 labels" },
    { value: "text", about: "text" },
    { value: "team", about: "3 labels" },
  ]);
  expect(parse(written("asked"))).toMatchObject({
    tasks: { tickets: { answer: { field: "team", labels: ["cards", "fraud", "loans"] } } },
    seeds: [1, 2, 3, 4, 5],
  });
  await writeFirstStudy(join(folder, "told"), openWorkspace(), {
    ...{ data, ask, answer: "team", model: "mixtune/tiny", preset: "quick" as const },
  });
  expect(asked).toHaveLength(3);
  expect(parse(written("told"))).toMatchObject({ design: ["all"], seeds: [1] });
});

test("names a model's folder from the study file, and refuses a column that no file has", async () => {
  const model = join(packageRoot(), "assets", "tiny");
  await writeFirstStudy(join(folder, "own"), openWorkspace(), { data, model });
  const { models } = parse(written("own"));
  expect(models).toEqual([relative(join(folder, "own"), model)]);
  const wrong = writeFirstStudy(join(folder, "wrong"), openWorkspace(), { data, answer: "teem" });
  await expect(wrong).rejects.toThrow(
    /options\.answer: expected a column of the files, got teem\.\n {2}Did you mean team\?/,
  );
});

// The regression: SmolLM2-135M got full fine-tuning at 5e-4 and batches of 32, and a study of 108 rows ten steps.
test.each([
  [135e6, 500, { method: "lora", learning_rate: 1e-3 }],
  [4.6e6, 108, { method: "full", learning_rate: 5e-4 }],
])("of %i weights and %i rows proposes a method, a rate and enough steps", (parameters, numTrain, settings) => {
  const task: ProposedTask = {
    ...{ name: "t", train: "t.csv", numRows: numTrain, found: { ...NOTHING_YET, numTrain } },
    proposal: { text: ["text"], answer: { kind: "text", field: "answer" }, remarks: [] },
  };
  const { train } = parse(studyText("s", [task], { model: "./m", parameters, preset: "normal" }));
  expect(train).toMatchObject(settings);
  const steps = (numTrain * train.num_train_epochs) / train.train_batch_size;
  expect(steps).toBeGreaterThanOrEqual(90);
  expect(train.eval_steps).toBeLessThanOrEqual(steps / 4);
});
