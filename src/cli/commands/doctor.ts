/** @file mixtune doctor: what is there on this machine, what works, and what to do about what does not. */

import { rmSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { sizeOf } from "../../app/models/base-model.ts";
import { localModelDir } from "../../app/models/named-model.ts";
import { packageVersion } from "../../app/package.ts";
import { compareEngines, LOSS_TOLERANCE } from "../../app/study/compare-engines.ts";
import { torchEnvironment, torchPython } from "../../app/study/start-worker.ts";
import { MixtuneError } from "../../base/errors.ts";
import { bytes, count } from "../../base/human-numbers.ts";
import { readBytes, writeWhole } from "../../formats/files.ts";
import { openModelFolder } from "../../models/weights.ts";
import type { Parity } from "../../workers/parity.ts";
import { findTorch } from "../../workers/python.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_FAILED } from "../exit.ts";

const TINY = "mixtune/tiny";

/** One thing looked at. `warn`: something else will not work; `fail`: mixtune will not work here. */
interface Check {
  name: string;
  state: "ok" | "warn" | "fail";
  found: string;
  remedy?: string;
  /** How far apart the engines are. */
  parity?: Parity;
}

export function addDoctor(program: Command, act: Act): void {
  program
    .command("doctor")
    .description("versions, cores, memory, engines found, writable places, models that fit")
    .option("--parity [model]", "also do a short run on both engines and compare them (default mixtune/tiny)")
    .addHelpText("after", "\nExample: mixtune doctor --json")
    .action(({ parity }: { parity?: string | true }) =>
      act(async (context) => {
        const compared = parity === true ? TINY : parity;
        const checks = [
          node(),
          platform(),
          {
            name: "cores",
            state: "ok",
            found: `${availableParallelism()} (${cpus()[0]?.model.trim() ?? "unknown processor"})`,
          },
          { name: "memory", state: "ok", found: bytes(totalmem()) },
          disk(process.cwd()),
          writable("current folder", process.cwd(), "Change to another folder, or give --out."),
          writable("temporary folder", tmpdir(), "Set TMPDIR to a folder that you may write to."),
          await engine(),
          model(),
          data(context),
          hub(context),
          torch(context),
          ...(compared === undefined
            ? []
            : [await engines(compared, "lora", context), await engines(compared, "full", context)]),
        ] satisfies Check[];
        const models = fitting(totalmem());
        context.result({ mixtune: packageVersion(), checks, models }, report(checks, models));
        return checks.some(({ state }) => state === "fail") ? EXIT_FAILED : EXIT_DONE;
      }),
    );
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
    : { name: "disk", state: "warn", found, remedy: "Free some space, or give --out on another disk." };
}

function writable(name: string, folder: string, remedy: string): Check {
  const path = join(folder, `.mixtune-doctor-${process.pid}`);
  try {
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
    const { Graph } = await import("../../engine/graph/graph.ts");
    const { Session } = await import("../../engine/runtime/session.ts");
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

function model(): Check {
  const name = "base model";
  try {
    const folder = localModelDir(TINY, "doctor")!;
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

function data({ settings }: Context): Check {
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
function hub({ settings }: Context): Check {
  const { endpoint, token, cacheDir, isOffline } = settings.hub;
  const parts = [endpoint, `cache ${cacheDir}`, token === undefined ? "no token" : "a token"];
  return { name: "hub", state: "ok", found: [...parts, ...(isOffline ? ["offline"] : [])].join(", ") };
}

function torch({ settings }: Context): Check {
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
      remedy: "Only --worker torch needs it: mixtune setup torch. Everything else works without.",
    };
  }
}

async function engines(model: string, method: "lora" | "full", context: Context): Promise<Check> {
  const name = `parity ${method}`;
  context.note(`${name}: a short run of ${model} on both engines`);
  try {
    const parity = await compareEngines(model, method, context);
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

/** Sizes that a person will have in mind: weights, and the width of the widest activations per token. */
const KNOWN_MODELS = [
  { name: "mixtune/tiny", parameters: 4.5e6 },
  { name: "SmolLM2-135M", parameters: 135e6 },
  { name: "SmolLM2-360M", parameters: 362e6 },
  { name: "TinyLlama-1.1B", parameters: 1.1e9 },
  { name: "Llama-3.2-3B", parameters: 3.2e9 },
];

/** LoRA in fp32: the weights twice (ours and the engine's), then activations, which grow about as the weights do, over a floor of Node's own. */
const LORA_BYTES_PER_WEIGHT = 14;
const FLOOR_BYTES = 0.5e9;

interface Fit {
  name: string;
  needs_bytes: number;
  fits: boolean;
}

function fitting(memory: number): Fit[] {
  return KNOWN_MODELS.map(({ name, parameters }) => {
    const needs_bytes = FLOOR_BYTES + LORA_BYTES_PER_WEIGHT * parameters;
    return { name, needs_bytes, fits: needs_bytes < 0.8 * memory };
  });
}

function report(checks: readonly Check[], models: readonly Fit[]): string {
  const remedies = checks.flatMap(({ name, remedy }) => (remedy === undefined ? [] : [`${name}: ${remedy}`]));
  const fits = models.map(
    ({ name, needs_bytes, fits }) =>
      `${fits ? "fits" : "does not fit"}: ${name} (LoRA takes roughly ${bytes(needs_bytes)})`,
  );
  const table = checks.map(({ state, name, found }) => `${state.padEnd(4)}  ${name.padEnd(16)}  ${found}`);
  return [...table, ...(remedies.length === 0 ? [] : ["", ...remedies]), "", ...fits].join("\n");
}
