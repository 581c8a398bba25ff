/** @file What is there on this machine, what works, and what to do about what does not. */

import { existsSync, rmSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MixtuneError } from "../base/errors.ts";
import { bytes, count } from "../base/human-numbers.ts";
import { CACHE_SETTING, makeFolder, readBytes, writeWhole } from "../formats/files.ts";
import { openModelFolder } from "../models/weights.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { Parity } from "../workers/parity.ts";
import { findTorch } from "../workers/python.ts";
import { type ModelSize, sizeOf } from "./models/base-model.ts";
import { machineMemory, mayFit } from "./models/memory.ts";
import { memoryOf, sumOf, trainableWeights } from "./models/memory-estimate.ts";
import { modelFolder } from "./models/shipped-models.ts";
import { packageVersion } from "./package.ts";
import { compareEngines, LOSS_TOLERANCE } from "./study/compare-engines.ts";
import { torchEnvironment, torchPython } from "./study/start-worker.ts";
import type { Workspace } from "./workspace.ts";

const TINY = "mixtune/tiny";

export interface DoctorOptions {
  /** A model with which a short run is done on both engines, to compare them. Default: no run. */
  parity?: string | undefined;
}

/** One thing looked at. `warn`: something else will not work; `fail`: mixtune will not work here. */
export interface Check {
  name: string;
  state: "ok" | "warn" | "fail";
  found: string;
  remedy?: string;
  /** How far apart the engines are. */
  parity?: Parity;
}

/** Whether this machine may hold a model while LoRA trains it in the embedded engine. Names as in the JSON that is printed. */
export interface Fit {
  name: string;
  needs_bytes: number;
  fits: boolean;
}

export interface Diagnosis {
  mixtune: string;
  checks: Check[];
  models: Fit[];
}

/** Looks at this machine. Nothing is asked of the network. */
export async function doctor(workspace: Workspace, { parity }: DoctorOptions = {}): Promise<Diagnosis> {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const checks: Check[] = [
    node(),
    platform(),
    { name: "cores", state: "ok", found: `${availableParallelism()} (${processor})` },
    { name: "memory", state: "ok", found: bytes(machineMemory()) },
    disk(process.cwd()),
    writable("current folder", process.cwd(), "Change to another folder, or give options.out."),
    writable("temporary folder", tmpdir(), "Set TMPDIR to a folder that you may write to."),
    writable("cache", workspace.settings.cacheDir, `Set ${CACHE_SETTING} to a folder that you may write to.`),
    await engine(),
    telemetry(workspace),
    model(),
    data(workspace),
    hub(workspace),
    torch(workspace),
  ];
  if (parity !== undefined) {
    checks.push(await engines(parity, "lora", workspace), await engines(parity, "full", workspace));
  }
  return { mixtune: packageVersion(), checks, models: KNOWN_MODELS.map(fitOf) };
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const found = process.versions.node;
  return major > 20 || (major === 20 && minor >= 19)
    ? { name: "node", state: "ok", found }
    : { name: "node", state: "fail", found, remedy: "Install Node 20.19 or newer." };
}

function platform(): Check {
  const found = `${process.platform} ${process.arch}`;
  return found === "linux x64"
    ? { name: "platform", state: "ok", found }
    : {
        name: "platform",
        state: "warn",
        found: `${found}, untested`,
        remedy: "Linux x64 is what the tests run on; reports from others are welcome.",
      };
}

