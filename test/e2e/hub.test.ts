/** @file A model of the hub from its name to a trained run, through the built command and a hub on the loopback interface. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { numElements } from "../../src/base/shapes.ts";
import { decoderTensors } from "../../src/models/config.ts";
import { ConfigReader } from "../../src/models/config-reader.ts";
import { readDecoderConfig } from "../../src/models/families.ts";
import { type Finished, mixtune, type RunOptions, temporaryFolder } from "../support/command.ts";
import { type HubServer, type RepoFiles, startHub } from "../support/hub-server.ts";

const TINY = join(import.meta.dirname, "..", "..", "assets", "tiny");
const MODEL: RepoFiles = Object.fromEntries(readdirSync(TINY).map((name) => [name, readFileSync(join(TINY, name))]));
const WEIGHTS = createHash("sha256")
  .update(MODEL["model.safetensors"] as Buffer)
  .digest("hex");
/** Small enough for seconds. */
const SMALL = ["train.max_steps=2", "train.train_batch_size=4", "eval.max_dev=4", "eval.max_test=4", "controls=[]"];

let folder: string;
let remove: () => void;
let server: HubServer;

beforeAll(async () => {
  ({ folder, remove } = temporaryFolder());
  server = await startHub({ gated: { ids: ["org/gated"], token: "hf_right" } });
  server.put("model", "org/tiny", MODEL);
  const rows = Array.from(
    { length: 60 },
    (_, i) => `a ${i % 2 ? "fine" : "bad"} day number ${i},${i % 2 ? "up" : "down"}`,
  );
  writeFileSync(join(folder, "days.csv"), ["text,label", ...rows, ""].join("\n"));
  writeFileSync(
    join(folder, "study.yaml"),
    `name: hub
models: [org/tiny]
tasks:
  days:
    data: {train: days.csv}
    prompt: "How was it?\\n{text}"
    answer: {kind: label, field: label, labels: [up, down]}
design: [singles]
`,
  );
});
afterAll(async () => {
  await server.close();
  remove();
});
beforeEach(() => {
  server.seen.length = 0;
  server.faults.length = 0;
});

function call(args: string[], options: Partial<RunOptions> = {}): Promise<Finished> {
  const env = {
    HF_ENDPOINT: server.endpoint,
    HF_HOME: join(folder, "home"),
    HF_HUB_CACHE: "",
    HF_HUB_OFFLINE: "",
    HF_TOKEN: "",
    ...options.env,
  };
  return mixtune(args, { cwd: folder, ...options, env });
}

async function ok(args: string[], options?: Partial<RunOptions>): Promise<Finished> {
  const finished = await call(args, options);
  expect(finished.stderr).not.toMatch(/expected .* got/);
  expect(finished.status).toBe(0);
  return finished;
}

const planned = async (args: string[] = [], options?: Partial<RunOptions>) =>
  JSON.parse((await ok(["plan", "study.yaml", "--json", "--out", "out", ...SMALL, ...args], options)).stdout).runs as {
    id: string;
    unresolved: boolean;
    estimate: { steps: number; memory_bytes: number };
  }[];

const blobs = (id = "org--tiny") => readdirSync(join(folder, "home", "hub", `models--${id}`, "blobs"));

