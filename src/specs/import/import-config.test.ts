import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import { parseStudy } from "../study-file.ts";
import { AXOLOTL_KEYS } from "./axolotl-keys.ts";
import { accountText, importConfig, studyText } from "./import-config.ts";
import type { KnownKey } from "./known-keys.ts";
import { LLAMA_FACTORY_KEYS } from "./llama-factory-keys.ts";
import type { Imported, ImportOptions, RemarkKind } from "./types.ts";

const OPTIONS: ImportOptions = {
  name: "study",
  devices: 1,
  catalogue: { alpaca: { hubId: "tatsu-lab/alpaca" }, fpb: {}, mmlu: { hubId: "cais/mmlu", isEvaluationOnly: true } },
  rebase: (path, inside) => (inside === "dataset_dir" ? `data/${path}` : path),
};

const INFO = {
  notes: { file_name: "notes.jsonl" },
  faq: { file_name: "faq.csv", columns: { prompt: "question", response: "reply" }, num_samples: 500 },
  chats: {
    file_name: "chats.json",
    formatting: "sharegpt",
    columns: { messages: "messages" },
    tags: {
      role_tag: "role",
      content_tag: "content",
      user_tag: "user",
      assistant_tag: "assistant",
      system_tag: "system",
    },
  },
  talks: { file_name: "talks.jsonl", formatting: "sharegpt", columns: { messages: "conversations", system: "system" } },
  hubbed: { hf_hub_url: "tatsu-lab/alpaca", ms_hub_url: "x/y" },
  faraway: { hf_hub_url: "some/where", subset: "en", split: "train" },
  pairs: { file_name: "pairs.json", ranking: true, columns: { prompt: "p", chosen: "c", rejected: "r" } },
  books: { file_name: "books.jsonl", columns: { prompt: "text" } },
  folder: { file_name: "a_folder", formatting: "sharegpt", columns: { messages: "dialog" } },
};

function read(config: string, info: unknown = INFO, options: Partial<ImportOptions> = {}): Imported {
  const source = info === undefined ? undefined : { text: JSON.stringify(info), path: "/w/data/dataset_info.json" };
  return importConfig({ text: config, path: "/w/config.yaml" }, source, { ...OPTIONS, ...options });
}

/** The study as mixtune reads it back. */
function readBack(imported: Imported) {
  const catalogue = { fpb: { paper: { cap: 5000 } } };
  return parseStudy(studyText(imported, "config.yaml"), "/w/study.yaml", { assignments: [], cwd: "/w" }, catalogue);
}

const kindsOf = ({ remarks }: Imported, key: string): RemarkKind[] =>
  remarks.filter((remark) => remark.key === key).map(({ kind }) => kind);

/** A configuration as JSON, which is YAML. */
const json = (value: object) => JSON.stringify(value);

const refusal = (run: () => unknown): SpecError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SpecError);
    return error as SpecError;
  }
  throw new Error("nothing was refused");
};

const LF = { model_name_or_path: "org/model", dataset: "notes" };
const AXOLOTL = {
  base_model: "org/model",
  learning_rate: 1e-4,
  datasets: [{ path: "notes.jsonl", type: "alpaca" }],
};

