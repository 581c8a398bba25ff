import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { refuseLargeModel } from "../app/models/memory.ts";
import { modelFolder } from "../app/models/shipped-models.ts";
import { readSettings } from "../app/settings.ts";
import { CheckpointError, DataError, SpecError, WorkerError } from "../base/errors.ts";
import { bytes, count, duration } from "../base/human-numbers.ts";
import { describeError, EXIT_FAILED, EXIT_WRONG_REQUEST, errorRecord, exitStatus } from "./exit.ts";
import { assignmentsOf } from "./options/assignments.ts";

const DETAIL = { place: "p", expected: "e", got: "g", remedy: "Do r." };

describe("errors", () => {
  test("of the request end with 2, of work and of mixtune itself with 1", () => {
    expect([SpecError, DataError, CheckpointError].map((kind) => exitStatus(new kind(DETAIL)))).toEqual(
      Array(3).fill(EXIT_WRONG_REQUEST),
    );
    expect(exitStatus(new WorkerError(DETAIL))).toBe(EXIT_FAILED);
    expect(exitStatus(new TypeError("x is undefined"))).toBe(EXIT_FAILED);
  });

  test("show their stack only with --debug", () => {
    expect(describeError(new SpecError(DETAIL), false)).toBe("p: expected e, got g.\n  Do r.");
    expect(describeError(new SpecError(DETAIL), true)).toContain("\n    at ");
    expect(describeError(new TypeError("x is undefined"), false)).toBe(
      "internal error: x is undefined\n  This is a fault of mixtune. Run again with --debug to see where, and report it.",
    );
  });

  test("are records for machines", () => {
    expect(errorRecord(new DataError(DETAIL))).toEqual({ kind: "DataError", ...DETAIL });
  });
});

test("numbers read as people write them", () => {
  expect([count(1234567.4), duration(0.2), duration(89), duration(600), duration(9000), duration(Number.NaN)]).toEqual([
    "1,234,567",
    "1 s",
    "89 s",
    "10 min",
    "2.5 h",
    "?",
  ]);
  expect([bytes(1), bytes(12_400_000), bytes(3.44e9)]).toEqual(["1 MB", "12 MB", "3.4 GB"]);
});

test("settings come from the environment, and nonsense is no setting", () => {
  const set = readSettings({ MIXTUNE_DATA: "/d", MIXTUNE_THREADS: "3", MIXTUNE_CACHE: "/c", NO_COLOR: "1" });
  expect(set).toMatchObject({ dataRoot: "/d", threads: 3, cacheDir: "/c", isPlain: true });
  expect(readSettings({ MIXTUNE_THREADS: "many", MIXTUNE_DATA: "", XDG_CACHE_HOME: "/x" })).toMatchObject({
    dataRoot: undefined,
    threads: undefined,
    cacheDir: "/x/mixtune",
    isPlain: false,
  });
});

// Where onnxruntime-node 1.30.0 was seen to write, with its telemetry on and each of these variables.
test.runIf(process.platform === "linux")("settings say where ONNX Runtime's telemetry lies", () => {
  const from = (XDG_CACHE_HOME: string) => readSettings({ XDG_CACHE_HOME }).telemetryDir;
  expect(from("/x")).toBe("/x/Microsoft/DeveloperTools/.onnxruntime");
  const ofHome = join(homedir(), ".cache/Microsoft/DeveloperTools/.onnxruntime");
  expect([from(""), from("relative")]).toEqual([ofHome, ofHome]);
});

describe("settings of the hub", () => {
  const hub = (environment: Record<string, string>) => readSettings({ HF_HOME: "/no/home", ...environment }).hub;

  test("are the public hub and the cache of the Python tools where nothing is said", () => {
    expect(readSettings({ XDG_CACHE_HOME: "/x" }).hub).toMatchObject({
      endpoint: "https://huggingface.co",
      cacheDir: "/x/huggingface/hub",
      isOffline: false,
    });
    expect(hub({})).toMatchObject({ cacheDir: "/no/home/hub", token: undefined });
  });

  test("are those that the Python tools read", () => {
    expect(
      hub({ HF_ENDPOINT: "http://h/", HF_TOKEN: " t\n", HF_HUB_CACHE: "~/c", HUGGINGFACE_HUB_CACHE: "/old" }),
    ).toEqual({ endpoint: "http://h", token: "t", cacheDir: join(homedir(), "c"), isOffline: false });
    for (const yes of ["1", "TRUE", "on", "yes"]) expect(hub({ HF_HUB_OFFLINE: yes }).isOffline).toBe(true);
    for (const no of ["0", "", "off"]) expect(hub({ HF_HUB_OFFLINE: no }).isOffline).toBe(false);
    expect(hub({ HF_HUB_OFFLINE: "", TRANSFORMERS_OFFLINE: "1" }).isOffline).toBe(true);
  });

  test("take the token that a login left in HF_HOME, where the environment has none", () => {
    const home = mkdtempSync(join(tmpdir(), "mixtune-home-"));
    writeFileSync(join(home, "token"), "hf_left\n");
    expect(hub({ HF_HOME: home }).token).toBe("hf_left");
    expect(hub({ HF_HOME: home, HF_TOKEN: "hf_own" }).token).toBe("hf_own");
    rmSync(home, { recursive: true });
  });
});

test("a model is refused with the arithmetic where not even the least that it takes is there", () => {
  const size = { parameters: 7e9, blocks: 7e9, layers: 32, hidden: 4096, intermediate: 11008, vocabulary: 32000 };
  expect(() => refuseLargeModel("org/big", size, 100e9, 80e9)).toThrow(
    /^org\/big: expected a model that fits into 80\.0 GB of memory, got about 100\.0 GB: 7,000,000,000 weights of 12 bytes .* are 84\.0 GB, .* 16\.0 GB\.\n/,
  );
  expect(() => refuseLargeModel("org/big", size, 100e9, 90e9)).not.toThrow();
});

test("words after a file are overrides or nothing", () => {
  expect(assignmentsOf(["train.learning_rate=1e-4", "tasks.our-tickets.max_train=3", "name="])).toHaveLength(3);
  expect(() => assignmentsOf(["seeds"])).toThrow(/expected key=value/);
});

test("the shipped model is found from sources", () => {
  expect(modelFolder("mixtune/tiny")).toMatch(/assets\/tiny$/);
});