/** A study of the shipped model takes tens of megabytes; one of a 135M model with full checkpoints, gigabytes. */
function disk(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${bytes(free)} free in ${folder}`;
  return free > 2e9
    ? { name: "disk", state: "ok", found }
    : { name: "disk", state: "warn", found, remedy: "Free some space, or give options.out on another disk." };
}

function writable(name: string, folder: string, remedy: string): Check {
  const path = join(folder, `.mixtune-doctor-${process.pid}`);
  try {
    makeFolder(folder);
    writeWhole(path, "");
    rmSync(path);
    return { name, state: "ok", found: `${folder} is writable` };
  } catch (error) {
    return {
      name,
      state: "fail",
      found: `${folder}: ${error instanceof MixtuneError ? error.got : String(error)}`,
      remedy,
    };
  }
}

/** Runs one product through the whole engine: graph, lowering, session. */
async function engine(): Promise<Check> {
  const name = "engine";
  try {
    const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
    const { Graph } = await import("../engine/graph/graph.ts");
    const { Session } = await import("../engine/runtime/session.ts");
    const graph = new Graph();
    const a = graph.input("a", "float32", [1, 2]);
    const b = graph.input("b", "float32", [2, 1]);
    graph.output("y", graph.add("matmul", [a, b], { transA: false, transB: false, alpha: 1 }));
    const session = await Session.create(graph, { threads: 1 });
    const { y } = await session.run({ a: Float32Array.of(2, 3), b: Float32Array.of(5, 7) }, {});
    await session.release();
    if (y?.[0] !== 31) throw new Error(`2·5 + 3·7 gave ${y?.[0]}`);
    return { name, state: "ok", found: `ONNX Runtime ${version}, CPU` };
  } catch (error) {
    return {
      name,
      state: "fail",
      found: error instanceof Error ? error.message : String(error),
      remedy:
        "Install again with ONNXRUNTIME_NODE_INSTALL=skip npm ci; its CPU library is inside the package for Linux, macOS and Windows.",
    };
  }
}

/** Earlier versions left ONNX Runtime's telemetry on. It keeps a folder, or a file in the current folder where no home can be written to. */
function telemetry({ settings }: Workspace): Check {
  const name = "telemetry";
  const left = [settings.telemetryDir, resolve(":memory:.ses")].filter(
    (path) => path !== undefined && existsSync(path),
  );
  if (left.length === 0) return { name, state: "ok", found: "off; ONNX Runtime has left no device id and no events" };
  return {
    name,
    state: "warn",
    found: `off; a device id and events wait in ${left.join(" and ")}`,
    remedy: `An earlier mixtune, or another program with ONNX Runtime, left them. Delete them: rm -r ${left.map((path) => `'${path}'`).join(" ")}. Set ORT_DISABLE_TELEMETRY=1 for other programs.`,
  };
}

function model(): Check {
  const name = "base model";
  try {
    const folder = modelFolder(TINY);
    readBytes(join(folder, "model.safetensors"));
    return {
      name,
      state: "ok",
      found: `mixtune/tiny, ${count(sizeOf(openModelFolder(folder).config).parameters)} weights`,
    };
  } catch (error) {
    return {
      name,
      state: "fail",
      found: error instanceof MixtuneError ? error.message : String(error),
      remedy: "Install the package again.",
    };
  }
}

function data({ settings }: Workspace): Check {
  return settings.dataRoot === undefined
    ? {
        name: "data",
        state: "warn",
        found: "MIXTUNE_DATA is not set",
        remedy:
          "Set it to a folder of datasets in their publications' own files; without it tasks of the catalogue come from the hub.",
      }
    : { name: "data", state: "ok", found: `MIXTUNE_DATA is ${resolve(settings.dataRoot)}` };
}

/** Nothing is asked of the network here. */
function hub({ settings }: Workspace): Check {
  const { endpoint, token, cacheDir, isOffline } = settings.hub;
  const parts = [endpoint, `cache ${cacheDir}`, token === undefined ? "no token" : "a token"];
  return { name: "hub", state: "ok", found: [...parts, ...(isOffline ? ["offline"] : [])].join(", ") };
}

function torch({ settings }: Workspace): Check {
  const name = "torch worker";
  const interpreter = torchPython(settings);
  try {
    const { versions, device, numGpus } = findTorch(interpreter, torchEnvironment(settings));
    const named = Object.entries(versions).map(([one, version]) => `${one} ${version}`);
    return {
      name,
      state: "ok",
      found: `${named.join(", ")}, on ${numGpus > 1 ? `${numGpus} GPUs, the first ` : ""}${device} (${interpreter})`,
    };
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    return {
      name,
      state: "warn",
      found: `${interpreter}: ${error.got}`,
      remedy: "Only options.worker torch needs it: mixtune setup torch. Everything else works without.",
    };
  }
}

async function engines(model: string, method: "lora" | "full", workspace: Workspace): Promise<Check> {
  const name = `parity ${method}`;
  workspace.note(`${name}: a short run of ${model} on both engines`);
  try {
    const parity = await compareEngines(model, method, workspace);
    const { steps, loss, weight, items, other_answers: others } = parity;
    const apart = `losses of ${steps} steps within ${loss.toExponential(1)}, weights within ${weight.toExponential(1)}`;
    const found = `${apart}; ${others.length} of ${items} answers differ`;
    if (loss <= LOSS_TOLERANCE && others.length === 0) return { name, state: "ok", found, parity };
    const remedy = "The engines are not the same on this machine: report it, with mixtune doctor --parity --json.";
    return { name, state: "fail", found, parity, remedy };
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    return { name, state: "fail", found: `${error.place}: ${error.got}`, remedy: error.remedy };
  }
}

/** Models that a person will have in mind. @source config.json and weights of mixtune/tiny and of the hub's models of these names */
const KNOWN_MODELS: readonly (Omit<ModelSize, "blocks"> & { name: string })[] = [
  { name: TINY, parameters: 4.5e6, layers: 6, hidden: 256, intermediate: 512, vocabulary: 4096 },
  { name: "SmolLM2-135M", parameters: 135e6, layers: 30, hidden: 576, intermediate: 1536, vocabulary: 49_152 },
  { name: "SmolLM2-360M", parameters: 362e6, layers: 32, hidden: 960, intermediate: 2560, vocabulary: 49_152 },
  { name: "TinyLlama-1.1B", parameters: 1.1e9, layers: 22, hidden: 2048, intermediate: 5632, vocabulary: 32_000 },
  { name: "Llama-3.2-3B", parameters: 3.2e9, layers: 28, hidden: 3072, intermediate: 8192, vocabulary: 128_256 },
];

function fitOf({ name, ...size }: (typeof KNOWN_MODELS)[number]): Fit {
  const model = { ...size, blocks: size.parameters - size.hidden * size.vocabulary };
  const needs_bytes = sumOf(memoryOf(model, trainableWeights(model, { ...TRAIN_DEFAULTS, method: "lora" })));
  return { name, needs_bytes, fits: mayFit(needs_bytes) };
}
