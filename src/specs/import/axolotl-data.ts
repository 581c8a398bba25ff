/** @file Datasets of an Axolotl configuration: where the rows are and how they become examples. */

import type { Amount } from "../types.ts";
import type { YamlFile } from "../yaml-file.ts";
import { AXOLOTL_DATASET_KEYS, AXOLOTL_TYPE_KEYS } from "./axolotl-keys.ts";
import { hubEntry, savedFile } from "./dataset-info.ts";
import { addOwnData, type Draft, freeName, type Rows } from "./draft.ts";
import { type Account, type KeyReader, keyReader } from "./reader.ts";
import type { ImportOptions } from "./types.ts";

const TOOL = "Axolotl";

/** Types whose rows are a prompt of columns and an answer. */
const TEMPLATES: Readonly<Record<string, { prompt: string; answer: string }>> = {
  jeopardy: { prompt: "{question}", answer: "answer" },
  oasst: { prompt: "{INSTRUCTION}", answer: "RESPONSE" },
  gpteacher: { prompt: "{instruction}\n\n{input}", answer: "response" },
  alpaca_chat: { prompt: "{instruction}\n\n{input}", answer: "response" },
  "alpaca_chat.load_qa": { prompt: "{question}", answer: "answer" },
  "alpaca_chat.load_concise": { prompt: "{instruction}\n\n{input}", answer: "response" },
  "alpaca_chat.load_camel_ai": { prompt: "{message_1}", answer: "message_2" },
  "alpaca_w_system.load_open_orca": { prompt: "{system_prompt}\n\n{question}", answer: "response" },
  context_qa: { prompt: "{article}\n\n{question}", answer: "answer" },
  "context_qa.load_v2": { prompt: "{context}\n\n{question}", answer: "answer" },
  summarizetldr: { prompt: "{article}", answer: "summary" },
  metharme: { prompt: "{prompt}", answer: "generation" },
  "creative_acr.load_answer": { prompt: "{instruction}", answer: "revision" },
};

/** Roles of answers. */
const ANSWERERS = ["assistant", "gpt", "model"];
/** Marks of turns that mixtune obeys by these names (src/data/own/marks.ts). */
const OBEYED_MARKS = ["weight", "train", "training", "trainable", "loss"];

const FILE = /\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$|\.parquet$/i;

/** What the whole configuration says of its rows. */
export interface RowOptions {
  onBadRow: "skip" | "stop";
  isEvaluation: boolean;
}

/** Adds the entries of a list of datasets to the draft. */
export function addDatasets(
  list: readonly unknown[],
  key: string,
  file: YamlFile,
  draft: Draft,
  { onBadRow, isEvaluation }: RowOptions,
  options: ImportOptions,
  account: Account,
): void {
  for (const [i, entry] of list.entries()) {
    const reader = keyReader({ file, at: [key, i], value: entry }, { tool: TOOL, keys: AXOLOTL_DATASET_KEYS }, account);
    const rows = rowsOf(reader, file, [key, i], entry, key === "pretraining_dataset", account);
    if (rows === undefined) {
      for (const left of ["path", "data_files", "ds_type"]) reader.say("not_carried", left, "the dataset is left out");
      reader.finish();
      continue;
    }
    const sources = sourcesOf(reader, options);
    reader.finish();
    const amount: Amount | undefined = isEvaluation ? undefined : {};
    for (const source of sources) {
      if ("catalogue" in source) {
        const name = source.catalogue;
        if (!Object.hasOwn(draft.tasks, name)) draft.tasks[name] = isEvaluation ? { evaluation_only: true } : {};
        if (amount !== undefined) draft.amounts[name] = amount;
        continue;
      }
      if (isEvaluation && "document" in rows) continue;
      const name = freeName(source.name, draft);
      addOwnData(
        draft,
        name,
        source.train,
        rows,
        { on_bad_row: onBadRow, ...(isEvaluation ? { evaluation_only: true } : {}) },
        amount,
      );
    }
  }
}

type Source = { catalogue: string } | { name: string; train: string };

