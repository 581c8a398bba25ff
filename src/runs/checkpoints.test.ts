import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { CheckpointError, WorkerError } from "../base/errors.ts";
import { commitCheckpoint, commitSteps, keepCheckpoints, OPTIMIZER_FILE, readCheckpoint } from "./checkpoints.ts";
import { openRunDir } from "./run-dir.ts";

const newRun = (): string => openRunDir(join(mkdtempSync(join(tmpdir(), "mixtune-ckpt-")), "run"));

const filesOf =
  (step: number) =>
  (folder: string): Record<string, string> => {
    writeFileSync(join(folder, "adapter_model.safetensors"), `weights ${step}`);
    writeFileSync(join(folder, OPTIMIZER_FILE), `moments ${step}`);
    return { [OPTIMIZER_FILE]: sha256(`moments ${step}`) };
  };

const commit = (dir: string, step: number, best = false): void => commitCheckpoint(dir, step, filesOf(step), { best });
const stepsOnDisk = (dir: string): string[] => readdirSync(join(dir, "checkpoints")).sort();

test("the last and the best stay, in whatever order they come", () => {
  const dir = newRun();
  expect(readCheckpoint(dir)).toBeUndefined();
  commit(dir, 1, true);
  commit(dir, 2);
  commit(dir, 3);
  expect(stepsOnDisk(dir)).toEqual(["best.json", "last.json", "step-1", "step-3"]);
  expect(readCheckpoint(dir, "best")?.step).toBe(1);
  commit(dir, 4, true);
  expect(stepsOnDisk(dir)).toEqual(["best.json", "last.json", "step-4"]);
  const last = readCheckpoint(dir)!;
  expect(readFileSync(join(last.path, "adapter_model.safetensors"), "utf8")).toBe("weights 4");
  expect(last.files["adapter_model.safetensors"]).toBe(sha256("weights 4"));
});

test("the dev loss stands with its checkpoint, and in best.json", () => {
  const dir = newRun();
  commitCheckpoint(dir, 1, filesOf(1), { best: true, devLoss: 0.25 });
  commit(dir, 2);
  expect(readCheckpoint(dir, "best")?.dev_loss).toBe(0.25);
  expect(readCheckpoint(dir, "last")).not.toHaveProperty("dev_loss");
  expect(JSON.parse(readFileSync(join(dir, "checkpoints", "best.json"), "utf8"))).toMatchObject({
    step: 1,
    dev_loss: 0.25,
  });
});

describe("a kill at any moment of a commit", () => {
  const changes = (): number => [...commitSteps(newRun(), 3, filesOf(3), { best: true })].length;

  // Before the commit of step 3: last = 2, best = 1. Each number of changes is one moment of the kill.
  test.each([...Array(changes() + 1).keys()])(
    "after %i changes leaves a whole state, and work goes on to the same end",
    (numChanges) => {
      const dir = newRun();
      commit(dir, 1, true);
      commit(dir, 2);
      const steps = commitSteps(dir, 3, filesOf(3), { best: true });
      for (let i = 0; i < numChanges; i++) steps.next();

      const last = readCheckpoint(dir, "last")!;
      expect([2, 3]).toContain(last.step);
      expect(readCheckpoint(dir, "best")?.step).toBe(last.step === 3 ? 3 : 1);

      openRunDir(dir);
      for (let step = last.step + 1; step <= 4; step++) commit(dir, step, step === 3);
      expect(readCheckpoint(dir, "last")?.step).toBe(4);
      expect(readCheckpoint(dir, "best")?.step).toBe(3);
      expect(stepsOnDisk(dir)).toEqual(["best.json", "last.json", "step-3", "step-4"]);
    },
  );

  test("while the files are being written leaves the state before", () => {
    const dir = newRun();
    commit(dir, 1);
    mkdirSync(join(dir, "checkpoints", ".step-2.tmp"));
    writeFileSync(join(dir, "checkpoints", ".step-2.tmp", "adapter_model.safetensors"), "wei");
    expect(readCheckpoint(dir)?.step).toBe(1);
    commit(dir, 2);
    expect(stepsOnDisk(dir)).toEqual(["last.json", "step-2"]);
    expect(readCheckpoint(dir)?.step).toBe(2);
  });
});