describe("a LLaMA-Factory configuration", () => {
  test("of version 0.9 comes through with its mixture, its training and its batch over all devices", () => {
    const imported = read(
      `
### model
model_name_or_path: Qwen/Qwen2.5-0.5B-Instruct
model_revision: v2
### method
stage: sft
finetuning_type: lora
lora_rank: 16
lora_target: q_proj, v_proj
### dataset
dataset: notes, faq,chats
dataset_dir: data
mix_strategy: interleave_under
interleave_probs: 0.5,0.3,0.2
template: qwen
cutoff_len: 512
neat_packing: true
max_samples: 1000
### train
per_device_train_batch_size: 2
gradient_accumulation_steps: 4
learning_rate: 1e-4
num_train_epochs: 2.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
eval_strategy: steps
eval_steps: 50
save_steps: 200
load_best_model_at_end: true
`,
      INFO,
      { devices: 3 },
    );
    expect(imported.study).toMatchObject({
      models: ["Qwen/Qwen2.5-0.5B-Instruct@v2"],
      tasks: {
        notes: { data: { train: "data/notes.jsonl" }, max_train: 1000, on_bad_row: "skip" },
        faq: {
          data: { train: "data/faq.csv" },
          prompt: "{question}",
          answer: { kind: "text", field: "reply" },
          max_train: 500,
        },
        chats: { data: { train: "data/chats.json" } },
      },
      design: [{ tasks: { notes: { weight: 0.5 }, faq: { weight: 0.3 }, chats: { weight: 0.2 } } }],
      train: {
        method: "lora",
        lora_rank: 16,
        lora_alpha: 32,
        lora_target: ["q_proj", "v_proj"],
        learning_rate: 1e-4,
        num_train_epochs: 2,
        batch_tokens: 2 * 4 * 3 * 512,
        lr_scheduler_type: "cosine",
        warmup_steps: 0.1,
        cutoff_len: 512,
        packing: "isolated",
        eval_steps: 50,
        save_steps: 200,
        evaluate: "best",
      },
    });
    expect(readBack(imported).train).toMatchObject({ train_batch_size: null, keep: "best" });
  });

  test("that says little has the tool's defaults written out, each with a remark", () => {
    const imported = read(json(LF));
    expect(imported.study).toMatchObject({
      seeds: [42],
      design: [{ tasks: { notes: {} } }],
      train: {
        method: "lora",
        lora_rank: 8,
        lora_alpha: 16,
        lora_target: "all",
        learning_rate: 5e-5,
        num_train_epochs: 3,
        train_batch_size: 8,
        lr_scheduler_type: "linear",
        warmup_steps: 0,
        cutoff_len: 2048,
        packing: "none",
        max_grad_norm: 1,
      },
    });
    const defaults = imported.remarks.filter(({ kind }) => kind === "default").map(({ key }) => key);
    for (const key of [
      "lora_rank",
      "lora_alpha",
      "learning_rate",
      "lr_scheduler_type",
      "cutoff_len",
      "devices",
      "seed",
    ])
      expect(defaults).toContain(key);
  });

  test("of older spellings and full fine-tuning is read alike", () => {
    const imported = read(
      json({
        ...LF,
        finetuning_type: "full",
        per_gpu_train_batch_size: 4,
        evaluation_strategy: "steps",
        lr_scheduler_type: "constant_with_warmup",
        warmup_steps: 20,
        train_on_prompt: "yes",
        packing: true,
        max_steps: 100,
        learning_rate: "3e-6",
        lora_rank: 8,
      }),
    );
    expect(imported.study.train).toMatchObject({
      method: "full",
      batch_tokens: 4 * 2048,
      lr_scheduler_type: "constant",
      warmup_steps: 20,
      loss_on: "all",
      packing: "contaminated",
      max_steps: 100,
      learning_rate: 3e-6,
    });
    expect(imported.study.train).not.toHaveProperty("lora_rank");
    expect(kindsOf(imported, "lora_rank")).toEqual(["no_bearing"]);
  });

  test("leaves out what its adapter's dropout does", () => {
    for (const [lora_dropout, kept] of [
      [0.05, 0.05],
      [0, undefined],
    ]) {
      expect(read(json({ ...LF, lora_dropout })).study.train?.lora_dropout).toBe(kept);
      const axolotl = read(json({ ...AXOLOTL, adapter: "lora", lora_dropout }), undefined);
      expect(axolotl.study.train?.lora_dropout).toBe(kept);
      expect(kindsOf(axolotl, "lora_dropout")).toEqual([]);
    }
    expect(readBack(read(json({ ...LF, lora_dropout: 0.05 }))).train.lora_dropout).toBe(0.05);
    expect(readBack(read(json(LF))).train).not.toHaveProperty("lora_dropout");
  });

  test("trains on every answer of conversations unless mask_history", () => {
    const lossOn = (keys: object) => read(json({ ...LF, ...keys })).study.train?.loss_on;
    expect(lossOn({ dataset: "notes,chats" })).toBe("all_answers");
    expect(lossOn({ dataset: "chats", mask_history: true })).toBe("answer");
    expect(lossOn({ dataset: "chats", train_on_prompt: true })).toBe("all");
    expect(lossOn({})).toBe("answer");
  });

  test("warms up as its schedules do: not at all under constant, by steps before shares", () => {
    const train = (keys: object) => read(json({ ...LF, ...keys })).study.train;
    expect(train({ lr_scheduler_type: "constant", warmup_steps: 9 })).toMatchObject({ warmup_steps: 0 });
    expect(train({ warmup_steps: 9, warmup_ratio: 0.5 })).toMatchObject({ warmup_steps: 9 });
    expect(train({ warmup_steps: 0, warmup_ratio: 0.5 })).toMatchObject({ warmup_steps: 0.5 });
    expect(
      train({ lr_scheduler_type: "warmup_stable_decay", lr_scheduler_kwargs: { num_decay_steps: 30 } }),
    ).toMatchObject({ decay_steps: 30 });
  });

  test("with rank-stabilised LoRA keeps the scale of the adapter", () => {
    const { study } = read(json({ ...LF, use_rslora: true, lora_rank: 16, lora_alpha: 8 }));
    const { lora_alpha = 0, lora_rank = 1 } = study.train ?? {};
    expect(lora_alpha / lora_rank).toBeCloseTo(8 / Math.sqrt(16), 12);
  });

  test.each([
    ["LLaMA-Factory", { ...LF, use_dora: true }, "use_dora"],
    ["Axolotl", { ...AXOLOTL, adapter: "lora", peft_use_dora: true }, "peft_use_dora"],
  ])("with DoRA trains magnitudes too: %s", (_, config, key) => {
    const imported = read(json(config));
    expect(imported.study.train).toMatchObject({ method: "lora", use_dora: true });
    expect(imported.carried).toContainEqual(expect.objectContaining({ key, to: ["train.use_dora"] }));
    expect(readBack(imported).train.use_dora).toBe(true);
    expect(read(json({ ...config, [key]: false })).study.train).not.toHaveProperty("use_dora");
  });

  test("with weights of 4 bits has them in 4 bits, and of 8 bits says that it has them not", () => {
    const imported = (quantization_bit: number) => read(json({ ...LF, quantization_bit }));
    expect(imported(4).study.train).toMatchObject({ load_in_4bit: true });
    expect(imported(8).study.train).not.toHaveProperty("load_in_4bit");
    expect(kindsOf(imported(8), "quantization_bit")).toEqual(["not_carried"]);
    expect(() => read(json({ ...LF, quantization_bit: 4, finetuning_type: "full" }))).toThrow("quantization_bit");
    expect(() => read(json({ ...AXOLOTL, load_in_4bit: true }), undefined)).toThrow("load_in_4bit");
  });

  test("names catalogue tasks by the hub's dataset or by name, and says where to save other data of the hub", () => {
    const imported = read(json({ ...LF, dataset: "hubbed,faraway,fpb" }));
    expect(imported.study.tasks).toMatchObject({
      alpaca: {},
      fpb: {},
      faraway: { data: { train: "data/faraway.jsonl" } },
    });
    expect(kindsOf(imported, "faraway.hf_hub_url")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "faraway.subset")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "faraway.split")).toEqual(["no_bearing"]);
  });

  test("leaves preferences out, evaluates what it evaluates, and mixes in documents of stage pt", () => {
    const imported = read(json({ ...LF, dataset: ["notes", "pairs"], eval_dataset: "talks" }));
    expect(Object.keys(imported.study.tasks)).toEqual(["notes", "talks"]);
    expect(imported.study.tasks.talks).toMatchObject({ evaluation_only: true });
    expect(kindsOf(imported, "pairs.columns")).toEqual(["not_carried"]);
    expect(readBack(imported).tasks.talks?.evaluation_only).toBe(true);
    const documents = read(json({ ...LF, stage: "pt", dataset: "books,fpb" }));
    expect(documents.study).toMatchObject({
      mixers: { books: { role: "ingredient", answer: { kind: "document", field: "text" } } },
      train: { loss_on: "all", packing: "contaminated" },
    });
  });

  test("says what to do about conversations under other names and about folders", () => {
    const imported = read(json({ ...LF, dataset: "folder" }));
    expect(kindsOf(imported, "folder.columns")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "folder.file_name")).toEqual(["not_carried"]);
  });

  test("never shows a secret", () => {
    const imported = read(json({ ...LF, hf_hub_token: "hf_abc", my_api_key: "sk-abc" }));
    expect(JSON.stringify(imported)).not.toMatch(/hf_abc|sk-abc/);
    expect(kindsOf(imported, "my_api_key")).toEqual(["unknown"]);
  });
});