function sourcesOf(reader: KeyReader, options: ImportOptions): Source[] {
  const path = reader.text("path");
  if (path === undefined) throw reader.refuse("path", "a file or a dataset of the hub", "Name where the rows are.");
  const files = reader.list("data_files");
  const readable = (files ?? [path]).filter((one) => FILE.test(one) && !/^\w+:\/\//.test(one));
  reader.say("no_bearing", "ds_type", "mixtune goes by the file's ending");
  if (readable.length === (files ?? [path]).length) {
    reader.carry("path", "tasks");
    reader.carry("data_files", "tasks");
    return readable.map((one) => ({ name: stemOf(one), train: options.rebase(one) }));
  }
  const entry = files === undefined ? hubEntry(path, options) : undefined;
  if (entry !== undefined) {
    reader.say("deviation", "path", `becomes the catalogue's ${entry}, with its own prompts and splits`);
    return [{ catalogue: entry }];
  }
  const train = savedFile(stemOf(path));
  const why = `own data is read from files (jsonl, json, csv, tsv, parquet): save its rows as ${train} beside the study`;
  reader.say("not_carried", "path", why);
  reader.say("not_carried", "data_files", why);
  return [{ name: stemOf(path), train }];
}

function stemOf(path: string): string {
  const last =
    path
      .split(/[/\\]/)
      .filter((part) => part !== "")
      .at(-1) ?? path;
  return last.replace(FILE, "");
}

function rowsOf(
  reader: KeyReader,
  file: YamlFile,
  at: readonly (string | number)[],
  entry: unknown,
  isPretraining: boolean,
  account: Account,
): Rows | undefined {
  const raw = reader.raw("type");
  if (raw !== undefined && typeof raw === "object") {
    const value = (entry as { type: unknown }).type;
    const typeReader = keyReader(
      { file, at: [...at, "type"], value },
      { tool: TOOL, keys: AXOLOTL_TYPE_KEYS },
      account,
    );
    reader.carry("type", "tasks");
    return written(typeReader);
  }
  const type = reader.text("type") ?? (isPretraining ? "pretrain" : "");
  if (isPretraining || type === "completion" || type === "pretrain") {
    const field = reader.text(isPretraining ? "text_column" : "field") ?? "text";
    reader.carry("type", "mixers");
    reader.carry("field", "mixers");
    reader.carry("text_column", "mixers");
    return { document: field };
  }
  const [base = ""] = type.split(":");
  if (/^(chat_template|sharegpt|chat)(\.|$)/.test(base)) return conversation(reader, base);
  if (base === "alpaca" || base === "alpaca_instruct" || base === "alpaca_w_system.load" || base === "") {
    if (type === "")
      throw reader.refuse("type", "the type of the rows", "Name it: alpaca, chat_template, completion …");
    reader.say(
      "deviation",
      "type",
      "Axolotl writes Alpaca's own preface before each instruction; here the instruction and input alone stand, in the model's own template",
    );
    return { shape: "alpaca" };
  }
  const template = Object.hasOwn(TEMPLATES, base) ? TEMPLATES[base] : undefined;
  if (template === undefined) {
    reader.say(
      "not_carried",
      "type",
      "rows that mixtune cannot shape into a prompt and an answer; the dataset is left out",
    );
    return undefined;
  }
  reader.say(
    "deviation",
    "type",
    "its columns stand in the prompt, in the model's own template, without words of Axolotl's; rows in which one is empty are left out, counted",
  );
  return template;
}

/** A `type` that names its columns and format. */
function written(reader: KeyReader): Rows {
  const instruction = reader.text("field_instruction") ?? "instruction";
  const input = reader.text("field_input") ?? "input";
  const output = reader.text("field_output") ?? "output";
  const format = reader.text("format") ?? "{instruction} {input}";
  const system = reader.text("system_prompt") ?? "";
  const column = reader.text("field_system");
  reader.carry("format", "tasks");
  for (const key of ["field_instruction", "field_input", "field_output", "system_prompt"]) reader.carry(key, "tasks");
  if (column !== undefined)
    reader.say(
      "deviation",
      "field_system",
      "stands before the prompt; rows in which it is empty are left out, counted",
    );
  const body = format.replaceAll("{instruction}", `{${instruction}}`).replaceAll("{input}", `{${input}}`);
  const before = column === undefined ? system : `{${column}}`;
  if (!/\{[^{}\n]+\}/.test(body))
    throw reader.refuse("format", "a format that names {instruction} or {input}", "Add one.");
  reader.finish();
  return { prompt: before === "" ? body : `${before}\n\n${body}`, answer: output };
}

function conversation(reader: KeyReader, type: string): Rows {
  const isOld = type.startsWith("sharegpt");
  const mapping = reader.mapping("message_property_mappings");
  const messages = reader.text("field_messages") ?? (isOld ? "conversations" : "messages");
  const role = String(mapping?.role ?? reader.text("message_field_role") ?? (isOld ? "from" : "role"));
  const content = String(mapping?.content ?? reader.text("message_field_content") ?? (isOld ? "value" : "content"));
  const shape =
    messages === "messages" && role === "role" && content === "content"
      ? ("messages" as const)
      : messages === "conversations" && role === "from" && content === "value"
        ? ("sharegpt" as const)
        : undefined;
  const names = ["field_messages", "message_field_role", "message_field_content", "message_property_mappings"];
  const why =
    "conversations under other names than mixtune reads: rename them to messages: [{role: user | assistant | system, content}] in the file";
  for (const key of names) {
    if (shape === undefined) reader.say("not_carried", key, why);
    else reader.carry(key, "tasks");
  }
  reader.carry("type", "tasks", "train.loss_on");
  const trained = reader.list("roles_to_train") ?? [];
  if (trained.every((one) => ANSWERERS.includes(one))) reader.carry("roles_to_train", "train.loss_on");
  if (reader.raw("train_on_eos") === "turn") reader.carry("train_on_eos", "train.loss_on");
  if (OBEYED_MARKS.includes(reader.text("message_field_training") ?? ""))
    reader.carry("message_field_training", "tasks");
  reader.say(
    "deviation",
    "roles",
    "mixtune knows user, human, assistant, gpt, model and system; rows with other roles are left out, counted",
  );
  reader.say("not_carried", "conversation", "a template of conversations; mixtune uses the model's own");
  return { shape: shape ?? "messages" };
}
