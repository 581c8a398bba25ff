/** @file An entry of LLaMA-Factory's dataset_info.json: where the rows are and how they become examples. */

import type { YamlFile } from "../yaml-file.ts";
import type { Rows } from "./draft.ts";
import { DATASET_INFO_KEYS } from "./llama-factory-keys.ts";
import { type Account, type KeyReader, keyReader } from "./reader.ts";
import type { ImportOptions } from "./types.ts";

export interface LlamaFactoryDataset {
  name: string;
  rows: Rows;
  /** File, as the study writes it; absent for an entry of the catalogue. */
  train?: string;
  catalogue?: string;
  /** Rows of it in an epoch. */
  numSamples?: number;
}

const TOOL = "LLaMA-Factory";
/** Where a dataset of a hub is to be saved, beside the study. */
export function savedFile(name: string): string {
  return `data/${name.replace(/[^\w.-]+/g, "-").replace(/^[.-]+/, "")}.jsonl`;
}

const READABLE = /\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$|\.parquet$/i;
const COLUMNS_OF_PREFERENCES = ["chosen", "rejected", "kto_tag"];
const COLUMNS_OF_MEDIA = ["images", "videos", "audios"];
const TEXT_COLUMNS = ["prompt", "query", "response", "history", "messages", "system", "tools"];
const TAGS = ["role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"];

/**
 * @returns undefined for data that a study cannot hold, which is remarked
 * @throws {SpecError} an entry of the wrong form, a file outside the folder
 */
export function datasetOf(
  name: string,
  info: YamlFile,
  value: unknown,
  isPretraining: boolean,
  options: ImportOptions,
  account: Account,
): LlamaFactoryDataset | undefined {
  const reader = keyReader({ file: info, at: [name], value }, { tool: TOOL, keys: DATASET_INFO_KEYS }, account);
  const rows = rowsOf(reader, info, name, isPretraining, account);
  const numSamples = reader.number("num_samples", { whole: true, above: 0 });
  const source = sourceOf(reader, name, options);
  if (numSamples !== undefined && rows !== undefined)
    reader.say("deviation", "num_samples", "drawn anew each epoch here, and no more than there are");
  reader.finish();
  if (rows === undefined) return undefined;
  return { name, rows, ...source, ...(numSamples === undefined ? {} : { numSamples }) };
}

/** The entry of the catalogue behind a dataset of the Hugging Face hub. */
export function hubEntry(id: string, { catalogue }: ImportOptions): string | undefined {
  return Object.entries(catalogue).find(
    ([, { hubId, isEvaluationOnly }]) => hubId?.toLowerCase() === id.toLowerCase() && isEvaluationOnly !== true,
  )?.[0];
}

function sourceOf(
  reader: KeyReader,
  name: string,
  options: ImportOptions,
): Pick<LlamaFactoryDataset, "train" | "catalogue"> {
  const hub = reader.text("hf_hub_url");
  const entry = hub === undefined ? undefined : hubEntry(hub, options);
  if (entry !== undefined) {
    reader.carry("hf_hub_url", "tasks");
    reader.say("no_bearing", "file_name", "the hub goes before it");
    return { catalogue: entry };
  }
  const train = savedFile(name);
  for (const key of ["hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"]) {
    if (!reader.has(key)) continue;
    for (const kind of ["hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"])
      reader.say("not_carried", kind, `own data is read from files: save its rows as ${train} beside the study`);
    reader.say("no_bearing", "file_name", "the hub goes before it");
    return { train };
  }
  const file = reader.text("file_name");
  if (file === undefined) throw reader.refuse("file_name", "a file or a hub's dataset", "Name where the rows are.");
  if (/^([/\\]|[A-Za-z]:)/.test(file) || file.split(/[/\\]/).includes("..")) {
    throw reader.refuse(
      "file_name",
      "a file inside the folder of dataset_info.json",
      "Move the file there and name it without .. and without a leading /.",
    );
  }
  if (READABLE.test(file)) reader.carry("file_name", "tasks");
  else
    reader.say(
      "not_carried",
      "file_name",
      "no file that mixtune reads (jsonl, json, csv, tsv, parquet): save its rows as one of these and name it under data.train",
    );
  return { train: options.rebase(file, "dataset_dir") };
}

function rowsOf(
  reader: KeyReader,
  info: YamlFile,
  name: string,
  isPretraining: boolean,
  account: Account,
): Rows | undefined {
  const formatting = reader.text("formatting") ?? "alpaca";
  if (!["alpaca", "sharegpt", "openai"].includes(formatting))
    throw reader.refuse("formatting", "alpaca, sharegpt or openai", "Change it.");
  const columns = named(reader, "columns");
  const tags = named(reader, "tags");
  const unknown = [
    ...Object.keys(columns ?? {})
      .filter((key) => ![...TEXT_COLUMNS, ...COLUMNS_OF_PREFERENCES, ...COLUMNS_OF_MEDIA].includes(key))
      .map((key) => ["columns", key] as const),
    ...Object.keys(tags ?? {})
      .filter((key) => !TAGS.includes(key))
      .map((key) => ["tags", key] as const),
  ];
  for (const [part, key] of unknown) {
    account.remarks.push({
      kind: "unknown",
      key: `${name}.${part}.${key}`,
      place: info.place([name, part, key]),
      why: `in no documentation of ${TOOL} that mixtune knows.`,
    });
  }
  const given = (names: readonly string[]) => names.filter((key) => columns?.[key] !== undefined);
  const isPreference = reader.boolean("ranking") === true || given(COLUMNS_OF_PREFERENCES).length > 0;
  reader.say(
    isPreference ? "not_carried" : "no_bearing",
    "ranking",
    isPreference ? "pairs of answers to choose from; the dataset is left out" : "off",
  );
  if (isPreference || given(COLUMNS_OF_MEDIA).length > 0) {
    const what = isPreference ? "preferences" : given(COLUMNS_OF_MEDIA).join(", ");
    reader.say("not_carried", "columns", `${what}: no data of a study, the dataset is left out`);
    reader.say("not_carried", "tags", "the dataset is left out");
    reader.say("not_carried", "formatting", "the dataset is left out");
    return undefined;
  }
  reader.carry("formatting", "tasks");
  if (isPretraining) {
    if (formatting !== "alpaca") throw reader.refuse("formatting", "alpaca for stage pt", "Change it, or the stage.");
    reader.carry("columns", "mixers");
    reader.say("no_bearing", "tags", "of conversations");
    return { document: columns === undefined ? "instruction" : (columns.prompt ?? "instruction") };
  }
  return formatting === "alpaca"
    ? alpaca(reader, columns, name, account)
    : conversation(reader, columns, tags, formatting, name, account);
}