describe("a model of the hub", () => {
  test("is planned from its config, tokenizer and headers, and has the same run ids as the same bytes in a folder", async () => {
    const [run] = await planned();
    expect(run).toMatchObject({ unresolved: true, estimate: { steps: 2 } });
    const asked = server.seen.filter(({ server }) => server === "cdn");
    expect(asked.filter(({ range }) => range === undefined).map(({ path }) => path)).toHaveLength(1); // tokenizer.json
    expect(asked.filter(({ range }) => range !== undefined)).toHaveLength(1);
    expect(blobs()).not.toContain(WEIGHTS);
    const [same] = await planned(["models=[mixtune/tiny]"]);
    expect(same).toMatchObject({ id: run!.id, unresolved: false });
    expect((await ok(["plan", "study.yaml", "--out", "out", ...SMALL])).stdout).toContain("unresolved");
  });

  test("is not to be had offline before it was fetched", async () => {
    const { status, stderr } = await call(["run", "study.yaml", "--out", "out", ...SMALL], {
      env: { HF_HUB_OFFLINE: "1" },
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/model\.safetensors in the cache, as HF_HUB_OFFLINE is set[\s\S]*mixtune fetch/);
    expect(server.seen).toEqual([]);
  });

  test("whose fetching is stopped or killed is taken up where it broke off", async () => {
    const stopAt = (size: number, signal: NodeJS.Signals) => {
      let isSent = false;
      return call(["fetch", "study.yaml"], {
        watch: (kill) => {
          const part = blobs().find((name) => name.includes("incomplete"));
          const path = join(folder, "home", "hub", "models--org--tiny", "blobs", part ?? "");
          if (part === undefined || isSent || statSync(path, { throwIfNoEntry: false })?.size !== size) return;
          isSent = true;
          kill(signal);
        },
      });
    };
    server.faults.push({ match: WEIGHTS, on: "whole", cutAfter: 3_000_000, hold: true });
    const stopped = await stopAt(3_000_000, "SIGINT");
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain("Run the same command again to resume");
    server.faults.push({ match: WEIGHTS, on: "rest", cutAfter: 2_000_000, hold: true });
    expect((await stopAt(5_000_000, "SIGKILL")).status).toBeNull();
    const { stdout } = await ok(["fetch", "study.yaml", "--json"]);
    const [{ name, kind, hub }] = JSON.parse(stdout).fetched;
    expect({ name, kind, repo: hub.repo }).toEqual({ name: "org/tiny", kind: "model", repo: "org/tiny" });
    expect(hub.files["model.safetensors"]).toBe(WEIGHTS);
    const rests = server.seen.filter(({ server, range }) => server === "cdn" && range?.endsWith("-"));
    expect(rests.map(({ range }) => range)).toEqual(["bytes=3000000-", "bytes=5000000-"]);
    expect(blobs().filter((blob) => blob.includes("incomplete"))).toEqual([]);
  });

  test("may be fetched by two processes at once", async () => {
    const env = { HF_HOME: join(folder, "both") };
    await Promise.all([ok(["fetch", "study.yaml"], { env }), ok(["fetch", "study.yaml"], { env })]);
    const there = readdirSync(join(folder, "both", "hub", "models--org--tiny", "blobs"));
    expect(there).toHaveLength(6);
    const weights = readFileSync(join(folder, "both", "hub", "models--org--tiny", "blobs", WEIGHTS));
    expect(weights.equals(MODEL["model.safetensors"] as Buffer)).toBe(true);
  });

  test("is trained offline once it was fetched, and its run is scored again", async () => {
    const env = { HF_HUB_OFFLINE: "1" };
    const [run] = await planned([], { env });
    expect(run!.unresolved).toBe(false);
    const { stdout } = await ok(["run", "study.yaml", "--out", "out", "--json", ...SMALL], { env });
    expect(JSON.parse(stdout)).toMatchObject({ done: 1, failed: [] });
    const lock = JSON.parse(readFileSync(join(folder, "out", "study.lock.json"), "utf8"));
    expect(lock.hub["org/tiny"]).toMatchObject({ repo: "org/tiny", revision: expect.stringMatching(/^[0-9a-f]{40}$/) });
    await ok(["eval", join("out", "runs", run!.id), "--split", "dev"], { env });
    const ofBase = await ok(["eval", "org/tiny", "--tasks", "study.yaml", "--split", "dev", "--json"], { env });
    expect(JSON.parse(ofBase.stdout).dir).toMatch(/evals.org--tiny$/);
    expect(server.seen).toEqual([]);
  });

  test("stays at the revision that its study took, when the branch moves", async () => {
    const [before] = await planned();
    const config = JSON.parse(String(MODEL["config.json"]));
    server.put("model", "org/tiny", { ...MODEL, "config.json": JSON.stringify({ ...config, rms_norm_eps: 1e-6 }) });
    const [after] = await planned();
    expect(after!.id).toBe(before!.id);
    await ok(["eval", join("out", "runs", before!.id), "--split", "dev"]);
    const { stdout } = await ok(["plan", "study.yaml", "--json", "--out", "elsewhere", ...SMALL]);
    expect(JSON.parse(stdout).runs[0].id).not.toBe(before!.id);
  });

  test("may be named with a revision, and trained by train in one go", async () => {
    const commit = server.put("model", "org/other", MODEL, "v1");
    writeFileSync(
      join(folder, "one.yaml"),
      `model: org/other@v1
tasks: {days: {data: {train: days.csv}, prompt: "{text}", answer: {kind: label, field: label, labels: [up, down]}}}
mixture: {days: {max_train: 8}}
train: {max_steps: 1, train_batch_size: 4}
eval: {max_dev: 4, max_test: 4}
`,
    );
    await ok(["train", "one.yaml", "--out", "one"]);
    expect(readFileSync(join(folder, "home", "hub", "models--org--other", "refs", "v1"), "utf8")).toBe(commit);
    const { stdout } = await ok(["tasks", "show", "days", "--study", "study.yaml", "--model", "org/other@v1"]);
    expect(stdout).toContain("day number");
  });
});

describe("a dataset of the hub", () => {
  const tweets = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) =>
      JSON.stringify({ text: `stock number ${from + i} moves`, label: i % 3 }),
    ).join("\n");

  test("stands in for files that are not on this machine, is recorded and pinned, and is there offline", async () => {
    const id = "zeroshot/twitter-financial-news-sentiment"; // as the catalogue has it; nothing but loopback is asked
    const files = { "train.jsonl": tweets(60, 0), "validation.jsonl": tweets(12, 1000) };
    const commit = server.put("dataset", id, files);
    writeFileSync(
      join(folder, "tweets.yaml"),
      "name: tweets\nmodels: [mixtune/tiny]\ntasks: {twitter-sentiment: {}}\ndesign: [singles]\n",
    );
    const { stdout } = await ok(["fetch", "tweets.yaml", "--json"]);
    expect(JSON.parse(stdout).fetched[1]).toMatchObject({
      name: "twitter-sentiment",
      hub: { repo: id, revision: commit },
    });
    const env = { HF_HUB_OFFLINE: "1" };
    const done = await ok(["run", "tweets.yaml", "--out", "tweets", "--json", ...SMALL], { env });
    expect(JSON.parse(done.stdout)).toMatchObject({ done: 1, failed: [] });
    const lock = JSON.parse(readFileSync(join(folder, "tweets", "study.lock.json"), "utf8"));
    expect(lock.hub[`datasets/${id}`]).toMatchObject({ repo: id, revision: commit });
    expect(lock.tasks["twitter-sentiment"]).toMatchObject({
      source: expect.stringContaining(`${id} at ${commit}`),
      num_examples: { test: 12 },
    });
    server.put("dataset", id, { ...files, "validation.jsonl": tweets(9, 2000) });
    const later = await ok(["run", "tweets.yaml", "--out", "tweets", "--json", ...SMALL]);
    expect(JSON.parse(later.stdout)).toMatchObject({ done: 0, done_before: 1 });
  });

  test("that is not there says how to bring the files by hand", async () => {
    writeFileSync(join(folder, "fpb.yaml"), "name: fpb\nmodels: [mixtune/tiny]\ntasks: {fpb: {}}\ndesign: [singles]\n");
    const { status, stderr } = await call(["plan", "fpb.yaml"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/task fpb: [\s\S]*data_root or the MIXTUNE_DATA variable/);
  });
});