describe("an Axolotl configuration", () => {
  test("comes through with files of several types and its packs", () => {
    const imported = read(
      `
base_model: ./models/mine
model_type: LlamaForCausalLM
load_in_8bit: true
datasets:
  - path: a/notes.jsonl
    type: alpaca
  - path: json
    data_files: [x.jsonl, y.jsonl]
    type: chat_template
    field_messages: conversations
    message_property_mappings: {role: from, content: value}
  - path: some/hub
    type:
      field_instruction: q
      field_output: a
      system_prompt: Be brief.
      format: "Q: {instruction}"
  - path: books.parquet
    type: completion
    field: body
  - path: old.jsonl
    type: sharegpt
    conversation: chatml
test_datasets:
  - path: held.jsonl
    type: alpaca_chat.load_qa
sequence_len: 1024
sample_packing: true
flash_attention: true
adapter: qlora
lora_r: 4
lora_alpha: 8
lora_target_linear: true
micro_batch_size: 2
gradient_accumulation_steps: 3
num_epochs: 4
optimizer: paged_adamw_8bit
lr_scheduler: cosine
learning_rate: 2e-4
warmup_steps: 10
wandb_project:
special_tokens: {pad_token: <pad>}
`,
      undefined,
      { devices: 2 },
    );
    expect(imported.study).toMatchObject({
      models: ["./models/mine"],
      tasks: {
        notes: { data: { train: "a/notes.jsonl" }, on_bad_row: "skip" },
        x: { data: { train: "x.jsonl" } },
        y: { data: { train: "y.jsonl" } },
        hub: { data: { train: "data/hub.jsonl" }, prompt: "Be brief.\n\nQ: {q}", answer: { kind: "text", field: "a" } },
        old: { data: { train: "old.jsonl" } },
        held: { evaluation_only: true, prompt: "{question}" },
      },
      mixers: { books: { answer: { kind: "document", field: "body" } } },
      design: [{ tasks: { notes: {}, x: {}, y: {}, hub: {}, old: {}, books: {} } }],
      train: {
        method: "lora",
        lora_rank: 4,
        lora_alpha: 8,
        lora_target: "all",
        batch_tokens: 2 * 3 * 2 * 1024,
        warmup_steps: 10,
        packing: "isolated",
        load_in_4bit: true,
      },
    });
    expect(kindsOf(imported, "load_in_8bit")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "special_tokens")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "wandb_project")).toEqual(["no_bearing"]);
    readBack(imported);
  });

  test("trains on every answer of conversations; who says otherwise is told", () => {
    const chat = { path: "chats.jsonl", type: "chat_template", roles_to_train: ["gpt"], train_on_eos: "turn" };
    const imported = (more: object) => read(json({ ...AXOLOTL, datasets: [{ ...chat, ...more }] }), undefined);
    expect(imported({}).study.train?.loss_on).toBe("all_answers");
    const keys = ["type", "roles_to_train", "train_on_eos", "message_field_training"].map(
      (key) => `datasets[0].${key}`,
    );
    const remarked = (more: object) => keys.filter((key) => kindsOf(imported(more), key).length > 0);
    expect(remarked({ message_field_training: "train" })).toEqual([]);
    expect(remarked({ roles_to_train: ["user"], train_on_eos: "last", message_field_training: "mine" })).toEqual(
      keys.slice(1),
    );
    expect(read(json(AXOLOTL), undefined).study.train?.loss_on).toBe("answer");
  });

  test("that says little has the tool's defaults written out", () => {
    const { study } = read(json(AXOLOTL), undefined);
    expect(study.train).toMatchObject({
      method: "full",
      num_train_epochs: 1,
      train_batch_size: 1,
      cutoff_len: 512,
      lr_scheduler_type: "cosine",
      packing: "none",
    });
    expect(
      read(json({ ...AXOLOTL, adapter: "lora", batch_size: 8, micro_batch_size: 2 }), undefined).study.train,
    ).toMatchObject({ train_batch_size: 8, lora_target: ["q_proj", "v_proj"] });
  });

  test("leaves out datasets that it cannot shape, and says so with the place of each key", () => {
    const datasets = [...AXOLOTL.datasets, { path: "segments.jsonl", type: "input_output" }];
    const imported = read(json({ ...AXOLOTL, datasets }), undefined);
    expect(Object.keys(imported.study.tasks)).toEqual(["notes"]);
    expect(kindsOf(imported, "datasets[1].type")).toEqual(["not_carried"]);
    expect(imported.remarks.find(({ key }) => key === "datasets[1].path")?.place).toMatch(
      /^\/w\/config\.yaml:1:\d+: datasets\[1\]\.path$/,
    );
  });
});

