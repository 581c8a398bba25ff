import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { planBatches } from "../data/batches/batches.ts";
import { numSupervised } from "../data/batches/packing.ts";
import { openTemplate } from "../data/tokens/chat-template.ts";
import { prepareTask } from "../data/tokens/prepare.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import { sha256OfFile } from "../formats/files.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { tunedLayout } from "../models/network.ts";
import { openModelFolder } from "../models/weights.ts";
import { learningRate } from "../optim/schedule.ts";
import { preparedSchema } from "../specs/prepared.ts";
import { EVAL_DEFAULTS } from "../specs/study-file.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { RunSpec, TrainSpec } from "../specs/types.ts";
import type { Job } from "../study/types.ts";
import { writePreparedRun } from "./prepared-run.ts";

const TINY = join(import.meta.dirname, "../../assets/tiny");
const folder = mkdtempSync(join(tmpdir(), "mixtune-prepared-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tokenizer = openTokenizer(TINY);
const opened = { model: openModelFolder(TINY), tokenizer, template: openTemplate(TINY, tokenizer) };

function task(name: string, size: number): LoadedTask {
  const example = (split: string, i: number): Example => ({
    ...{ id: `${split}#${i}`, prompt: `${name}: was ${"very ".repeat(i % 4)}good year ${i}?`, group: `${split} ${i}` },
    answer: i % 3 === 0 ? "yes" : "no",
  });
  const split = (of: string, num: number) => Array.from({ length: num }, (_, i) => example(of, i));
  const splits = { train: split("train", size), dev: split("dev", 5), test: split("test", 7) };
  const about = { name, licence: "own", source: "own", notes: [], digests: { train: "", dev: "", test: "" } };
  return { ...about, answer: { kind: "label", field: "answer", labels: ["yes", "no"] }, metric: "accuracy", splits };
}

const tasks = new Map(
  [task("a", 11), task("b", 6)].map((one) => [
    one.name,
    prepareTask(one, tokenizer, opened.template, { cutoffLen: 160, lossOn: "answer", onBadRow: "stop" }),
  ]),
);

async function prepared(changed: Partial<TrainSpec>) {
  const train: TrainSpec = { ...TRAIN_DEFAULTS, batch_tokens: null, train_batch_size: 4, cutoff_len: 160, ...changed };
  const identity = { name: "mixtune/tiny", weights_digest: "", tokenizer_digest: "", template_digest: "" };
  const spec: RunSpec = {
    ...{
      format: 1,
      model: identity,
      mixture: { name: "all", ingredients: { a: {}, b: {} } },
      data: {},
      train,
      seed: 3,
    },
    worker: { kind: "torch", threads: 1 },
  };
  const job: Job = {
    ...{
      kind: "run",
      id: "x",
      dir: folder,
      model: "mixtune/tiny",
      model_dir: TINY,
      spec,
      tasks: [],
      eval_tasks: ["a"],
    },
    ...{ eval: { ...EVAL_DEFAULTS, max_test: 4 }, cutoff_len: 160, threads: 1 },
  };
  const { lora_rank, lora_alpha, lora_target } = train;
  const layout = tunedLayout(opened.model.config, { method: "lora", lora: { lora_rank, lora_alpha, lora_target } });
  const to = join(folder, "prepared");
  const machine = {
    ...({ device: "cpu", ranks: 1, precision: "float32" } as const),
    ...{ load_in_4bit: false, compile: false, microBatchTokens: 128 },
  };
  const questions = [{ task: "a", split: "test" }] as const;
  const training = { spec, tasks, layout };
  await writePreparedRun(to, {
    job,
    opened,
    training,
    questions,
    taskToAsk: async (name) => tasks.get(name)!,
    machine,
  });
  const content = preparedSchema.parse(JSON.parse(readFileSync(join(to, "prepared.json"), "utf8")));
  return { to, train, layout, content };
}

/** The items of each step, as [task, prompt text, answer text, weight], and how many packs they were cut into. */
function stepsOf(to: string, names: readonly string[]) {
  const file = openSafetensors(join(to, "train.safetensors"));
  const of = (name: string) => file.readNumbers(name);
  const list = (name: string, i: number) =>
    Int32Array.from(of(`${name}_ids`).subarray(of(`${name}_offsets`)[i]!, of(`${name}_offsets`)[i + 1]!));
  const [steps, packs, entries] = [of("step_offsets"), of("pack_offsets"), of("entry_item")];
  return Array.from({ length: steps.length - 1 }, (_, s) => {
    const [from, end] = [packs[steps[s]!]!, packs[steps[s + 1]!]!];
    return Array.from(entries.subarray(from, end), (item, k) => ({
      task: names[of("item_task")[item]!]!,
      prompt: list("prompt", item),
      answer: list("answer", item),
      weight: of("entry_weight")[from + k]!,
    }));
  });
}

describe("a prepared run", () => {
  test.each([{}, { packing: "contaminated" }, { packing: "none", loss_mean: "task" }] as Partial<TrainSpec>[])(
    "holds every batch of the plan, each example with its weight in the mean: %j",
    async (changed) => {
      const { to, train, content } = await prepared(changed);
      const splits = new Map([...tasks].map(([name, one]) => [name, one.split("train")]));
      const lengths = Object.fromEntries([...splits].map(([name, split]) => [name, split.lengths]));
      const plan = planBatches({ a: 11, b: 6 }, lengths, train, 3);
      const steps = stepsOf(to, content.train!.tasks);
      expect(steps).toHaveLength(plan.numSteps);
      for (const [s, entries] of steps.entries()) {
        const { names, ingredient, example } = plan.batch(s);
        const planned = Array.from(example, (index, k) => {
          const name = names[ingredient[k]!]!;
          const { prompt, answer } = splits.get(name)!.tokenized[index]!;
          return `${name} ${prompt.join()} ${answer.join()}`;
        });
        const found = entries.map((one) => `${one.task} ${one.prompt.join()} ${one.answer.join()}`);
        expect(found.sort()).toEqual(planned.sort());
        const rows = (e: (typeof entries)[number]) => numSupervised({ id: "", ...e }, train.loss_on);
        expect(entries.reduce((sum, e) => sum + e.weight * rows(e), 0)).toBeCloseTo(1, 12);
        const seen = new Set(entries.map((e) => e.task));
        for (const name of train.loss_mean === "task" ? seen : []) {
          const own = entries.filter((e) => e.task === name).reduce((sum, e) => sum + e.weight * rows(e), 0);
          expect(own).toBeCloseTo(1 / seen.size, 12);
        }
      }
      const rates = openSafetensors(join(to, "train.safetensors")).readNumbers("learning_rate");
      expect([...rates]).toEqual(steps.map((_, s) => learningRate(train, s, plan.numSteps)));
    },
  );

  test("shares a prompt's beginning only where its members have it", async () => {
    const { to } = await prepared({});
    const file = openSafetensors(join(to, "train.safetensors"));
    const [ids, offsets, packs] = ["prompt_ids", "prompt_offsets", "pack_offsets"].map((name) =>
      file.readNumbers(name),
    );
    const [item, group, shared] = ["entry_item", "entry_group", "entry_shared"].map((name) => file.readNumbers(name));
    let most = 0;
    for (let p = 0; p + 1 < packs!.length; p++) {
      const beginnings = new Map<number, string>();
      for (let e = packs![p]!; e < packs![p + 1]!; e++) {
        const from = offsets![item![e]!]!;
        expect(shared![e]!).toBeLessThan(offsets![item![e]! + 1]! - from);
        const beginning = ids!.subarray(from, from + shared![e]!).join();
        expect(beginnings.get(group![e]!) ?? beginning).toBe(beginning);
        beginnings.set(group![e]!, beginning);
        most = Math.max(most, shared![e]!);
      }
    }
    expect(most).toBeGreaterThan(0);
  });

  test("names its files by digest, its tensors by layout, and asks what the study reads", async () => {
    const { to, layout, content } = await prepared({});
    expect(Object.keys(content.files).sort()).toEqual(
      readdirSync(to)
        .filter((name) => name !== "prepared.json")
        .sort(),
    );
    for (const [name, digest] of Object.entries(content.files)) expect(sha256OfFile(join(to, name))).toBe(digest);
    expect(content.train!.parameters.map(({ name }) => name)).toEqual(layout.parameters.map(({ name }) => name));
    expect(Object.keys(content.train!.dev)).toEqual(["a", "b"]);
    expect(content.questions).toMatchObject([
      {
        task: "a",
        split: "test",
        opens_test: true,
        asks: { labels: true, gold: false, text: { end_ids: [opened.template.endOfTurnId] } },
      },
    ]);
    const test_ = openSafetensors(join(to, "a.test.safetensors"));
    expect(test_.readNumbers("prompt_offsets")).toHaveLength(5);
    expect(test_.readNumbers("label_offsets")).toHaveLength(3);
  });
});