/** Without `columns` the names are Alpaca's; with them only what is named is read. */
function alpaca(reader: KeyReader, columns: Record<string, string> | undefined, name: string, account: Account): Rows {
  const { prompt, query, response, system, history, tools } = columns ?? {
    prompt: "instruction",
    query: "input",
    response: "output",
  };
  reader.say("no_bearing", "tags", "of conversations");
  if (prompt === undefined || response === undefined)
    throw reader.refuse("columns", "prompt and response", "Name both: mixtune trains on answers to prompts.");
  if (tools !== undefined)
    say(account, name, "not_carried", "columns.tools", "descriptions of tools are left out of the prompt", tools);
  const isAlpaca =
    prompt === "instruction" &&
    response === "output" &&
    query === "input" &&
    [undefined, "system"].includes(system) &&
    [undefined, "history"].includes(history);
  if (isAlpaca) {
    reader.carry("columns", "tasks");
    say(
      account,
      name,
      "deviation",
      "rows",
      "instruction and input stand in two paragraphs here, on two lines there; a column system or history is used if the file has one",
    );
    return { shape: "alpaca" };
  }
  reader.carry("columns", "tasks");
  for (const [key, column] of Object.entries({ system, history }))
    if (column !== undefined)
      say(
        account,
        name,
        "not_carried",
        `columns.${key}`,
        "only read under Alpaca's own names; rename the columns to have it",
        column,
      );
  if (query !== undefined)
    say(
      account,
      name,
      "deviation",
      "rows",
      `rows whose ${query} is empty are left out, counted; there the prompt alone stands`,
    );
  return { prompt: query === undefined ? `{${prompt}}` : `{${prompt}}\n{${query}}`, answer: response };
}

const USERS = ["user", "human"];
const ASSISTANTS = ["assistant", "gpt", "model", "chatgpt", "bing", "bard"];

function conversation(
  reader: KeyReader,
  columns: Record<string, string> | undefined,
  tags: Record<string, string> | undefined,
  formatting: string,
  name: string,
  account: Account,
): Rows {
  const isOpenAi = formatting === "openai";
  const messages = columns === undefined ? "conversations" : columns.messages;
  const role = tags === undefined ? "from" : tags.role_tag;
  const content = tags === undefined ? "value" : tags.content_tag;
  const asker = (tags === undefined ? undefined : tags.user_tag) ?? "human";
  const answerer = (tags === undefined ? undefined : tags.assistant_tag) ?? "gpt";
  const shape =
    messages === "conversations" && role === "from" && content === "value"
      ? ("sharegpt" as const)
      : messages === "messages" && ((role === "role" && content === "content") || (isOpenAi && tags === undefined))
        ? ("messages" as const)
        : undefined;
  const isKnown = shape !== undefined && USERS.includes(asker) && ASSISTANTS.includes(answerer);
  const system = columns?.system;
  if (isKnown) {
    reader.carry("columns", "tasks");
    reader.carry("tags", "tasks");
  } else {
    const why =
      "conversations under other names than mixtune reads: rename them to messages: [{role: user | assistant | system, content}] in the file";
    reader.say("not_carried", "columns", why);
    reader.say("not_carried", "tags", why);
    if (columns === undefined && tags === undefined) reader.say("not_carried", "formatting", why);
  }
  if (system !== undefined && !(shape === "sharegpt" && system === "system"))
    say(
      account,
      name,
      "not_carried",
      "columns.system",
      "only read in a column system beside conversations; put it into the turns",
      system,
    );
  if (columns?.tools !== undefined)
    say(
      account,
      name,
      "not_carried",
      "columns.tools",
      "descriptions of tools, and turns of tools: rows with such turns are left out, counted",
      columns.tools,
    );
  return { shape: shape ?? "messages" };
}

function say(
  account: Account,
  name: string,
  kind: "not_carried" | "deviation",
  key: string,
  why: string,
  value?: unknown,
): void {
  account.remarks.push({ kind, key: `${name}.${key}`, place: TOOL, ...(value === undefined ? {} : { value }), why });
}

/** A mapping of texts. */
function named(reader: KeyReader, key: string): Record<string, string> | undefined {
  const mapping = reader.mapping(key);
  if (mapping === undefined) return undefined;
  for (const value of Object.values(mapping)) {
    if (value !== null && typeof value !== "string") throw reader.refuse(key, "names of columns", "Write texts.");
  }
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== null)) as Record<string, string>;
}