describe("the grid of arXiv 2410.01109", () => {
  // The released base configuration's values, in an order of our own.
  const released = {
    stage: "sft",
    do_train: true,
    model_name_or_path: "meta-llama/Meta-Llama-3.1-8B-Instruct",
    template: "llama3",
    resize_vocab: true,
    dataset: "",
    dataset_dir: "",
    cutoff_len: 4096,
    packing: true,
    max_samples: 1_000_000_000,
    finetuning_type: "full",
    learning_rate: 3e-6,
    lr_scheduler_type: "cosine",
    num_train_epochs: 2,
    per_device_train_batch_size: 8,
    gradient_accumulation_steps: 1,
    max_grad_norm: 1.0,
    optim: "adamw_torch",
    fp16: true,
    deepspeed: "cache/ds_z2_offload_config.json",
    save_strategy: "no",
  };

  test("comes through as paper-55 with its own hyper-parameters, deviations named", () => {
    const imported = read(json(released), undefined, { design: "paper-55" });
    expect(imported.study).toMatchObject({
      models: ["meta-llama/Meta-Llama-3.1-8B-Instruct"],
      design: ["paper-55"],
      tasks: { headline: { max_train: "paper" }, fpb: { max_train: "paper" } },
      mixers: { "open-orca": { share_of_caps: "paper" }, "orca-math": { share_of_caps: "paper" } },
      seeds: [42],
      train: {
        method: "full",
        learning_rate: 3e-6,
        lr_scheduler_type: "cosine",
        num_train_epochs: 3,
        warmup_steps: 0,
        batch_tokens: 8 * 4096,
        cutoff_len: 4096,
        packing: "contaminated",
      },
    });
    expect(Object.keys({ ...imported.study.tasks, ...imported.study.mixers })).toHaveLength(9);
    for (const key of ["num_train_epochs", "fp16", "template"]) expect(kindsOf(imported, key)).toContain("deviation");
  });

  test("is the recipe paper-55 but for name and model", () => {
    const path = join(import.meta.dirname, "../../../recipes/paper-55.yaml");
    const facts = { cap: 1, shareOfCaps: 1 };
    const catalogue = new Proxy({}, { get: () => ({ paper: facts }) });
    const asStudy = (text: string) => parseStudy(text, "/w/study.yaml", { assignments: [], cwd: "/w" }, catalogue);
    const { name: _n, models: _m, ...recipe } = asStudy(readFileSync(path, "utf8"));
    const imported = read(json(released), undefined, { design: "paper-55" });
    const { name, models, ...study } = asStudy(studyText(imported, "base_config.yaml"));
    expect(study).toEqual(recipe);
    expect([name, models]).toEqual(["study", ["meta-llama/Meta-Llama-3.1-8B-Instruct"]]);
  });

  test("is known by the names of its cocktails, and other data is refused", () => {
    const of = (dataset: string) => read(json({ ...released, dataset }), undefined, { design: "paper-55" });
    expect(of("cocktail_FPB-(Sentiment)+Open-Orca").study).toEqual(of("").study);
    expect(of("fpb, twitter_sa").study).toEqual(of("").study);
    expect(refusal(() => of("fpbb")).message).toMatch(/config\.yaml:1:\d+: dataset: expected .*got fpbb/);
    expect(refusal(() => read(json(AXOLOTL), undefined, { design: "paper-55" })).got).toMatch(/Axolotl/);
  });
});

