/** @file Rules that both engines hold, by the tables of cases that the Python worker's suite reads too: protocol/cases/*.json. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../../src/base/digest.ts";
import { MixtuneError } from "../../src/base/errors.ts";
import { adapterConfig } from "../../src/models/lora.ts";
import { commitCheckpoint, keepCheckpoints } from "../../src/runs/checkpoints.ts";
import { cutMetrics, runPaths } from "../../src/runs/run-dir.ts";
import type { CheckpointIndex, CheckpointRecord } from "../../src/runs/schemas.ts";
import type { MetricsLine } from "../../src/runs/types.ts";
import { TRAIN_DEFAULTS } from "../../src/specs/train.ts";
import type { TrainSpec } from "../../src/specs/types.ts";
import { evaluatedCheckpoint } from "../../src/train/checkpoint.ts";
import { hasStopped, isBest } from "../../src/train/early-stopping.ts";

function casesOf<Case extends { name: string }>(rule: string): Case[] {
  const path = new URL(`../../protocol/cases/${rule}.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { cases: Case[] }).cases;
}

function inRunDir(work: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "mixtune-rules-"));
  try {
    work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

interface EarlyStopping {
  name: string;
  evaluations: number[];
  patience: number;
  is_best?: boolean;
  stops: boolean;
}

test.each(casesOf<EarlyStopping>("early-stopping"))("early stopping: $name", (given) => {
  const { evaluations, patience, is_best, stops } = given;
  expect(hasStopped(evaluations, patience)).toBe(stops);
  if (evaluations.length > 0) expect(isBest(evaluations.slice(0, -1), evaluations.at(-1)!)).toBe(is_best);
});

interface Adapter {
  name: string;
  train: { lora_rank: number; lora_alpha: number; use_dora?: boolean };
  model: string;
  tensors: string[];
  config: unknown;
}

test.each(casesOf<Adapter>("adapter-config"))("adapter_config.json: $name", ({ train, model, tensors, config }) => {
  expect(adapterConfig(train, { name: model }, tensors)).toBe(`${JSON.stringify(config, null, 2)}\n`);
});

interface Resume {
  name: string;
  log: string | null;
  step: number;
  kept: MetricsLine[] | null;
}

test.each(casesOf<Resume>("metrics-resume"))("metrics when a run resumes: $name", ({ log, step, kept }) => {
  inRunDir((dir) => {
    const path = runPaths.metrics(dir);
    if (log !== null) writeFileSync(path, log);
    cutMetrics(dir, step);
    const text = existsSync(path) ? readFileSync(path, "utf8") : null;
    expect(text).toBe(kept?.map((line) => `${JSON.stringify(line)}\n`).join("") ?? null);
  });
});

interface Refusal {
  place: string;
  expected: string;
  got: string;
  remedy: string;
}

/** As in the file: names of files in place of their digests. */
type NamedFiles<T> = Omit<T, "files" | "best"> & { files: string[] };

interface Checkpoints {
  name: string;
  commits: { step: number; best: boolean; dev_loss?: number; version?: number; error?: Refusal }[];
  keep?: TrainSpec["keep"];
  index: (NamedFiles<CheckpointRecord> & { best?: NamedFiles<CheckpointRecord> }) | null;
  there: string[];
  remove?: string;
  change?: string;
  evaluated: Record<TrainSpec["evaluate"], string | Refusal>;
}

test.each(casesOf<Checkpoints>("checkpoints"))("checkpoints: $name", (given) => {
  inRunDir((dir) => {
    const root = runPaths.checkpoints(dir);
    for (const { step, best, dev_loss, version, error } of given.commits) {
      const devLoss = dev_loss === undefined ? {} : { devLoss: dev_loss };
      const commit = () => commitCheckpoint(dir, step, writer(step, version), { best, ...devLoss });
      expect(refusalOf(dir, commit)).toEqual(error);
    }
    if (given.keep !== undefined) keepCheckpoints(dir, given.keep);
    expect(readJson(join(root, "last.json"))).toEqual(given.index && indexOf(given.index));
    expect(readJson(join(root, "best.json"))).toEqual(given.index?.best ? recordOf(given.index.best) : null);
    expect(filesUnder(root)).toEqual(given.there);
    if (given.remove !== undefined) rmSync(join(root, given.remove));
    if (given.change !== undefined) writeFileSync(join(root, given.change), "changed");
    for (const evaluate of ["last", "best"] as const) {
      const expected = given.evaluated[evaluate];
      const train: TrainSpec = { ...TRAIN_DEFAULTS, evaluate, keep: given.keep ?? "weights" };
      if (typeof expected === "string") expect(evaluatedCheckpoint(dir, train)).toBe(join(root, expected));
      else expect(refusalOf(dir, () => evaluatedCheckpoint(dir, train))).toEqual(expected);
    }
  });
});

function textOf(name: string, step: number, version = 1): string {
  return `${name} of step ${step}${version === 1 ? "" : `, version ${version}`}`;
}

function writer(step: number, version: number | undefined): (folder: string) => Record<string, string> {
  return (folder) => {
    for (const name of ["adapter_model.safetensors", "optimizer.safetensors"])
      writeFileSync(join(folder, name), textOf(name, step, version));
    return {};
  };
}

function indexOf({ best, ...last }: NonNullable<Checkpoints["index"]>): CheckpointIndex {
  return { ...recordOf(last), ...(best === undefined ? {} : { best: recordOf(best) }) };
}

function recordOf({ files, ...record }: NamedFiles<CheckpointRecord>): CheckpointRecord {
  return { ...record, files: Object.fromEntries(files.map((name) => [name, sha256(textOf(name, record.step))])) };
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

function filesUnder(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** What the work is refused with; undefined: it is not refused. */
function refusalOf(dir: string, work: () => void): Refusal | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    const { place, expected, got, remedy } = error;
    return { place: place.replace(dir, "<run>"), expected, got, remedy };
  }
}
