import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubServer, type RepoFiles, startHub } from "../../test/support/hub-server.ts";
import { DataError, SpecError } from "../base/errors.ts";
import { type DatasetRequest, fetchDataset, pathsOf } from "./dataset.ts";
import { openHub } from "./hub.ts";

describe("files of a split", () => {
  const of = (paths: string[], split: string, config?: string) =>
    pathsOf(
      paths.map((path) => ({ path, bytes: 1, digest: "" })),
      split,
      config,
    );
  const shards = ["data/train-00001-of-00002.parquet", "data/train-00000-of-00002.parquet"];

  test.each<[string, string[], string, string | undefined, string[]]>([
    [
      "shards in data/, in order",
      [...shards, "data/test-00000-of-00001.parquet"],
      "train",
      undefined,
      [...shards].sort(),
    ],
    [
      "not those of a split whose name begins alike",
      ["data/train.csv", "data/train_extra.csv"],
      "train",
      undefined,
      ["data/train.csv"],
    ],
    [
      "nor those of one whose name goes on",
      ["data/train_prefs-00000-of-00001.parquet", "data/train_sft-0.parquet"],
      "train",
      undefined,
      [],
    ],
    [
      "below the only folder that has them",
      ["plain_text/train/0000.parquet", "other/test/0000.parquet"],
      "train",
      undefined,
      ["plain_text/train/0000.parquet"],
    ],
    [
      "nothing where several configurations have them and none was asked for",
      ["a/train/0.parquet", "b/train/0.parquet"],
      "train",
      undefined,
      [],
    ],
    ["a single file at the root", ["test.jsonl", "train.jsonl", "README.md"], "test", undefined, ["test.jsonl"]],
    [
      "below a configuration",
      ["main/train-00000-of-00001.parquet", "socratic/train-00000-of-00001.parquet"],
      "train",
      "main",
      ["main/train-00000-of-00001.parquet"],
    ],
    ["below a configuration in data/", ["data/ARC/test.csv", "data/test.csv"], "test", "ARC", ["data/ARC/test.csv"]],
    [
      "a folder of the split, as the hub's conversion has it",
      ["default/train/0000.parquet", "default/train/0001.parquet"],
      "train",
      undefined,
      ["default/train/0000.parquet", "default/train/0001.parquet"],
    ],
    ["Parquet before text", ["train.csv", "data/train.parquet"], "train", undefined, ["data/train.parquet"]],
    ["packed text", ["train.csv.gz"], "train", undefined, ["train.csv.gz"]],
    [
      "a pattern of paths",
      ["a/x-1.json", "a/x-2.json", "a/b/x-3.json"],
      "a/x-*.json",
      undefined,
      ["a/x-1.json", "a/x-2.json"],
    ],
    [
      "a path with characters that mean something to regular expressions",
      ["a+(1).csv", "aa1.csv"],
      "a+(1).csv",
      undefined,
      ["a+(1).csv"],
    ],
    [
      "the one file whose name holds a word for the split",
      ["sent_train.csv", "sent_valid.csv", "meta.txt"],
      "validation",
      undefined,
      ["sent_valid.csv"],
    ],
    ["nothing where two do", ["qa_test.json", "qa_test_gold.json"], "test", undefined, []],
    ["nor where a longer word begins so", ["testimony.csv"], "test", undefined, []],
    ["below a configuration too", ["a/x_dev.csv", "b/x_dev.csv"], "validation", "b", ["b/x_dev.csv"]],
    ["nothing where there is nothing", ["README.md", "train.py"], "train", undefined, []],
  ])("are %s", (_, paths, split, config, expected) => expect(of(paths, split, config)).toEqual(expected));
});

describe("a dataset", () => {
  let server: HubServer;
  let cacheDir: string;
  const FILES: RepoFiles = { "data/train-0.csv": "a\n1\n", "data/train-1.csv": "a\n2\n", "test.csv": "a\n3\n" };

  beforeEach(async () => {
    cacheDir = mkdtempSync(join(tmpdir(), "mixtune-hub-"));
    server = await startHub();
  });
  afterEach(async () => {
    await server.close();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  const fetched = (request: DatasetRequest, isOffline = false) =>
    fetchDataset(
      openHub({
        settings: { endpoint: server.endpoint, token: undefined, cacheDir, isOffline },
        sleep: async () => {},
      }),
      request,
    );
  const texts = (paths: string[] | undefined) => paths?.map((path) => readFileSync(path, "utf8"));

  test("comes split by split, with what is to be recorded, and is there offline afterwards", async () => {
    const commit = server.put("dataset", "org/rows", FILES);
    const { splits, record } = await fetched({ id: "org/rows", splits: ["train", "test"] });
    expect(texts(splits.train)).toEqual(["a\n1\n", "a\n2\n"]);
    expect(texts(splits.test)).toEqual(["a\n3\n"]);
    expect(record).toMatchObject({ repo: "org/rows", revision: commit });
    expect(Object.keys(record.files).sort()).toEqual(Object.keys(FILES).sort());
    const before = server.seen.length;
    expect(await fetched({ id: "org/rows", splits: ["train", "test"] }, true)).toEqual({ splits, record });
    expect(server.seen).toHaveLength(before);
  });

  test("that holds no data files is read from the hub's own conversion", async () => {
    server.put("dataset", "org/script", { "script.py": "x" });
    const commit = server.put("dataset", "org/script", { "default/train/0000.parquet": "PAR" }, "refs/convert/parquet");
    const { splits, record } = await fetched({ id: "org/script", splits: ["train"] });
    expect(texts(splits.train)).toEqual(["PAR"]);
    expect(record.revision).toBe(commit);
    expect(await fetched({ id: "org/script", splits: ["train"] }, true)).toMatchObject({ record });
  });

  test("without the split that was asked for is refused with what it holds", async () => {
    server.put("dataset", "org/rows", FILES);
    const failure = fetched({ id: "org/rows", splits: ["test", "validation"] });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(
      /files of the split validation, got 3 files, none of them: data\/train-0\.csv/,
    );
  });

  test("is taken without a split that it may lack", async () => {
    server.put("dataset", "org/rows", FILES);
    const { splits } = await fetched({ id: "org/rows", splits: ["train"], optional: ["test", "validation"] });
    expect(Object.keys(splits)).toEqual(["train", "test"]);
  });

  test("that is not there is refused by name", async () => {
    await expect(fetched({ id: "org/none", splits: ["train"] })).rejects.toThrow(SpecError);
  });

  test("is not looked for in the conversion when the hub is busy, refuses or is not there", async () => {
    server.put("dataset", "org/script", { "script.py": "x" });
    server.put("dataset", "org/script", { "default/train/0000.parquet": "PAR" }, "refs/convert/parquet");
    server.faults.push({ match: "refs%2Fconvert", status: 503, times: 99 });
    await expect(fetched({ id: "org/script", splits: ["train"] })).rejects.toThrow(/status 503, again and again/);
  });
});
