/** @file Configurations of other tools on the command line: the study that is written is one that mixtune plans. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

let folder: string;
let remove: () => void;

beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  mkdirSync(join(folder, "data"));
  const rows = Array.from({ length: 40 }, (_, i) => ({
    instruction: `Say ${i} and ${i * 7}.`,
    input: "",
    output: `${i}`,
  }));
  writeFileSync(join(folder, "data", "says.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const talks = rows.map(({ instruction, output }) => ({
    messages: [
      { role: "user", content: `${instruction} Please.` },
      { role: "assistant", content: output },
    ],
  }));
  writeFileSync(join(folder, "data", "talks.json"), JSON.stringify(talks));
  const info = {
    says: { file_name: "says.jsonl" },
    talks: {
      file_name: "talks.json",
      formatting: "sharegpt",
      columns: { messages: "messages" },
      tags: { role_tag: "role", content_tag: "content", user_tag: "user", assistant_tag: "assistant" },
    },
  };
  writeFileSync(join(folder, "data", "dataset_info.json"), JSON.stringify(info, null, 2));
  writeFileSync(
    join(folder, "sft.yaml"),
    "model_name_or_path: mixtune/tiny\nstage: sft\ndataset: says,talks\nmodule_dropout: 0.1\ncutoff_len: 256\nlogging_steps: 1\n",
  );
  writeFileSync(
    join(folder, "axolotl.yml"),
    "base_model: mixtune/tiny\ndatasets:\n  - {path: data/says.jsonl, type: alpaca}\n  - {path: data/talks.json, type: chat_template}\n" +
      "sequence_len: 256\nmicro_batch_size: 4\nlearning_rate: 1e-4\nadapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_linear: true\n",
  );
});
afterEach(() => remove());

test.each(["sft.yaml", "axolotl.yml"])(
  "%s becomes a study elsewhere that finds its data, never over another",
  async (config) => {
    const out = join("studies", "mine.yaml");
    const done = await mixtune(["import", config, "--out", out], { cwd: folder });
    expect(done).toMatchObject({ status: 0, stderr: "" });
    const text = readFileSync(join(folder, out), "utf8");
    expect(text).toContain("../data/says.jsonl");
    const planned = await mixtune(["plan", out, "--json"], { cwd: folder });
    expect(planned.status).toBe(0);
    expect(planned.stdout).toContain("imported");
    const again = await mixtune(["import", config, "--out", out], { cwd: folder });
    expect(again.status).toBe(2);
    expect(again.stderr).toContain("expected no such file yet");
    expect(readFileSync(join(folder, out), "utf8")).toBe(text);
  },
);

test("- is standard output, with the account beside it; --json has all of it", async () => {
  const shown = await mixtune(["import", "sft.yaml", "--out", "-"], { cwd: folder });
  expect(shown.stdout).toMatch(/^# Imported from sft\.yaml[\s\S]*\nname: sft\n/);
  expect(shown.stderr).toContain("module_dropout: 0.1 (4:17)");
  const data = JSON.parse(
    (await mixtune(["import", "sft.yaml", "--out", "-", "--json", "--devices", "2"], { cwd: folder })).stdout,
  );
  expect(data).toMatchObject({ tool: "LLaMA-Factory", study: { train: { train_batch_size: 16 } } });
  expect(data.text).toContain("train_batch_size: 16");
  expect(data.remarks).toContainEqual(
    expect.objectContaining({ kind: "not_carried", key: "module_dropout", value: 0.1 }),
  );
  expect(existsSync(join(folder, "study.yaml"))).toBe(false);
});

test("hostile and wrong files end with 2, a message and nothing written", async () => {
  const bad: Record<string, string> = {
    "list.yaml": "- 1\n",
    "rate.yaml": "model_name_or_path: a/b\ndataset: says\nlearning_rate: 99\n",
    "up.yaml": "model_name_or_path: a/b\ndataset: up\ndataset_dir: hostile\n",
  };
  mkdirSync(join(folder, "hostile"));
  writeFileSync(join(folder, "hostile", "dataset_info.json"), JSON.stringify({ up: { file_name: "../secret.json" } }));
  for (const [name, text] of Object.entries(bad)) writeFileSync(join(folder, name), text);
  for (const name of [...Object.keys(bad), "missing.yaml", "data"]) {
    const { status, stdout, stderr } = await mixtune(["import", name], { cwd: folder });
    expect({ name, status, stdout }).toEqual({ name, status: 2, stdout: "" });
    expect(stderr).toMatch(/expected .+, got .+\.\n {2}\S/);
    expect(stderr).not.toContain("    at ");
  }
  expect(existsSync(join(folder, "study.yaml"))).toBe(false);
});