test("a disk that fills up leaves what was committed before, and nothing else", () => {
  const dir = newRun();
  commit(dir, 1);
  const full = openSync("/dev/full", "w");
  const fill = (folder: string): Record<string, string> => {
    writeSync(full, "the device refuses with ENOSPC");
    return filesOf(2)(folder);
  };
  expect(() => commitCheckpoint(dir, 2, fill, { best: true })).toThrow(WorkerError);
  expect(stepsOnDisk(dir)).toEqual(["last.json", "step-1"]);
  expect(readCheckpoint(dir)?.step).toBe(1);
});

test("the same step again is fine with the same files, and refused with others", () => {
  const dir = newRun();
  commit(dir, 1);
  commit(dir, 1, true);
  expect(readCheckpoint(dir, "best")?.step).toBe(1);
  expect(() => commitCheckpoint(dir, 1, filesOf(9), { best: false })).toThrow(
    /the same files as when this step was committed/,
  );
  expect(stepsOnDisk(dir)).toEqual(["best.json", "last.json", "step-1"]);
});

test("a file that was changed, cut or removed is refused by name", () => {
  const whole = newRun();
  commit(whole, 1);
  const file = join("checkpoints", "step-1", "adapter_model.safetensors");
  const damages: ((path: string) => void)[] = [
    (path) => appendFileSync(path, "!"),
    (path) => writeFileSync(path, "weight"),
    (path) => cpSync(join(path, "..", OPTIMIZER_FILE), path),
  ];
  for (const damage of damages) {
    const dir = newRun();
    cpSync(whole, dir, { recursive: true });
    damage(join(dir, file));
    expect(() => readCheckpoint(dir)).toThrow(CheckpointError);
    expect(() => readCheckpoint(dir)).toThrow(/adapter_model\.safetensors: expected the file with SHA-256/);
  }
});

test("an index that points outside its folder is refused", () => {
  const dir = newRun();
  commit(dir, 1);
  const path = join(dir, "checkpoints", "last.json");
  const index = readFileSync(path, "utf8");
  writeFileSync(path, index.replace('"step-1"', '"../../elsewhere"'));
  expect(() => readCheckpoint(dir)).toThrow(/last\.json: .*folder/);
  writeFileSync(path, index.replace("adapter_model.safetensors", "../../../secret"));
  expect(() => readCheckpoint(dir)).toThrow(/last\.json/);
});

describe("what is kept of a finished run", () => {
  const finished = (): string => {
    const dir = newRun();
    commit(dir, 1, true);
    commit(dir, 2);
    return dir;
  };

  test.each([
    ["last", ["last.json", "step-2"]],
    ["best", ["best.json", "last.json", "step-1"]],
    ["weights", ["best.json", "last.json", "step-1", "step-2"]],
    ["none", []],
  ] as const)("%s", (keep, names) => {
    const dir = finished();
    keepCheckpoints(dir, keep);
    expect(stepsOnDisk(dir)).toEqual(names);
    for (const which of ["last", "best"] as const) {
      const checkpoint = readCheckpoint(dir, which);
      if (checkpoint !== undefined) expect(existsSync(join(checkpoint.path, OPTIMIZER_FILE))).toBe(false);
    }
    keepCheckpoints(dir, keep);
    expect(stepsOnDisk(dir)).toEqual(names);
  });

  test("best is the last one where none was measured", () => {
    const dir = newRun();
    commit(dir, 5);
    keepCheckpoints(dir, "best");
    expect(stepsOnDisk(dir)).toEqual(["last.json", "step-5"]);
  });
});