describe("a model that cannot be used is refused before its weights come", () => {
  const refused = async (id: string, files: RepoFiles): Promise<string> => {
    server.put("model", id, files);
    const { status, stderr } = await call(["run", "study.yaml", "--out", "bad", `models=[${id}]`, ...SMALL]);
    expect(status).toBe(2);
    const whole = server.seen.filter(
      ({ server, range }) => server === "cdn" && (range === undefined || range.endsWith("-")),
    );
    expect(whole.every(({ path }) => !path.includes(WEIGHTS))).toBe(true);
    expect(existsSync(join(folder, "bad"))).toBe(false);
    return stderr;
  };

  test("because it is a pickle", async () => {
    const { "model.safetensors": _, ...rest } = MODEL;
    expect(await refused("org/pickle", { ...rest, "pytorch_model.bin": "x" })).toMatch(
      /expected model\.safetensors.*got weights as pytorch_model\.bin\.[\s\S]*save_pretrained/,
    );
  });

  test("because the engine has no such family", async () => {
    const message = await refused("org/bert", { ...MODEL, "config.json": '{"model_type": "bert"}' });
    expect(message).toMatch(/model_type: expected "one of llama, /);
  });

  test("because it is too large for any machine, with the arithmetic", async () => {
    const config = {
      ...JSON.parse(String(MODEL["config.json"])),
      hidden_size: 65536,
      intermediate_size: 262144,
      head_dim: 1024,
    };
    const message = await refused("org/huge", {
      ...MODEL,
      "config.json": JSON.stringify(config),
      "model.safetensors": huge(config),
    });
    expect(message).toMatch(
      /org\/huge: expected a model that fits into [\d.]+ GB of memory, got about [\d.]+ GB: [\d,]+ weights of 12 bytes/,
    );
  });

  test("because its weights are another model's", async () => {
    const config = { ...JSON.parse(String(MODEL["config.json"])), intermediate_size: 128 };
    expect(await refused("org/torn", { ...MODEL, "config.json": JSON.stringify(config) })).toMatch(
      /org\/torn: tensor .*config\.json says/,
    );
  });

  test("because it is gated, with how to get access, and opened by a token", async () => {
    expect(await refused("org/gated", MODEL)).toMatch(/it is gated[\s\S]*Accept its terms on .*org\/gated.*HF_TOKEN/);
    await ok(["plan", "study.yaml", "models=[org/gated]", "--out", "bad", ...SMALL], { env: { HF_TOKEN: "hf_right" } });
  });

  test("because there is none of that name", async () => {
    const { status, stderr } = await call(["plan", "study.yaml", "models=[org/none]"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^org\/none: expected a model on http.*none of that name/);
    expect((await call(["plan", "study.yaml", "models=[tiny]"])).stderr).toMatch(
      /expected mixtune\/tiny, a folder, or org/,
    );
  });
});

/** A header of the tensors that the config asks for, in a file of as many bytes as they take. */
function huge(config: object): { head: Buffer; bytes: number } {
  let end = 0;
  const entries = decoderTensors(readDecoderConfig(new ConfigReader(config, "toy"))).map(({ name, shape }) => {
    const begin = end;
    end += 2 * numElements(shape);
    return [name, { dtype: "F16", shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return { head: Buffer.concat([length, json]), bytes: 8 + json.length + end };
}