describe("every key is accounted for", () => {
  const word = fc.stringMatching(/^[a-z_]{1,12}$/);
  const value = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, "", "no", "auto", 0.5, "1e-3"),
    word,
    fc.array(word, { maxLength: 2 }),
  );
  const accounted = ({ carried, remarks }: Imported) => new Set([...carried, ...remarks].map(({ key }) => key));
  const tools: [string, object, ReadonlyMap<string, KnownKey>][] = [
    ["LLaMA-Factory", LF, LLAMA_FACTORY_KEYS],
    ["Axolotl", AXOLOTL, AXOLOTL_KEYS],
  ];

  test.each(tools)(
    "of %s, whatever its value, and what the table does not carry changes no study",
    (_, base, table) => {
      const idle = [...table].filter(([, { fate }]) => fate !== "carried").map(([key]) => key);
      const unknown = fc.stringMatching(/^zz_[a-z]{1,8}$/);
      const plain = read(json(base));
      fc.assert(
        fc.property(fc.dictionary(fc.oneof(fc.constantFrom(...idle), unknown), value, { maxKeys: 12 }), (more) => {
          const imported = read(json({ ...more, ...base }));
          const keys = accounted(imported);
          for (const key of Object.keys(more)) {
            expect(keys).toContain(key);
            if (key.startsWith("zz_")) expect(kindsOf(imported, key)).toEqual(["unknown"]);
          }
          expect(imported.study).toEqual(plain.study);
        }),
        { numRuns: 150 },
      );
    },
  );

  test.each(tools)(
    "of %s that is carried is refused with place and remedy, or stands in the account",
    (_, base, table) => {
      const carried = [...table].filter(([, { fate }]) => fate === "carried").map(([key]) => key);
      fc.assert(
        fc.property(fc.dictionary(fc.constantFrom(...carried), value, { maxKeys: 3 }), (more) => {
          const config = { ...base, ...more };
          let imported: Imported;
          try {
            imported = read(json(config));
          } catch (error) {
            expect(error).toBeInstanceOf(SpecError);
            expect((error as SpecError).place).toMatch(/^\/w\/(config\.yaml|data\/dataset_info\.json)/);
            return;
          }
          const keys = accounted(imported);
          for (const key of Object.keys(config)) expect(keys).toContain(key);
          expect(readBack(imported).name).toBe("study");
        }),
        { numRuns: 300, examples: [[{ learning_rate: 11 }], [{ lora_target: [] }], [{ lora_target_modules: [] }]] },
      );
    },
  );

  test("in a dataset's own entry too", () => {
    const info = {
      notes: {
        file_name: "n.jsonl",
        folder: "f",
        file_sha1: "0",
        typo: 1,
        columns: { prompt: "instruction", query: "input", response: "output", what: "x" },
      },
    };
    const imported = read(json(LF), info);
    expect(kindsOf(imported, "notes.folder")).toEqual(["not_carried"]);
    expect(kindsOf(imported, "notes.file_sha1")).toEqual(["no_bearing"]);
    expect(kindsOf(imported, "notes.typo")).toEqual(["unknown"]);
    expect(kindsOf(imported, "notes.columns.what")).toEqual(["unknown"]);
  });

  test("and a misspelt one names its neighbour", () => {
    expect(read(json({ ...LF, lora_rnak: 4 })).remarks.find(({ key }) => key === "lora_rnak")?.why).toContain(
      "lora_rank",
    );
  });
});

test("the text is the same every time, reads back as a study, and the order of keys says nothing", () => {
  const config = { ...LF, module_dropout: 0.1, bf16: true };
  const turned = Object.fromEntries(Object.entries(config).reverse());
  const [one, two, other] = [read(json(config)), read(json(config)), read(json(turned))];
  expect(studyText(one, "c.yaml")).toBe(studyText(two, "c.yaml"));
  expect(other.study).toEqual(one.study);
  expect(studyText(one, "c.yaml")).toMatch(/^# Imported from c\.yaml, .*\n# Not carried over:\n# {3}module_dropout: /);
  expect(accountText(one)).toContain("module_dropout: 0.1 (1:");
  // What changes learning stands first, and a share says that it is one.
  expect(accountText(one)).toMatch(/^Not carried over:\n[\s\S]*\n\nCarried over: [^\n]*\.$/);
  const shares = read(json({ ...LF, warmup_ratio: 0.1 }));
  expect(studyText(shares, "x")).toContain("  warmup_steps: 0.1 # below 1: a share of all steps\n");
  expect(readBack(one).models).toEqual(["org/model"]);
});

test("a line break in a key stays inside the comment", () => {
  const text = studyText(read(json({ ...LF, "x\nname: evil": 1 })), "c\ny.yaml");
  expect(text).not.toMatch(/^name: evil/m);
});

describe("what is no configuration is refused with place, expected, got and remedy:", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
    .split("")
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
    .join("\n")}\nmodel_name_or_path: *h`;
  test.each<[string, string, unknown?]>([
    ["an alias bomb", bomb],
    ["a huge text", `model_name_or_path: ${"x".repeat(1_100_000)}`],
    ["no YAML", "model_name_or_path: [unclosed"],
    ["a list", "- model_name_or_path: x"],
    ["a word", "hello"],
    ["nothing", ""],
    ["neither tool", "name: my-study\nmodels: [x]"],
    ["a key twice", "model_name_or_path: a\nmodel_name_or_path: b"],
    ["a merge key", "x: &x {stage: sft}\n<<: *x\nmodel_name_or_path: a/b\ndataset: notes"],
    ["a text for a number", json({ ...LF, learning_rate: "fast" })],
    ["a list for a number", json({ ...LF, lora_rank: [8] })],
    ["a negative batch", json({ ...LF, per_device_train_batch_size: -8 })],
    ["a number for a model", json({ ...LF, model_name_or_path: 7 })],
    ["infinity", "model_name_or_path: a/b\ndataset: notes\nlearning_rate: .inf"],
    ["a stage of preferences", json({ ...LF, stage: "dpo" })],
    ["freezing", json({ ...LF, finetuning_type: "freeze" })],
    ["no dataset", json({ model_name_or_path: "a/b" })],
    ["an undescribed dataset", json({ ...LF, dataset: "notess" })],
    ["probabilities of another number", json({ ...LF, mix_strategy: "interleave_under", interleave_probs: "0.1,0.2" })],
    ["a dataset above its folder", json(LF), { notes: { file_name: "../../etc/passwd" } }],
    ["a dataset above its folder, the other slash", json(LF), { notes: { file_name: "a\\..\\..\\b.json" } }],
    ["a dataset at the root", json(LF), { notes: { file_name: "/etc/passwd" } }],
    ["a dataset that is a word", json(LF), { notes: "n.json" }],
    ["a list for dataset_info.json", json(LF), []],
    ["columns that are numbers", json(LF), { notes: { file_name: "n.json", columns: { prompt: 1 } } }],
    ["documents alone", json({ ...LF, stage: "pt", dataset: "books" })],
    ["preferences alone", json({ ...LF, dataset: "pairs" })],
    ["Axolotl with rewards", json({ ...AXOLOTL, rl: "dpo" })],
    ["Axolotl without a rate", json({ ...AXOLOTL, learning_rate: null })],
    ["Axolotl with a word for its datasets' list", json({ ...AXOLOTL, datasets: 5 })],
    ["Axolotl with a dataset that is a number", json({ ...AXOLOTL, datasets: [5] })],
    ["Axolotl without a type", json({ ...AXOLOTL, datasets: [{ path: "a.jsonl" }] })],
    [
      "Axolotl with a format without a field",
      json({ ...AXOLOTL, datasets: [{ path: "a.jsonl", type: { format: "x" } }] }),
    ],
  ])("%s", (_, config, info = INFO) => {
    const error = refusal(() => read(config, info));
    expect(error.place).toMatch(/^\/w\/(config\.yaml|data\/dataset_info\.json)/);
    for (const part of [error.expected, error.got, error.remedy]) expect(part).not.toBe("");
    expect(error.message.length).toBeLessThan(1000);
  });

  test("keys of objects' prototypes are keys like others", () => {
    const imported = read(
      '{"model_name_or_path": "a/b", "dataset": "notes", "__proto__": {"learning_rate": 9}, "constructor": 1}',
    );
    expect(imported.study.train?.learning_rate).toBe(5e-5);
    for (const key of ["__proto__", "constructor"]) expect(kindsOf(imported, key)).toEqual(["unknown"]);
    expect(refusal(() => read(json({ ...LF, dataset: "toString" }))).got).toBe("toString");
  });
});
